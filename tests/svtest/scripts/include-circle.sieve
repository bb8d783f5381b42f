require "include";
include "round";
