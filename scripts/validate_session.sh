#!/usr/bin/env bash
# Check a session that has ended: its journal, its replay, its report, its time series.
#
#   scripts/validate_session.sh [RUN|PATH]      (latest)
#
# Prints one line a check. Exits 0 if all pass and 6 if one fails; 2 if there is no such run.
set -euo pipefail

PATH="$(dirname "$0")/../.venv/bin:$PATH"
run="${1:-latest}" failed=0

case "$run" in -h | --help) sed -n '2,/^set/s/^#\( \|$\)//p' "$0" && exit ;; esac

check() { # name, command: its last line is the finding
  local name="$1" said mark=pass
  shift
  said="$("$@" 2>&1)" || mark=FAIL failed=1
  printf '%s  %-9s  %s\n' "$mark" "$name" "$(tail -n 1 <<<"$said")"
}

folder="$(laptop-agents runs show "$run" | sed -n 's/^folder  *//p')"
echo "$folder"
check journal laptop-agents audit verify "$run"
check replay laptop-agents replay "$run"
python3 "$(dirname "$0")/validate_report.py" "$folder" || failed=1
exit $((failed * 6))
