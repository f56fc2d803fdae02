#!/usr/bin/env bash
# Pack a session away, or into one file for others; without --yes only say what would be done.
#
#   scripts/archive_session.sh [RUN|PATH] [--yes [--remove]]      into <home>/archive  (latest)
#   scripts/archive_session.sh [RUN|PATH] --export FILE [--yes]   proven, secrets scrubbed
#
# Its journal is proven first, in a dry run too. Exits like `laptop-agents runs archive`: 2 no such
# run, or archived already; 6 damaged; 8 still running.
set -euo pipefail

PATH="$(dirname "$0")/../.venv/bin:$PATH"
run=latest file="" is_sure="" removal=()

while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) sed -n '2,/^set/s/^#\( \|$\)//p' "$0" && exit ;;
    --yes) is_sure=yes ;;
    --remove) removal=(--remove) ;;
    --export) file="${2:?--export needs a FILE}" && shift ;;
    -*) echo "error: unknown option $1; try --help" >&2 && exit 2 ;;
    *) run="$1" ;;
  esac
  shift
done

doing=(runs archive "$run" ${removal[@]+"${removal[@]}"})
[ -z "$file" ] || doing=(runs export "$run" -o "$file")

if [ -n "$is_sure" ]; then
  exec laptop-agents "${doing[@]}"
fi
facts="$(laptop-agents runs show "$run")"
grep -E '^(folder|stop reason) ' <<<"$facts"
laptop-agents audit verify "$run"
echo "nothing was done; with --yes: laptop-agents ${doing[*]}"
