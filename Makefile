# The commands of a checkout. `make help` lists them; nothing here needs root or Docker, except that `make test`
# uses apt-get for the servers it talks to where it may.

.POSIX:
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The steps of `make test` run in the order in which they are written, cheapest first.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Name another one with `make demo PYTHON=/path/to/python3.12`.
PYTHON := python3 python3.14 python3.13 python3.12 python3.11
RESOLVE := pip compile pyproject.toml --quiet --universal --no-strip-extras --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-header
# Many a test waits for a server: four at a time keep two cores busy. A file stays together for what its tests share.
# In the order of their names, which puts those with servers, the longest, first.
PARALLEL := -n 4 --dist loadfile --no-loadscope-reorder
# What others at work beside it would make another result of.
ALONE := tests/integration/test_find_max.py
# Debian puts mosquitto where only root looks.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: help demo test servers lint types contracts wheel tests unit integration bench soak sim lock clean

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name does; do \
		printf '  make %-12s %s\n' "$$name" "$$does"; done

demo: $(VENV)/.installed ## run the quickstart park for 60 s on an embedded broker and store
	@$(BIN)/parksim run configs/quickstart.yaml --for 60s --broker embedded --store sqlite:demo.db

# pytest comes last, so that the last line says how many tests ran.
test: servers lint types contracts wheel tests ## everything that CI checks

servers: ## install the servers that the tests talk to (Debian packages; nothing is started)
	@sh tests/install_servers.sh

lint: $(VENV)/.installed-dev ## ruff: rules and format
	@echo '== lint'
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/ruff format --quiet --check . || { echo 'not formatted: run $(BIN)/ruff format on the files above' >&2; exit 1; }

types: $(VENV)/.installed-dev ## mypy, strict
	@echo '== types'
	@$(BIN)/mypy

contracts: $(VENV)/.installed-dev ## who may import whom
	@echo '== import contracts'
	@$(BIN)/lint-imports --no-logo

wheel: $(VENV)/.installed-dev ## build dist/*.whl
	@echo '== wheel'
	@$(BIN)/python -m build --quiet --wheel --no-isolation
	@ls dist/*.whl

tests: $(VENV)/.installed-dev ## all tests, with coverage
	@echo '== tests: searches for the highest rate, with nothing beside them'
	@$(BIN)/pytest --cov --cov-report= $(ALONE)
	@echo '== tests'
	@$(BIN)/pytest --cov --cov-append $(PARALLEL) $(addprefix --ignore=,$(ALONE))

unit: $(VENV)/.installed-dev ## the tests that need no server and no browser
	@$(BIN)/pytest $(PARALLEL) --ignore=tests/integration --ignore=tests/e2e

integration: $(VENV)/.installed-dev ## the tests that talk to real servers
	@$(BIN)/pytest $(PARALLEL) tests/integration

bench: $(VENV)/.installed ## measure this machine: speed of a run, of the start, of generation
	@$(BIN)/python tests/benchmarks/quickstart.py
	@$(BIN)/parksim bench generate configs/quickstart.yaml

soak: $(VENV)/.installed-dev servers ## kill bridges, brokers and databases for half an hour; say what was lost
	@$(BIN)/python tests/soak.py

sim: $(VENV)/.installed-dev ## 10,000 schedules of faults in virtual time against the bridge
	@$(BIN)/python tests/fault_schedules.py --number 10000

lock: $(BIN)/python ## lock what pyproject.toml asks for; remove requirements*.lock first to upgrade everything
	@uv=$$(mktemp -d) && trap 'rm -rf "$$uv"' EXIT && \
	$(BIN)/python -m venv "$$uv" && "$$uv/bin/python" -m pip --disable-pip-version-check --quiet install uv && \
	"$$uv/bin/uv" $(RESOLVE) --group install --output-file requirements.lock && \
	"$$uv/bin/uv" $(RESOLVE) --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean: ## remove what was built and installed here
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	rm -f demo.db demo.db-wal demo.db-shm

$(BIN)/python:
	@python=; seen=; for name in $(PYTHON); do \
		if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
		seen="$$seen $$name ($$("$$name" -V 2>/dev/null || echo missing))"; \
	done; \
	if [ -z "$$python" ]; then \
		echo "parksim needs Python 3.11 or newer; found only$$seen" >&2; \
		echo 'install one, or say where it is: make demo PYTHON=/path/to/python3.12' >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot create a virtual environment: on Debian and Ubuntu, sudo apt-get install python3-venv" >&2; \
		exit 1; \
	fi; \
	echo "creating $(VENV) with $$("$$python" -V)"; \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The checkout is installed in place, so the stamps only depend on what it asks for.
$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo 'installing requirements.lock into $(VENV)'
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements.lock requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo 'installing requirements-dev.lock into $(VENV)'
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.installed
