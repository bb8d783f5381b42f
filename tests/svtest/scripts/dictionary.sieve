require "include";
include "filed";
include :global "redirects";
