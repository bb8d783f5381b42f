require "include";
include "returns";
redirect "a@example.com";
