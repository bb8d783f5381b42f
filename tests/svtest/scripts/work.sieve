require "include";
include "w1";
