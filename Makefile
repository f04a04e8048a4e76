# Customer Relations Warehouse. `make help` lists the commands.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
DATE ?= 2013-03-31
BATCHES ?= 5000
KILLS ?= 200
SEED := $(or $(SEED),$(shell date +%s))
VENV := .venv
BIN := $(VENV)/bin
# Byte-code is written at install; a shell that forbids it must not slow every task.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help nightly check up down test histories fuzz chaos deployment-test bench sql metric docs screenshots dashboards dashboards-test lint audit lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

nightly: $(VENV)/ready ## Run one business date end to end: make nightly [DATE=2013-03-31]
	@$(BIN)/crw nightly --date $(DATE)

check: $(VENV)/ready ## Say what a night would find in the sources, and write nothing: make check [SOURCE=feedback]
	@$(BIN)/crw check $(SOURCE)

up: $(VENV)/ready ## Start PostgreSQL, the sample sources and Airflow, serve the pages, and keep all running
	@$(BIN)/crw up

down: ## Stop what this checkout started
	@if [ -x $(BIN)/crw ]; then $(BIN)/crw down; fi

test: $(VENV)/ready ## Run all tests but the long ones
	@$(BIN)/pytest

histories: $(VENV)/ready ## Run the long tests: histories of nights that must end in the same marts
	@$(BIN)/pytest -m long -n 0

fuzz: export CRW_FUZZ_BATCHES = $(BATCHES)
fuzz: $(VENV)/ready ## Try each reader on dirty batches made at random: make fuzz [BATCHES=5000] [SEED=<of an earlier run>]
	@echo "$(BATCHES) batches a reader, SEED=$(SEED)"
	@$(BIN)/pytest -n 0 tests/fuzz --hypothesis-seed=$(SEED)

chaos: $(VENV)/ready ## Strike whole nights at seeded points and compare with undisturbed ones: make chaos [KILLS=200] [SEED=17] [HOMES=folder]
	@$(BIN)/python -m tests.chaos --kills $(KILLS) --seed $(SEED) $(if $(HOMES),--homes $(HOMES))

deployment-test: $(VENV)/ready ## Walk docs/deployment.md in real containers, from nothing to a restored night; skips where no Docker engine runs
	@$(BIN)/python -m tests.deployment

bench: $(VENV)/ready ## Measure each stage against a floor of the same run, or a load beside dlt and pandas: make bench [PEERS=1]
	@$(BIN)/python -m tests.bench$(if $(PEERS),.peers)

# Not as an argument, nor expanded by make: both would change the query.
unexport Q
sql: export QUERY = $(value Q)
sql: $(VENV)/ready ## Run a query as the analyst, as CSV: make sql Q="select * from marts.kpi_feedback"; of audit and quarantine: ROLE=loader
	@$(BIN)/crw sql $(if $(ROLE),--role $(ROLE) )"$$QUERY"

metric: $(VENV)/ready ## Ask for metrics: make metric Q="--metrics complaints --group-by metric_time__fiscal_year"
	@$(BIN)/crw mf query --quiet $(Q)

docs: $(VENV)/ready ## Write docs/kpi.md and docs/lineage.md, and dbt's docs as one file that the pages lead to
	@$(BIN)/python -m crw.catalogue
	@$(BIN)/crw dbt-docs
	@$(BIN)/python -m crw.lineage

screenshots: $(VENV)/ready ## Picture the pages of the last night for the README, with Chromium
	@$(BIN)/python -m tests.browser "$${CRW_HOME:-.crw}/site" docs

dashboards: $(VENV)/ready .venv-superset/ready ## Serve dashboards on the marts of the last night, with Superset
	@$(BIN)/python -m bi.superset

dashboards-test: export CRW_DASHBOARDS = 1
dashboards-test: dashboards ## Look at the dashboards with Chromium and compare them with SQL
	@$(BIN)/pytest -n 0 tests/bi

lint: $(VENV)/ready ## Check the style of Python and SQL
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/sqlfluff lint dbt_project/models

audit: $(VENV)/ready ## Ask which known weaknesses the pinned packages have; status 1: some, 3: the database is not reachable
	@$(BIN)/python -m tests.audit

lock: ## Resolve the dependencies anew
	@$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --universal --python-version 3.11 \
		--custom-compile-command "make lock" pyproject.toml --group dev -o requirements/lock.txt
	@$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --universal --python-version 3.11 \
		--custom-compile-command "make lock" pyproject.toml --group deployment -c requirements/lock.txt -o requirements/runtime.txt
	@$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --universal --python-version 3.11 \
		--custom-compile-command "make lock" bi/superset/requirements.in -o bi/superset/requirements.txt
	@$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --universal --python-version 3.11 \
		--custom-compile-command "make lock" tests/bench/peers.in -o tests/bench/peers.txt

clean: down ## Remove the environment and all state
	@rm -rf "$(VENV)" .venv-superset "$${CRW_HOME:-.crw}"

# The environment: uv from a hashed pin, then everything from the hashed lock, byte-code compiled.
$(VENV)/ready: requirements/lock.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null || \
		{ echo "needs Python 3.11 or 3.12 as '$(PYTHON)': install it, or run make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "'$(PYTHON)' cannot make virtual environments: install its venv package (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "building the environment ($(VENV))"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements/lock.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Superset's environment is its own: its pins and Airflow's exclude each other.
.venv-superset/ready: bi/superset/requirements.txt | $(VENV)/ready
	@echo "building Superset's environment (.venv-superset)"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-superset
	@$(BIN)/uv pip install --quiet --python .venv-superset/bin/python --require-hashes -r bi/superset/requirements.txt
	@touch $@
