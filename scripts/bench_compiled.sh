#!/usr/bin/env bash
# Compile the hot modules with mypyc in a copy of the tree and run the benchmarks there.
#
# An experiment: what the same source would cost compiled. Needs a C compiler; the tree itself, the
# wheel and every session stay pure Python. Arguments name workloads.
set -euo pipefail
cd "$(dirname "$0")/.."

python="$PWD/.venv/bin/python"
target="build/compiled"

command -v cc >/dev/null || { echo "SKIPPED: no C compiler" >&2; exit 0; }
"$python" -c 'import setuptools' 2>/dev/null || "$python" -m pip install --quiet setuptools >&2

rm -rf "$target"
mkdir -p "$target"
cp -r engine brokers benchmarks "$target"
find "$target" -name __pycache__ -prune -exec rm -rf {} +
data="$(realpath "${LAPTOP_AGENTS_DATA:-../shared/data}")"
cd "$target"
# mypyc builds with setuptools, which would otherwise read the project's own pyproject.toml.
printf '[mypy]\nstrict = True\n' >mypy.ini
grep -v '^#' benchmarks/compiled.txt |
  MYPYC_OPT_LEVEL=3 xargs "$(dirname "$python")/mypyc" >build.log 2>&1 || { tail -20 build.log >&2; exit 1; }
LAPTOP_AGENTS_DATA="$data" exec "$python" -m benchmarks "$@"
