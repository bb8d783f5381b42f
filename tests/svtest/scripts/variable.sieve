require "variables";
if string "${mine}" "" { discard; }
set "mine" "script";
