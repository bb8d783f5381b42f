require "variables";
if size :over 1K { discard; }
elsif exists ["Subject", "X-Spam", "X-Other"] { discard; }
elsif not size :under 10 {
	set :upper "x" "a";
	set :lower "y" "${x}";
}
if string "${y}" "b" { discard; }
