# Every target sets up what it needs: a virtual environment from the hash-locked requirements.
# A second call installs nothing.

PYTHON ?= python3
VENV ?= .venv
CODEX_TAG ?=
OUT ?= dist
AUDIT_OUT ?= audit
ARGS ?=

BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup wheels audit test test-network lint types check format lock bench clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "factory needs Python 3.11 or newer; set PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY) ## Make the virtual environment

wheels: $(READY) ## Build every platform's wheel: make wheels CODEX_TAG=rust-v0.163.0
	@test -n "$(CODEX_TAG)" || { echo "Say which release: make wheels CODEX_TAG=rust-v0.163.0" >&2; exit 1; }
	@$(BIN)/factory wheels $(CODEX_TAG) --out $(OUT) $(ARGS)

audit: $(READY) ## Rebuild what the index serves and compare: make audit CODEX_TAG=rust-v0.163.0
	@test -n "$(CODEX_TAG)" || { echo "Say which release: make audit CODEX_TAG=rust-v0.163.0" >&2; exit 1; }
	@$(BIN)/factory audit $(CODEX_TAG) --out $(AUDIT_OUT) $(ARGS)

test: $(READY) ## Run the tests that need no network and no docker
	$(BIN)/python -m pytest -m "not network and not docker and not slow" $(ARGS)

test-network: $(READY) ## Run the tests against the real registries
	$(BIN)/python -m pytest -m "network" $(ARGS)

lint: $(READY) ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## Check types
	$(BIN)/mypy

check: test lint types ## All of the above but the network

format: $(READY) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## Measure on this machine; writes docs/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

lock: ## Lock the requirements anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group test --group lint --group build -c requirements.txt pyproject.toml -o requirements-dev.txt

clean: ## Remove the virtual environment and tool caches; dist/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
