# asks.sh - what tamis doctor says of smtpd_milter_maps in main.cf, behind the queue
# SPDX-License-Identifier: BSD-2-Clause
# asks.sh TABLES [SED COMMAND for master.cf]; @: a directory with those of maps/
directory=$(mktemp -d)
cp doctor/maps/* doctor/final/main.cf "$directory"
sed "${2-}" doctor/final/master.cf >"$directory/master.cf"
echo "smtpd_milter_maps = $1" | sed "s|@|$directory|g" >>"$directory/main.cf"
# Postfix's commands wait for two seconds while somebody may still be writing a file
touch -t 202601010000 "$directory"/*
postmap -c "$directory" "hash:$directory/ours"
tamis doctor -c doctor/final/tamis.conf -P "$directory" 2>/dev/null | sed "s|$directory|@|g" |
	grep ' \(asked twice\|before the queue\)'
rm -r "$directory"
