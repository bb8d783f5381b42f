first_unknown "x";
keep;
second_unknown 3;
