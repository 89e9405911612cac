# Everything works on a fresh clone with Python 3.11 or newer and make: each target installs what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
RUNTIME := .venv/.runtime
DEV := .venv/.dev
CHROMIUM = $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: help
help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(RUNTIME) ## start the product with a fictional town in it (WITH=wecom,dingtalk plays those platforms too)
	@$(BIN)/xiaoge demo --with "$(WITH)"

.PHONY: talk
talk: $(RUNTIME) ## chat with it in this terminal
	@$(BIN)/xiaoge talk

.PHONY: test
test: $(DEV) browser ## run every test
	@if [ -n "$(CHROMIUM)" ]; then $(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder; \
	else $(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder -m "not browser"; fi

.PHONY: check
check: $(DEV) ## lint, formatting, types and floors
	@failed=; \
	echo "ruff: rules"; $(BIN)/ruff check -q --output-format concise . || failed=1; \
	echo "ruff: formatting"; $(BIN)/ruff format -q --check . || failed=1; \
	echo "mypy: types, strictly"; $(BIN)/mypy || failed=1; \
	echo "import-linter: floors"; out=$$($(BIN)/lint-imports --no-logo) || { echo "$$out"; failed=1; }; \
	[ -z "$$failed" ]

.PHONY: format
format: $(DEV) ## put the code into its form, and mend what ruff can mend
	@$(BIN)/ruff check -q --fix . || true
	@$(BIN)/ruff format -q .

.PHONY: bench
bench: $(DEV) ## measure speed and recovery against the promised limits
	@$(BIN)/python -m bench

.PHONY: soak
soak: $(DEV) ## run under load for a long time and watch it
	@XIAOGE_LONG=1 $(BIN)/python -m pytest -q tests/year
	@$(BIN)/python -m bench soak

.PHONY: lock
lock: ## choose the newest fitting versions and rewrite both lock files
	@echo "resolving in a throw-away environment, about 2 minutes"
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python tools/lock.py
	@rm -rf .venv-lock

.PHONY: clean
clean: ## remove what was installed and cached; data stays
	@rm -rf .venv .venv-lock build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# -- what the targets stand on ---------------------------------------------------------------------------

.venv/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed, and none was found."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing (on Debian: apt-get install python3-venv)."; \
		rm -rf .venv; exit 1; }

$(RUNTIME): requirements.lock pyproject.toml | .venv/bin/python
	@echo "installing what the program needs, about 1 minute"
	@$(PIP) install -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "installing what tests and checks need, about 1 minute"
	@$(PIP) install -r requirements-dev.lock
	@touch $@

.PHONY: browser
browser:
	@if [ -z "$(CHROMIUM)" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing Chromium for the browser tests, about 1 minute"; \
		{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
			chromium fonts-wqy-microhei; } >.browser.log 2>&1 || { tail -n 5 .browser.log; }; rm -f .browser.log; fi
	@command -v chromium chromium-browser google-chrome >/dev/null || printf '%s\n' \
		"*********************************************************************" \
		"*  NO CHROMIUM: THE BROWSER TESTS WILL NOT RUN. Install the package *" \
		"*  'chromium' (as root, apt-get does it by itself) and run again.   *" \
		"*********************************************************************"
