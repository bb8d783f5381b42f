require ["include", "variables"];
global "n";
include "count";
include "count";
include :once "count";
include :once "once";
include :once "once";
