# `make demo` and `make test` set up .venv from the package registry and need nothing else but Python >= 3.11.
PYTHON ?= python3
DATA ?= ../shared/data
VENV ?= .venv
BIN := $(VENV)/bin
export OMP_NUM_THREADS ?= 1

.PHONY: setup demo test lint types tests test-slow results docs clean

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	rm -rf *.egg-info  # a stale one would shadow the entry points of the new installation
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

demo: setup
	$(BIN)/co-gym solve tests/data/berlin52.tsp --show --plot demo.png --output demo.tour

test: lint types tests

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup
	$(BIN)/mypy

tests: setup
	$(BIN)/pytest -n 2 -m "not slow"

test-slow: setup
	$(BIN)/pytest -m slow -s

# The tables of docs/results.md; DATA is a folder as the scripts describe it.
results: setup
	$(BIN)/python scripts/bench_exact.py $(DATA) && $(BIN)/python scripts/bench_heuristics.py $(DATA)

docs: setup
	$(BIN)/pip install --quiet -c constraints.txt -e ".[docs]"
	$(BIN)/sphinx-build -W -b html docs docs/_build

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
