#!/usr/bin/env bash
# Run a headless session unattended and take it up again after a crash.
#
#   DURATION=60 PROFILE=scalp scripts/run_autonomous.sh [OPTIONS OF laptop-agents]
#
# From the environment, where set: DURATION (minutes), PROFILE, SOURCE, SYMBOLS, AGENTS,
#   RUN_DIR          write the run there, not under the home
#   RESTARTS         resume at most so many times (3)
#   RESTART_WAIT_S   seconds before each of them (5)
# and what the program reads itself: LAPTOP_AGENTS_HOME, LAPTOP_AGENTS_<SETTING>.
#
# A crash is exit 1 or death by a signal. What ended on purpose stays ended: exits 0 and 2 to 8, a
# kill file, and SIGINT, SIGTERM or SIGHUP to this script, which it passes on. The exit code is the
# session's.
set -euo pipefail

PATH="$(dirname "$0")/../.venv/bin:$PATH"
child="" code=0 restarts=0 stopping="" previous="" words=(--headless) kept=(--headless)

case "${1:-}" in -h | --help) sed -n '2,/^set/s/^#\( \|$\)//p' "$0" && exit ;; esac

for option in duration profile source symbols agents; do
  variable="$(tr '[:lower:]' '[:upper:]' <<<"$option")"
  [ -z "${!variable:-}" ] || words+=("--$option" "${!variable}")
done
# A run id whose letters are our process id: a restart must find this run and no other.
run="${RUN_DIR:-$(date -u +%Y%m%dT%H%M%SZ)-$(printf '%04d' $(($$ % 10000)) | tr 0-9 a-j)}"
[ -n "${RUN_DIR:-}" ] && words+=(--run-dir "$run") || words+=(--set "session.run_id=$run")

for word in "$@"; do # A resumed run keeps its settings; what is no setting is said again.
  case "$previous:$word" in
    *:--run-dir* | *:--resume*) echo "error: $word is ours here: set RUN_DIR instead" >&2 && exit 2 ;;
    *:--kill-file* | --kill-file:* | *:--json | *:--plain | *:--no-color | *:-q | *:-v*) kept+=("$word") ;;
  esac
  previous="$word"
done

# shellcheck disable=SC2329 # the traps call it
pass_on() {
  stopping=yes
  kill -s "$1" "$child" 2>/dev/null || true # it may have just ended
}

follow() { # With a process group of its own the child hears the terminal's Ctrl-C once, from us.
  "$@" &
  child=$! code=0
  while kill -0 "$child" 2>/dev/null; do wait "$child" || true; done # a trap ends `wait` early
  wait "$child" || code=$?
}

set -m
trap 'pass_on INT' INT
trap 'pass_on TERM' TERM
trap 'pass_on HUP' HUP
echo "run $run" >&2
follow laptop-agents "${words[@]}" "$@"
while [ -z "$stopping" ] && { [ "$code" -eq 1 ] || [ "$code" -gt 128 ]; } && [ "$restarts" -lt "${RESTARTS:-3}" ]; do
  restarts=$((restarts + 1)) crash=$code
  echo "crashed (exit $crash), resuming $run: $restarts of ${RESTARTS:-3}" >&2
  follow sleep "${RESTART_WAIT_S:-5}"
  [ -z "$stopping" ] || { code=$crash && break; }
  follow laptop-agents "${kept[@]}" --resume "$run"
  [ "$code" -ne 2 ] || { code=$crash && break; } # nothing to resume: the crash is the end
done
exit "$code"
