# changed.sh - what tamis doctor says of a Postfix that is changed a little
# SPDX-License-Identifier: BSD-2-Clause
# changed.sh DIRECTORY TRAPS SED COMMAND for main.cf, SED COMMAND for master.cf; @: a directory with the tables of maps/
directory=$(mktemp -d)
cp doctor/maps/* "$directory"
sed "$3" "doctor/$1/main.cf" | sed "s|@|$directory|g" >"$directory/main.cf"
sed "${4-}" "doctor/$1/master.cf" >"$directory/master.cf"
# postconf waits for two seconds while somebody may still be writing a file
touch -t 202601010000 "$directory"/*
own=doctor/$1/tamis.conf
[ -f "$own" ] || own=doctor/tamis.conf
tamis doctor -c "$own" -P "$directory" 2>/dev/null | sed "s|$directory|@|g" | grep "^[a-z]*  *\($2\)\(:\|\$\)"
rm -r "$directory"
