require "include";
include "wrong";
keep;
