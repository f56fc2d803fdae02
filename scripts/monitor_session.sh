#!/usr/bin/env bash
# Follow a running session in lines a person can read; end when it ends.
#
#   scripts/monitor_session.sh [RUN|PATH]       (latest)
#
# Reads session.log and touches nothing. Exits with the session's own code, with 1 if it died
# without a word, with 2 if there is no such run. Ctrl-C ends the monitor, not the session.
set -euo pipefail

PATH="$(dirname "$0")/../.venv/bin:$PATH"
readonly SHOWN=10 SILENCE_S=3 # lines of the past; a running session logs each second
run="${1:-latest}"

case "$run" in -h | --help) sed -n '2,/^set/s/^#\( \|$\)//p' "$0" && exit ;; esac

value() { # of a key anywhere in $line: text without its quotes, or a number
  local text="\"$1\":(\"(([^\"\\\\]|\\\\.)*)\"|[^,}\"]+)"
  [[ $line =~ $text ]] || return 0
  printf '%s' "${BASH_REMATCH[2]:-${BASH_REMATCH[1]}}"
}

told() { # the words for one line of the log
  local event health
  event="$(value event)"
  case "$event" in
    heartbeat)
      health="cpu $(value cpu_pct)%  rss $(value rss_mb)MB  lag $(value loop_lag_ms)ms"
      echo "$(value state)  equity $(value equity)  orders $(value open_orders)  fills $(value fills)  $health" ;;
    alert) echo "ALERT $(value severity): $(value message)" ;;
    fsm_transition)
      [[ $line =~ \"data\":\{(.*)\} ]] && line="${BASH_REMATCH[1]}" # it has an `event` of its own
      echo "STATE $(value scope): $(value from_state) -> $(value to_state), by $(value event)" ;;
    session_ended) echo "ENDED by $(value stop_reason), exit $(value exit_code)" ;;
    breaker) echo "BREAKER $(value breaker): $(value reading), limit $(value limit), $(value action)" ;;
    *) echo "${event//_/ }: $(sed 's/^{"ts":"[^"]*","level":"[^"]*","event":"[^"]*",\{0,1\}//; s/}$//' <<<"$line")" ;;
  esac
}

of_run() { laptop-agents runs show "$run" | sed -n "s/^$1  *//p"; }

folder="$(of_run folder)"
echo "following $folder" >&2
exec 3< <(exec tail -n "$SHOWN" -F "$folder/session.log" 2>/dev/null)
trap 'kill $! 2>/dev/null || true' EXIT
while :; do
  if IFS= read -r -t "$SILENCE_S" -u 3 line; then
    echo "$(value ts)  $(told)"
    [ "$(value event)" != session_ended ] || exit "$(value exit_code)"
  else
    how="$(of_run 'stop reason')" # a session told -q logs only what is wrong
    echo "no log line for ${SILENCE_S} s: $how, equity $(of_run equity)" >&2
    [ "$how" = running ] || exit "$(of_run 'exit code' | grep . || echo 1)"
  fi
done
