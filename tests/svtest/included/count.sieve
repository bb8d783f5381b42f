require ["include", "variables"];
global "n";
set "n" "${n}x";
redirect "${n}@example.com";
