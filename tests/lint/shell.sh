# shell.sh - what shellcheck thinks of the scripts
# SPDX-License-Identifier: BSD-2-Clause
cd "${TAMIS_SOURCE:-$(dirname "$0")/../..}" || exit 1
command -v shellcheck >/dev/null || {
	echo 'shellcheck is missing'
	exit 77
}
status=0
for script in bootstrap check demo .ci/run build-aux/* tests/*/*.sh; do
	# ours: some there are written by Automake
	grep -q 'SPDX-License-Identifier: BSD-2-Clause' "$script" 2>/dev/null || continue
	case $(head -1 "$script") in
	'#!'*sh | '# '*.sh*) shellcheck --format=gcc --shell=sh "$script" || status=1 ;;
	esac
done
exit $status
