require "variables";
set "address" "not an address";
redirect "${address}";
