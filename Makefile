# Targets create the virtual environment from the hash-locked requirements when it is missing or outdated.

PYTHON ?= python3
VENV ?= .venv
CODEX_TAG ?=
OUT ?= dist
AUDIT_OUT ?= audit
SDK ?=
SDK_OUT ?= sdk
MUTANTS_MODULES ?=
IMAGE ?= codex-wheel-factory:local
BASE_IMAGE ?=
IMAGE_PYTHON ?=
ARGS ?=
FUZZ_SECONDS ?= 120
SOAK_SECONDS ?= 2700
FUZZ_TARGETS ?= archive images members apple authenticode bundles messages statements documents

BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup wheels audit sdk image test test-slow test-network verify-zoo-real test-docker lint types check format lock docs bench fuzz \
  soak mutants clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "factory needs Python 3.11 or newer; set PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY) ## Create the virtual environment

wheels: $(READY) ## Build the wheels of a release: make wheels CODEX_TAG=rust-v0.163.0
	@test -n "$(CODEX_TAG)" || { echo "CODEX_TAG is not set: make wheels CODEX_TAG=rust-v0.163.0" >&2; exit 1; }
	@$(BIN)/factory wheels $(CODEX_TAG) --out $(OUT) $(ARGS)

audit: $(READY) ## Rebuild published wheels and compare them: make audit CODEX_TAG=rust-v0.163.0
	@test -n "$(CODEX_TAG)" || { echo "CODEX_TAG is not set: make audit CODEX_TAG=rust-v0.163.0" >&2; exit 1; }
	@$(BIN)/factory audit $(CODEX_TAG) --out $(AUDIT_OUT) $(ARGS)

sdk: $(READY) ## Make wheels and an SDK that install from one directory: make sdk CODEX_TAG=rust-v0.171.0 SDK=own
	@test -n "$(CODEX_TAG)" || { echo "CODEX_TAG is not set: make sdk CODEX_TAG=rust-v0.163.0" >&2; exit 1; }
	@$(BIN)/factory sdk make $(CODEX_TAG) --out $(OUT) --sdk-out $(SDK_OUT) $(if $(SDK),--sdk "$(SDK)") $(ARGS)

# Some hundred processes of the tests start the program; without bytecode each compiles it again.
test test-slow test-network test-docker: export PYTHONDONTWRITEBYTECODE :=

test: $(READY) ## Run the fast tests, which need no network and no Docker
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not network and not docker and not slow" $(ARGS)

test-slow: $(READY) ## Run the tests that take minutes: killed runs, stock tools
	$(BIN)/python -m pytest -m "slow and not network and not docker" $(ARGS)

test-network: $(READY) ## Run the tests that use the package registries
	$(BIN)/python -m pytest -m "network and not slow and not docker" $(ARGS)

verify-zoo-real: $(READY) ## Verify some 50 published wheels of other projects, and compare the findings with a reviewed list
	$(BIN)/python -m tests.zoo_real $(ARGS)

test-docker: $(READY) ## Run the tests that need a container engine and the builder image
	$(BIN)/python -m pytest -m "docker" $(ARGS)

image: $(READY) ## Build the builder image; only its wheels are downloaded: make image BASE_IMAGE=...
	@.ci/build-image $(BIN)/python $(IMAGE) $(BASE_IMAGE) $(IMAGE_PYTHON)

lint: $(READY) ## Check style, format, imports and workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/zizmor --quiet --offline --persona pedantic .

types: $(READY) ## Check types
	$(BIN)/mypy

check: test lint types ## Run test, lint and types

format: $(READY) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY) ## Write the picture in docs/architecture.md, and docs/checks.md with the answers of the stock tools
	$(BIN)/python -m benchmarks.structure --write docs/architecture.md
	$(BIN)/python -m tests.zoo
	$(BIN)/python -m tests.attacks

bench: $(READY) ## Run the benchmarks and write docs/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

$(VENV)/.fuzz: $(READY) requirements-fuzz.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-fuzz.txt
	@touch $@

fuzz: $(VENV)/.fuzz ## Fuzz the file readers, on Linux: make fuzz FUZZ_TARGETS=apple FUZZ_SECONDS=600
	@for target in $(FUZZ_TARGETS); do \
	  mkdir -p .fuzz/$$target; \
	  echo "fuzz $$target for $(FUZZ_SECONDS) s"; \
	  $(BIN)/python -m tests.fuzz $$target .fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -max_len=8192 \
	    -timeout=10 -rss_limit_mb=600 -artifact_prefix=.fuzz/crash-$$target- -verbosity=0 -print_final_stats=1 $(ARGS) || exit 1; \
	done

soak: $(READY) ## Disturb whole runs for a given time: kills, other runs, full disks, damage, hostile servers
	$(BIN)/python -m tests.soak --seconds $(SOAK_SECONDS) $(ARGS)

$(VENV)/.mutants: $(READY) requirements-mutants.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-mutants.txt
	@touch $@

mutants: $(VENV)/.mutants ## Change the code that decides, and see whether a test fails: make mutants MUTANTS_MODULES=factory/wheels
	$(BIN)/python -m tests.mutants $(ARGS) $(MUTANTS_MODULES)

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-annotate --custom-compile-command 'make lock' --all-extras pyproject.toml

lock: ## Update the locked requirements (needs uv)
	$(LOCK) -o requirements.txt
	$(LOCK) --group test --group lint --group build --group zoo -c requirements.txt -o requirements-dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command 'make lock' --group fuzz -o requirements-fuzz.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command 'make lock' --group mutants -c requirements-dev.txt -o requirements-mutants.txt

clean: ## Remove the virtual environment and tool caches, but not dist/
	rm -rf $(VENV) .fuzz .mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis
