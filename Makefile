# Makefile
# `make` alone lists what there is. Only git, make and Python 3.11+ are assumed; every target sets itself up.

PYTHON ?= python3
BIN := .venv/bin
# Two installations of one lock would only differ by luck: hashes for all, and nothing but what is locked.
PIP_INSTALL := pip install --quiet --disable-pip-version-check --require-hashes --no-deps

.DEFAULT_GOAL := help
.PHONY: help setup dev demo-all test check check-types check-all-else e2e e2e-whole e2e-broken faults bench judges node schema lock dlq redrive clean

help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.done .venv-emulator/.done ## Create both virtual environments from their locks (the others do it, too).

.venv/.done: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Rapport needs Python 3.11 or newer." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m $(PIP_INSTALL) -r $<
	@touch $@

.venv-emulator/.done: requirements/emulator.txt
	$(PYTHON) -m venv .venv-emulator
	.venv-emulator/bin/python -m $(PIP_INSTALL) -r $<
	@touch $@

dev: setup ## Run everything here until Ctrl-C (CRM_PORT=8000 CRM_STATE_DIR=.local CRM_DEMO=1 CRM_BUDGETS=…).
	@exec $(BIN)/python -m infra.local.dev

demo-all: setup ## Load the rest of the demo shop's purchases into the running instance.
	@$(BIN)/python -m infra.local.demo --all

test: .venv/.done ## Unit, integration and contract tests (moto).
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

# On two cores the longest of a check goes beside the rest of it.
check: .venv/.done ## Lint, types, imports, the template, committed exports.
	@$(MAKE) --no-print-directory --jobs=2 check-types check-all-else

check-types:
	$(BIN)/mypy

check-all-else:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml
	$(BIN)/python -m infra.local.template .build/template.json
	$(BIN)/cfn-lint .build/template.json
	$(BIN)/python -m schema.export --check
	$(BIN)/python -m infra.docs --check

e2e: setup ## The whole system, from an event to the KPI, on the emulator.
	@$(MAKE) --no-print-directory --jobs=2 e2e-whole e2e-broken

# Systems that are whole, and others in which something is broken or taken out; both spend their time waiting.
BROKEN := $(wildcard tests/e2e/test_wiring*.py) tests/e2e/test_poison.py
e2e-whole:
	$(BIN)/python -m pytest tests/e2e -s $(BROKEN:%=--ignore=%)

e2e-broken:
	$(BIN)/python -m pytest $(BROKEN) -s

faults: setup ## Duplicates, disorder, killed workers, races (ONLY=<area> QUICK=1 SABOTAGE=<figure>).
	$(BIN)/python -m tests.faults

# graphql-yoga, for comparison, where there is Node.
YOGA := $(if $(filter v20.%,$(shell node --version 2>/dev/null)),tests/judges/node_modules/.done)
bench: setup $(YOGA) ## Ratios and counts against a baseline (ONLY=<area> QUICK=1).
	$(BIN)/python -m bench

judges: node setup .venv-judges/.done tests/judges/node_modules/.done ## GraphQL clients, linters and a fuzzer on the running gateway; needs Node 20 (ONLY=<figure> QUICK=1).
	@$(BIN)/python -m tests.judges

node:
	@case "$$(node --version 2>/dev/null)" in v20.*) ;; *) \
		echo "The judges need Node 20 with npm on the PATH. Nothing else here does." >&2; exit 1;; esac

tests/judges/node_modules/.done: tests/judges/package-lock.json
	@cd $(@D)/.. && npm ci --loglevel=error
	@touch $@

.venv-judges/.done: requirements/judges.txt
	$(PYTHON) -m venv .venv-judges
	.venv-judges/bin/python -m $(PIP_INSTALL) -r $<
	@touch $@

schema: .venv/.done ## Export schema.graphql, the JSON Schemas of events and docs/events.md.
	$(BIN)/python -m schema.export
	$(BIN)/python -m infra.docs

lock: .venv/.done ## Lock the dependencies anew, with hashes and without any registry's address.
	@for set in functions gateway dev emulator judges; do \
		echo "requirements/$$set.txt"; \
		$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
			--python-version 3.11 requirements/$$set.in --output-file requirements/$$set.txt || exit 1; \
	done

dlq: .venv/.done ## List all dead letters: queue, id, reasons, age.
	@$(BIN)/python -m infra.local.dead_letters list

redrive: .venv/.done ## Send dead letters back to where they came from: ID=<id> or REASON=<text>.
	@$(BIN)/python -m infra.local.dead_letters redrive $(if $(ID),--id '$(ID)') $(if $(REASON),--reason '$(REASON)')

clean: ## Remove all that was made here, the local state too.
	rm -rf .venv .venv-emulator .venv-judges tests/judges/node_modules .local .build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

