require "include";
include "-";
