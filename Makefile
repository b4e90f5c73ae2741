# Two commands on a fresh machine: `make demo` and `make test`. Everything else is for contributors.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv

# Each test would compile what it imports anew where the environment forbids to keep bytecode.
export PYTHONDONTWRITEBYTECODE :=

AXE := .cache/npm/node_modules/axe-core/axe.min.js

.PHONY: aravis axe node-opcua demo serve test test-train explore coverage lint docs clean

$(VENV)/uv: 
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Flawline needs Python 3.11 or newer; name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	touch $@

# The core install: what a user gets, without extras.
$(VENV)/core: $(VENV)/uv pyproject.toml constraints.txt
	$(UV) pip install --quiet --constraint constraints.txt --editable .
	touch $@

# What contributors need beside it.
$(VENV)/dev: $(VENV)/core
	$(UV) pip install --quiet --constraint constraints.txt --editable . --group test --group lint --group docs
	touch $@

demo: $(VENV)/core
	$(BIN)/flawline demo

# The page and its API, on a folder of its own.
$(VENV)/serve: $(VENV)/core
	$(UV) pip install --quiet --constraint constraints.txt --editable '.[serve]'
	touch $@

serve: $(VENV)/serve
	$(BIN)/flawline serve

# What looks for faults of accessibility in tests of pages; needs npm.
axe: $(AXE)

$(AXE):
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix .cache/npm axe-core@4.14.1

# An independent client for the server of OPC UA; needs npm.
node-opcua: .cache/npm/node_modules/node-opcua-client

.cache/npm/node_modules/node-opcua-client:
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix .cache/npm node-opcua-client@2.182.2

# What GenICam cameras are tested with; needs a C compiler, gir1.2-aravis-0.8, libgirepository1.0-dev and libcairo2-dev.
aravis: $(VENV)/dev
	$(UV) pip install --quiet --constraint constraints.txt --editable '.[genicam]'

test: $(VENV)/dev lint
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "slow or not slow"

# Tests of the extra [train], in an environment of their own: the others must pass without PyTorch.
TRAIN := .venv-train

$(TRAIN)/train: $(VENV)/uv pyproject.toml constraints.txt
	$(PYTHON) -m venv $(TRAIN)
	VIRTUAL_ENV=$(CURDIR)/$(TRAIN) $(BIN)/uv pip install --quiet --constraint constraints.txt --editable '.[train]' --group test
	touch $@

test-train: $(TRAIN)/train
	OMP_NUM_THREADS=1 $(TRAIN)/bin/python -m pytest -n 2 -m train tests/networks tests/jobs/train/segment tests/server

# Property tests with up to TIMES as many examples, drawn by chance, and tests that kill processes or list files more
# often; `make test` takes the same few every time. A property test takes 0.7 s for each of TIMES at most.
TIMES ?= 20
SEED ?= $(shell date +%s)

explore: $(VENV)/dev
	FLAWLINE_EXPLORE=$(TIMES) $(BIN)/python -m pytest -n 2 --dist worksteal -m "hypothesis or explore" --hypothesis-profile explore --hypothesis-seed $(SEED) || \
	  { echo "to see it again: make explore TIMES=$(TIMES) SEED=$(SEED)"; exit 1; }

# Which lines no test runs.
coverage: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 -m "slow or not slow" --cov --cov-report=term-missing

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/dev
	$(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) $(TRAIN) site build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
