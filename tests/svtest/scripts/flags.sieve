require "imap4flags";
setflag "script";
