require "include";
include "and-round";
