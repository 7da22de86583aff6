# Nexus Analytics. `make help` lists what can be done; settings are NEXUS_… variables (README).
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 2>/dev/null))
VENV := .venv
BIN := $(VENV)/bin
NEXUS := $(BIN)/nexus
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
STATIC := api/static/index.html
BI_CLIENT := tests/integration/bi/node_modules/.package-lock.json
DASHBOARD := $(shell find api/dashboard -type f -not -path '*/node_modules/*' -not -name '*.png' 2>/dev/null)
# npm and its build must use the pinned Node of the virtual environment.
NODE_PATH_FIRST := PATH="$(CURDIR)/$(BIN):$$PATH"

.PHONY: help install demo import sync build verify preview docs refresh archive serve schedule test soak bench lint format lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed $(STATIC) ## Install everything into .venv and build the dashboard

demo: install ## Collect a realistic history from the stand-in server, and open the dashboard
	@$(NEXUS) demo $(if $(DAYS),--days $(DAYS))

import: install ## Import export files, build and publish: make import FILE="a.csv b.csv"
	@test -n "$(FILE)" || { echo 'nexus: say which: make import FILE="path/to/export.csv"' >&2; exit 2; }
	@$(NEXUS) import $(IMPORT_OPTIONS) $(FILE)

sync: install ## Collect what is due from LinkedIn and X, and land it
	@$(BIN)/python execution/analytics/sync_metrics.py

build: install ## Build and test the models, or some: make build SELECT=post_scores+
	@$(BIN)/python execution/analytics/aggregations.py $(if $(SELECT),--select "$(SELECT)")

verify: install ## Run every data test on all rows, tell stale sources; builds nothing: for a nightly cron
	@$(NEXUS) verify

preview: install ## Show rows of a model as its SQL stands now: make preview MODEL=post_scores
	@test -n "$(MODEL)" || { echo 'nexus: say which: make preview MODEL=post_scores' >&2; exit 2; }
	@$(NEXUS) preview $(MODEL)

docs: install ## Write the models' documentation and lineage: one page that opens offline
	@$(NEXUS) docs

refresh: install ## Collect, build, test and publish: the line for cron
	@$(NEXUS) refresh

archive: install ## Move snapshots older than 90 days to cold storage, verified first
	@$(NEXUS) archive

serve: install ## Serve the API and the dashboard, and print a link that signs you in
	@$(NEXUS) serve

schedule: install ## Print a crontab line and systemd units, ready to install
	@$(NEXUS) schedule

test: $(VENV)/.installed-dev $(STATIC) $(BI_CLIENT) ## Prove that it all works: unit, dbt, integration, API, browser
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(if $(SHORT),-m "not long")
	@cd api/dashboard && $(NODE_PATH_FIRST) npm run --silent check

soak: $(VENV)/.installed-dev ## Run the long proofs in full: kills, fuzz, readers during refreshes
	@NEXUS_SOAK_SCALE=1 NEXUS_FUZZ_CASES=100000 $(BIN)/pytest $(SOAKS)

# `make test` runs a short form of each, CI (SHORT=1) of those that are not marked as long.
SOAKS := tests/soak tests/unit/platforms/test_fuzz.py tests/unit/test_load_kills.py \
	tests/integration/retention/test_forget.py tests/integration/test_publish_changes.py \
	tests/integration/test_readers_during_refresh.py tests/integration/test_other_code.py \
	tests/integration/collection/test_merged_files.py \
	tests/warehouse/test_archived_readings.py tests/warehouse/test_incremental.py

bench: $(VENV)/.installed-dev ## Measure in full: time, memory and their ratios to the baseline
	@NEXUS_BENCH_SCALE=1 $(BIN)/pytest tests/benchmarks

lint: $(VENV)/.installed-dev ## Check types, style, SQL and the import contracts; MODEL=… one model's SQL
ifdef MODEL
	@found=$$(find models -name '$(MODEL).sql'); test -n "$$found" \
		|| { echo "nexus: no model is called $(MODEL)" >&2; exit 2; }; \
	$(BIN)/sqlfluff lint --config dbt_project/lint/one_model.cfg "$$found" --disable-progress-bar
else
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/sqlfluff lint models dbt_project/tests --disable-progress-bar --processes 0
endif

format: $(VENV)/.installed-dev ## Format Python and SQL
	@$(BIN)/ruff check --fix --quiet . && $(BIN)/ruff format --quiet .
	@$(BIN)/sqlfluff fix models dbt_project/tests --disable-progress-bar

lock: $(VENV)/.installed-dev ## Resolve the pins anew into the hash locks
	@$(PIP) install uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev $(LOCK_OPTIONS) -o requirements-dev.lock
	@$(BIN)/uv pip compile pyproject.toml $(LOCK_OPTIONS) -c requirements-dev.lock -o requirements.lock

LOCK_OPTIONS := --quiet --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-strip-extras --no-header --no-annotate

clean: ## Remove what was installed and built; your data in var/ stays
	@rm -rf $(VENV) api/static api/dashboard/node_modules

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo 'nexus: Python 3.11 or newer is needed: install it, or say PYTHON=…' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "nexus: $(PYTHON) is older than Python 3.11: say PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo 'nexus: this Python cannot make environments: install its venv package (python3-venv)' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the pinned packages (about a minute the first time)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing the test tools"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(STATIC): $(DASHBOARD) | $(VENV)/.installed
	@echo "Building the dashboard"
	@cd api/dashboard && $(NODE_PATH_FIRST) npm ci --silent --no-audit --no-fund && $(NODE_PATH_FIRST) npm run --silent build -- --logLevel warn
	@touch $@

$(BI_CLIENT): tests/integration/bi/package-lock.json | $(VENV)/.installed
	@# not "npm ci": it refuses a lock without the builds of other platforms, which a mirror may lack
	@cd tests/integration/bi && $(NODE_PATH_FIRST) npm install --no-save --silent --no-audit --no-fund
	@touch $@
