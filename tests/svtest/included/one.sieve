require "include";
include "two";
