# Every target sets up what it needs: Python 3.11 or newer and make are enough.
# `make help` lists them; variables such as FRONTDESK_PORT, FRONTDESK_DATA and DATABASE_URL are passed through.

PYTHON := .venv/bin/python
TESTS ?= tests/unit tests/contract tests/flow tests/models tests/process tests/browser
PYTEST_ARGS ?=
# Tests start Python some hundred times: what it compiles is kept, also where the environment says otherwise.
COMPILED := env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=$(CURDIR)/.venv/compiled

.DEFAULT_GOAL := help
.PHONY: help run test kill mutations check clients bench migration reference lock widget setup setup-dev

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## start Frontdesk: database, HTTP, worker, a demo organization
	@exec $(PYTHON) -m frontdesk run

test: setup-dev ## run all tests (TESTS=… PYTEST_ARGS=… to choose)
	@sh tools/chromium.sh
	@$(COMPILED) $(PYTHON) -m pytest -n auto --maxprocesses 4 --dist loadgroup $(wildcard $(TESTS)) $(PYTEST_ARGS)

kill: setup-dev ## kill processes of an installation under load (FRONTDESK_KILL_SEED=… FRONTDESK_KILL_ROUNDS=…)
	@$(PYTHON) -m pytest -s tests/kill $(PYTEST_ARGS)

mutations: setup-dev ## take each guard away: the walks of tests/flow must miss it (some minutes)
	@FRONTDESK_MUTATIONS=1 $(PYTHON) -m pytest -n auto --maxprocesses 4 -rP tests/flow/test_mutations.py $(PYTEST_ARGS)

check: setup-dev ## lint, types, import table, style figures, widget bundle, documents
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -q -p no:cacheprovider tests/unit/test_imports.py tests/unit/test_scaffolding.py
	$(PYTHON) tools/check_style.py
	@sh tools/check_widget.sh
	PYTHONPATH=. $(PYTHON) tools/check_docs.py

clients: setup-dev ## run real clients and suites of other projects against a real server
	@$(COMPILED) $(PYTHON) -m pytest tests/peers $(PYTEST_ARGS)

bench: setup-dev ## measure, and write bench/RESULTS.md
	@$(PYTHON) -m bench

migration: setup-dev ## write the next migration from the declarations: make migration name=add_colour
	@PYTHONPATH=. $(PYTHON) tools/new_migration.py "$(name)"

reference: setup-dev ## write the pages of docs/reference that come from the code
	@PYTHONPATH=. $(PYTHON) tools/make_reference.py

widget: ## build the web chat's bundle (Node ≥ 20)
	@cd ui && npm ci --no-audit --no-fund && npm run build

lock: setup-dev ## resolve the dependencies of pyproject.toml anew
	@sh tools/lock.sh

setup:
	@sh tools/setup.sh runtime

setup-dev:
	@sh tools/setup.sh dev
