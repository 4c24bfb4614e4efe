# Every target works by itself on a fresh clone with Python 3.11+, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test test-long lint types bench docs lock clean

help: ## say what each target does
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("cosell needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make install PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	@echo "making $(VENV) from requirements.lock …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q definitions env connectors flows || true # the first command is quick, too
	@$(BIN)/cosell check >/dev/null 2>&1 || true # and so is the first check
	@touch $(STAMP)

install: $(STAMP) ## make .venv from the lock file, with `cosell` in it
	@echo "installed: $(BIN)/cosell --help"

demo: $(STAMP) ## play the story in both directions on the emulators (KEEP=1 leaves it running)
	@$(BIN)/python -m cosell_flows.cli.demo $(if $(KEEP),--keep)

test: $(STAMP) ## run the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -q

test-long: $(STAMP) ## what takes minutes: many workers, random edits, faults and crashes (MINUTES=n for more)
	@COSELL_TEST_MINUTES=$(or $(MINUTES),5) $(BIN)/python -m pytest -q -m long tests
	@COSELL_TEST_MINUTES=$(or $(MINUTES),5) $(BIN)/python -m pytest -q tests/journeys/test_state_machine.py

lint: $(STAMP) ## check style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP) ## check types
	@$(BIN)/mypy

bench: $(STAMP) ## measure against a bare hand-written script
	@$(BIN)/python benchmarks/bench.py
	@$(BIN)/python benchmarks/events.py

docs: $(STAMP) ## write the generated pages of docs/
	@$(BIN)/python -m cosell_flows.cli.pages docs
	@$(BIN)/python tests/scenarios/rendering.py docs/scenarios.md
	@$(BIN)/cosell schema --out schemas

lock: ## write requirements.lock anew from pyproject.toml (needs uv in .venv)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-emit-find-links --no-annotate --no-header --group dev -o requirements.lock pyproject.toml

clean: ## remove what the targets made
	@rm -rf $(VENV) .cosell .demo .pytest_cache .mypy_cache .ruff_cache build dist
