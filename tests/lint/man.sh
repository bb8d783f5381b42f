# man.sh - what mandoc and groff think of the manual pages
# SPDX-License-Identifier: BSD-2-Clause
cd "${TAMIS_SOURCE:-$(dirname "$0")/../..}" || exit 1
command -v mandoc >/dev/null || {
	echo 'mandoc is missing'
	exit 77
}
status=0
for page in doc/*.[1-8]; do
	[ -f "$page" ] || continue
	# Every finding counts, but a sentence is a line, however long, and the pages cite each other before they
	# are installed.
	mandoc -T lint -W style "$page" | grep -v -e 'referenced manual not found' -e 'input text line longer' && status=1
	# A macro that is given a full stop alone writes what it has for no argument, such as "~", before it.
	grep -nE '^(\.| )*(Pa|Ar|Fl) [.,:;!?]( |$)' "$page" | sed "s|^|$page:|; s|$|  (write \\\\\&.)|" | grep . && status=1
	# What is quoted ends with the line, or where the other quote is written: "Do a Dc or Do b Dc".
	grep -nE '(^\.| )(Dq|Sq|Ql) .* (Dq|Sq|Ql) ' "$page" | sed "s|^|$page:|; s|$|  (a quote in a quote)|" | grep . && status=1
	# What man shows: groff understands less.
	command -v groff >/dev/null && groff -mandoc -T utf8 -z "$page" 2>&1 | grep . && status=1
done
exit $status
