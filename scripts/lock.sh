#!/usr/bin/env bash
# Resolve the dependencies anew: uv.lock for uv, constraints.txt for pip. Both are committed.
set -euo pipefail
cd "$(dirname "$0")/.."

PATH="$PWD/.venv/bin:$PATH"
index=(--no-config --default-index https://pypi.org/simple)

uv lock "${index[@]}" "$@"
uv export "${index[@]}" --quiet --frozen --all-extras --all-groups --no-emit-project \
  --no-hashes --no-annotate --no-header >constraints.tmp
{
  echo "# What pip installs: the versions of uv.lock. Written by scripts/lock.sh."
  cat constraints.tmp
} >constraints.txt
rm constraints.tmp
