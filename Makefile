# `make demo` and `make test` need Python 3.11 or later, make and a package index; uv is used where it is there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export LITELLM_LOCAL_MODEL_COST_MAP := True
export RAY_USAGE_STATS_ENABLED := 0

.PHONY: help setup demo test lint types bench wheel clean

help:
	@echo "make demo    play every shipped case with its reference agents and show the results"
	@echo "make test    run the tests"
	@echo "make lint    ruff, format check"
	@echo "make types   mypy strict"
	@echo "make bench   measure speed against the stated floors"
	@echo "make wheel   build the wheel and play an episode from it in a clean environment"

setup: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Riskbox needs Python 3.11 or later; set PYTHON=python3.11")'
	@if command -v uv >/dev/null 2>&1; then \
		echo "setting up $(VENV) with uv"; \
		uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && uv pip install --quiet --python $(BIN)/python -e '.[dev]'; \
	else \
		echo "setting up $(VENV) with pip (about a minute)"; \
		$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'; \
	fi
	@touch $(READY)

demo: setup
	@$(BIN)/riskbox run scenarios --agent reference --name demo --store sqlite:///demo.db
	@$(BIN)/riskbox report latest --store sqlite:///demo.db
	@echo
	@echo "Look further (from this folder):"
	@echo "  $(BIN)/riskbox show latest --store sqlite:///demo.db           the riskiest conversation"
	@echo "  $(BIN)/riskbox list episodes --store sqlite:///demo.db         all of them, worst first"
	@echo "  $(BIN)/riskbox play scenarios/healthcare/records_for_a_neighbour.yaml --as user"
	@echo "  $(BIN)/riskbox run scenarios --agent my_agent.py:agent         your own agent; see docs/agents.md"

test: setup
	@$(BIN)/python -m pytest -q -n auto --maxprocesses=4 --dist worksteal

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

bench: setup
	@$(BIN)/python tests/benchmarks/bench.py
	@$(BIN)/python tests/benchmarks/models.py

wheel: setup
	@$(BIN)/python tests/wheel.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache demo.db demo.db-wal demo.db-shm
