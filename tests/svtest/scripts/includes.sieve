require "include";
include :personal "files";
include :global "redirects";
