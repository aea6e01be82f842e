# What there is to do here. Everything a job needs is made on the way.
.DEFAULT_GOAL := help
.PHONY: help site down test unit lint scenario bench docs lock

VENV := .venv/.ready
BED := .venv/bin/python tests/bed/bed
PYTEST := .venv/bin/python -m pytest
# The first Python that pinned ansible-core runs on.
PYTHON = $(shell for name in python3.13 python3.12 python3; do \
	$$name -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null \
	&& echo $$name && break; done)
NO_PYTHON = No Python 3.12 or newer with ensurepip (tried python3.13, python3.12, python3). \
	Debian 13 has it (apt-get install python3-venv); on Debian 12 install one with pyenv.

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

site: $(VENV) ## build the lab, bring it to what its inventory says, and show that it stays so
	@$(BED) install
	@PYTHONPATH=collections .venv/bin/python -m tests.lab.site

down: $(VENV) ## remove the lab and every other host of the test bed
	@$(BED) down --all

test: $(VENV) ## run every test: lint, units, sanity, scenarios, faults and the lab
	@$(BED) install
	@$(BED) enter $(PYTEST) -n 2 --no-loadscope-reorder tests

unit: $(VENV) ## run the tests that need neither root nor containers
	@$(PYTEST) tests/unit

lint: $(VENV) ## check form: ruff, mypy, yamllint, ansible-lint
	@$(PYTEST) tests/lint

scenario: $(VENV) ## prove one role on real hosts: make scenario ROLE=sshd
	@$(BED) install
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(BED) enter molecule test --scenario-name $(ROLE)

bench: $(VENV) ## measure: the main job, a component against standard modules
	@$(BED) install
	@PYTHONPATH=collections .venv/bin/python -m tests.bench.bench

docs: $(VENV) ## write the README of every role from its specification
	@.venv/bin/python docs/role_readmes.py

lock: ## pin the newest versions that requirements.in allows
	@test -n "$(PYTHON)" || { echo "$(NO_PYTHON)" >&2; exit 1; }
	@rm -rf .cache/lock && $(PYTHON) -m venv .cache/lock
	@.cache/lock/bin/pip install --quiet pip-tools
	@.cache/lock/bin/pip-compile --quiet --upgrade --generate-hashes --no-emit-index-url \
		--no-emit-find-links --strip-extras --allow-unsafe --no-header \
		--output-file requirements.txt requirements.in
	@rm -rf .cache/lock

$(VENV): requirements.txt
	@test -n "$(PYTHON)" || { echo "$(NO_PYTHON)" >&2; exit 1; }
	@echo "Installing Ansible and its tools into .venv"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@.venv/bin/pip install --quiet --require-hashes -r requirements.txt
	@touch $@
