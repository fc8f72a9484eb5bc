# Grainchain Portal. `make run` and `make test` need Python 3.11+ and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
UNIT := not browser and not faults and not bench

RUN_READY := $(VENV)/.requirements.stamp
DEV_READY := $(VENV)/.requirements-dev.stamp
ASSETS_READY := static/dist/.stamp
ASSET_SOURCES := package.json package-lock.json scripts/build_assets.mjs scripts/assets.py \
	$(shell find static/src 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(RUN_READY) $(ASSETS_READY) ## Start the portal on HOST:PORT (127.0.0.1:8000); Ctrl-C stops it
	@exec $(BIN)/python -m gcportal.launcher

.PHONY: test
test: lint ## Run lint and the tests on SQLite and the embedded Redis-compatible server
	@echo "tests: pytest"
	@$(BIN)/python -m pytest -m "$(UNIT)" $(PYTEST_ARGS)

.PHONY: lint
lint: $(DEV_READY) $(ASSETS_READY) ## Check style, types, import rules, templates, migrations, settings
	@echo "lint: ruff" && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check --diff .
	@echo "lint: mypy" && $(BIN)/mypy
	@echo "lint: import rules" && $(BIN)/lint-imports --no-cache
	@echo "lint: templates" && find templates */templates -name '*.html' 2>/dev/null | xargs -r $(BIN)/djade --check --target-version 5.2
	@echo "lint: migrations" && $(BIN)/python manage.py makemigrations --check --dry-run
	@echo "lint: settings" && $(BIN)/python manage.py check

.PHONY: bench
bench: $(DEV_READY) $(ASSETS_READY) ## Measure; prints a table and writes bench-results.json
	@$(BIN)/python -m bench

.PHONY: lock
lock: $(DEV_READY) ## Pin the newest allowed versions again: requirements*.txt, package-lock.json
	@for name in requirements requirements-dev requirements-node; do \
		echo "lock: $$name.txt"; \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
			--no-emit-index-url --no-emit-find-links --no-annotate \
			--custom-compile-command "make lock" $$name.in -o $$name.txt || exit 1; \
	done
	@echo "lock: package-lock.json" && npm update --package-lock-only --silent

.PHONY: assets
assets: $(RUN_READY) $(ASSETS_READY) ## Build the page assets into static/dist

.PHONY: clean
clean: ## Remove what make made, except the data folder
	rm -rf $(VENV) node_modules static/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# --- What the targets above stand on: redone only when their sources change ------------------------

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) was not found: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "make: $(PYTHON) has no venv module: install it (Debian and Ubuntu: python3-venv)" >&2; exit 1; }
	@echo "python: making $(VENV) with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv --clear $(VENV)

$(RUN_READY): requirements.txt | $(BIN)/python
	@echo "python: installing requirements.txt"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(DEV_READY): requirements-dev.txt | $(BIN)/python
	@echo "python: installing requirements-dev.txt"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(ASSETS_READY): $(ASSET_SOURCES) | $(BIN)/python
	@$(BIN)/python scripts/assets.py
	@touch $@
