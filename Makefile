# Two verbs do everything on a fresh machine: `make demo` and `make test`. Both call `make install` first.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# 2 cores bear two test processes; Terraform waits on the local cloud most of the time.
TEST_WORKERS ?= 2
# The fault tests wait for leases to expire and calls to be tried again, and share nothing within a file.
FAULT_WORKERS ?= 3
# Most of the long ones wait for the provider's own delays.
LONG_WORKERS ?= 4

.PHONY: help install demo test test-long faults chaos check bench bench-peers docs lock schema clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

install: $(STAMP) ## a virtual environment from the lock file, and Terraform where none is on PATH

$(STAMP): requirements.lock pyproject.toml tools/install.py tools/terraform.lock.json
	$(PYTHON) tools/install.py --venv $(VENV)
	@touch $@

demo: install ## the main job for real: deploy environment `local` on the embedded cloud, and take it down again
	@$(BIN)/python tools/demo.py

test: install ## every test that is not marked `long` or `faults`
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile -m "not long and not faults"

test-long: install ## the tests marked `long`
	$(BIN)/python -m pytest -n $(LONG_WORKERS) --dist loadfile --no-loadscope-reorder -m "long and not faults"

faults: install ## the fault catalogue and a short campaign of kills, against real Terraform
	$(BIN)/python -m pytest -n $(FAULT_WORKERS) --dist worksteal -m faults

N ?= 200
SEED ?= 1
chaos: install ## kill at N random moments, resume, and look for anything lost: make chaos N=200 SEED=1
	$(BIN)/python tools/chaos.py --runs $(N) --seed $(SEED)

check: install ## ruff, mypy --strict, import-linter
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install ## speed and memory against the peers, in one run
	$(BIN)/python bench/run.py

PEERS ?=
bench-peers: install ## Holdfast against cdktf-cli and plain Terraform: make bench-peers PEERS='--deploy 5 --runs 3'
	$(BIN)/python bench/peers.py --write $(PEERS)

# The site needs other packages than everything else, and none of ours.
DOCS_VENV := .venv-docs
$(DOCS_VENV)/.installed: docs/requirements.lock
	$(PYTHON) -m venv --clear $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install --quiet --require-hashes -r docs/requirements.lock
	@touch $@

docs: $(DOCS_VENV)/.installed ## the pages as a site in site/; fails where a page, a link or an anchor is missing
	NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict
	@echo "site/index.html"

lock: ## resolve requirements.lock and docs/requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra aws --extra local --extra dask --group dev --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --python-version 3.11 -o requirements.lock
	uv pip compile --group docs --generate-hashes --no-emit-index-url --no-header --no-annotate --universal \
	  --python-version 3.11 -o docs/requirements.lock

schema: install ## generate environments/schema.json, docs/schemas/, docs/cli.md, docs/blocks/ and the workflows in docs/ci.md
	$(BIN)/python tools/schemas.py
	$(BIN)/python tools/cli_docs.py
	$(BIN)/python tools/block_pages.py
	$(BIN)/python tools/ci_page.py

clean: ## everything that was generated, the virtual environment too
	rm -rf $(VENV) $(DOCS_VENV) site .holdfast cdktf.out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
