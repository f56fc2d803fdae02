#!/usr/bin/env bash
# Delete old runs; without --yes only say which.
#
#   scripts/clean_runs.sh [--yes]
#   OLDER_THAN=7 KEEP=5 scripts/clean_runs.sh
#
# OLDER_THAN days (30), and never the newest KEEP runs (10), the latest or a running one. Further
# words go to `laptop-agents runs clean`, whose exit code is ours. Archive first what you may need:
# scripts/archive_session.sh.
set -euo pipefail

PATH="$(dirname "$0")/../.venv/bin:$PATH"

case "${1:-}" in -h | --help) sed -n '2,/^set/s/^#\( \|$\)//p' "$0" && exit ;; esac

exec laptop-agents runs clean --older-than "${OLDER_THAN:-30}" --keep "${KEEP:-10}" "$@"
