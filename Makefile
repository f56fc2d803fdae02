# Needs Python >= 3.11 with venv and pip, nothing else. `make PYTHON=python3.13 test` picks another.

# The first that really runs: a version manager's shim may stand in PATH and lead nowhere.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; \
	done; echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
DURATION ?= 10
ARGS ?=
WORKERS ?= 6
SEEDS ?= 100
MINUTES ?= 10
REPEATS ?= 50
SWEPT := tests/crash tests/hostile tests/engine/kernel/test_machine.py tests/tui/test_storm.py \
	tests/engine/session/playback/test_player.py tests/end_to_end/test_memory.py
COVERED := $(addprefix tests/engine/,risk portfolio execution kernel session/test_journal*.py \
	session/test_recorded.py session/test_turn.py session/test_commits.py session/test_disk_thread.py \
	session/test_file_system.py)
# What was compiled is kept: the suite starts Python some 1,000 times.
export PYTHONDONTWRITEBYTECODE :=
STAMP := $(VENV)/.installed
ORACLE := $(VENV)/oracle/.installed
COMPILED := $(VENV)/.compiled

.PHONY: run test check sweeps coverage lint simulate soak flake bench bench-compiled bench-screen \
	soak-screen soak-live soak-toxic soak-live-virtual screenshots image lock clean

run: $(STAMP)
	@$(BIN)/laptop-agents --headless --duration $(DURATION) $(ARGS)

test: $(STAMP) $(ORACLE) $(COMPILED)
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: lint $(ORACLE) $(COMPILED)
	@$(BIN)/pytest -q -n $(WORKERS) --dist worksteal $(ARGS)

# Every byte of a journal, 100,000 frames for each decoder, 50 kills, ten busy minutes: of these `test` runs a sample.
sweeps: $(STAMP)
	@SWEEPS=whole $(BIN)/pytest -q -n $(WORKERS) --dist worksteal $(ARGS) $(SWEPT)

# Fails under 100 % of the branches of gate, states, journal and accounting: see tool.coverage.
coverage: $(STAMP)
	@$(BIN)/pytest -q -n $(WORKERS) --dist worksteal --cov --cov-report= --cov-fail-under=0 $(COVERED)
	@$(BIN)/coverage report

lint: $(STAMP)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > $(VENV)/imports.txt || { cat $(VENV)/imports.txt; exit 1; }
	@$(BIN)/hadolint Dockerfile

# Whole sessions under virtual time and seeded faults; SEED=n brings one back.
simulate: $(STAMP)
	@$(BIN)/python -m tests.simulation --minutes $(MINUTES) --seeds $(SEEDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

# A session in real time, watched from outside: memory, descriptors, tasks, threads, journal.
soak: $(STAMP)
	@$(BIN)/python -m benchmarks.soak $(MINUTES)

# A live session against the sandbox of VENUE while things go wrong; ledger and journal must agree.
soak-live: $(STAMP)
	@$(BIN)/python -m tests.live_soak --minutes $(MINUTES) $(if $(VENUE),--venue $(VENUE)) $(if $(SEED),--seed $(SEED))

# The same over a wire that fails: latency, resets, cuts, silence, between the two.
soak-toxic: $(STAMP)
	@$(BIN)/python -m tests.live_toxic --minutes $(MINUTES) $(if $(VENUE),--venue $(VENUE)) $(if $(SEED),--seed $(SEED))

# Whole live sessions against sandboxes in virtual time; VENUE, SEED, SEEDS and MINUTES choose.
soak-live-virtual: $(STAMP)
	@$(BIN)/python -m tests.live_simulation --minutes $(MINUTES) --seeds $(SEEDS) $(if $(VENUE),--venue $(VENUE)) $(if $(SEED),--seed $(SEED)) $(ARGS)

# The fast part of the suite again and again, in another order each time.
flake: $(STAMP)
	@$(BIN)/python -m tests.flake $(REPEATS) $(ARGS)

# Standard output carries JSON lines and nothing else.
bench: $(STAMP)
	@$(BIN)/python -m benchmarks $(ARGS)

# The same source compiled with mypyc, in a copy: an experiment, see scripts/bench_compiled.sh.
bench-compiled: $(STAMP)
	@scripts/bench_compiled.sh $(ARGS)

# What a screen costs and how fast it answers, on a pseudo-terminal.
bench-screen: $(STAMP)
	@$(BIN)/python -m benchmarks.screen $(ARGS)

# A terminal that reads nothing for a minute, then MINUTES of a screen in use: what of it grows.
soak-screen: $(STAMP)
	@UNREAD_S=60 SWEEPS=whole $(BIN)/pytest -q -n 0 tests/end_to_end/test_hard_terminals.py
	@$(BIN)/python -m benchmarks.screen soak $(MINUTES)

# docs/img anew, from a real session; needs chromium for the PNG and Debian's fonts-dejavu-core.
screenshots: $(STAMP)
	@$(BIN)/python -m tests.tui.screenshots $(ARGS)

image:
	@scripts/build_image.sh

# After a change of dependencies; needs uv.
lock:
	@scripts/lock.sh

# pip alone: the lock reaches it as constraints. Everything it says goes to stderr, for `make -s bench`.
$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) >&2
	@$(BIN)/python -c 'import sys; sys.version_info >= (3, 11) or sys.exit("laptop-agents needs Python 3.11 or newer; try make PYTHON=python3.11")'
	@echo "Installing into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' >&2
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev >&2
	@touch $@

# ccxt with its own pins, for the tests that let a stranger's client trade on a sandbox.
$(ORACLE): tests/oracle.txt | $(STAMP)
	@test -x $(VENV)/oracle/bin/python || $(BIN)/python -m venv $(VENV)/oracle >&2
	@echo "Installing into $(VENV)/oracle" >&2
	@$(VENV)/oracle/bin/python -m pip install --quiet --requirement tests/oracle.txt >&2
	@touch $@

# Once, in place of each of the workers for itself; what fails here fails there, and is told there.
$(COMPILED): | $(STAMP)
	@$(BIN)/pytest --collect-only -qq --snapshot-warn-unused > /dev/null || true
	@touch $@

clean:
	@rm -rf $(VENV) build dist
