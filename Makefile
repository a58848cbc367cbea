# Two commands on a fresh machine: `make demo` and `make test`. Both make their own environment in .venv, from the locked versions.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo test bench lint clean

help:
	@echo "make demo    start a real server and watch a bandit learn (2 minutes)"
	@echo "make test    everything that is checked: types, style, layers, tests, documented examples"
	@echo "make bench   every figure of docs/benchmarks.md, measured on this machine"
	@echo "make clean   remove the environments and the demo's data"

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/demo: $(VENV)/python pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/test: $(VENV)/python pyproject.toml constraints.txt
	$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/bench: $(VENV)/python pyproject.toml constraints.txt
	$(PIP) --editable '.[bench]'
	@touch $@

demo: $(VENV)/demo
	$(BIN)/rewardloop demo

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest

bench: $(VENV)/bench
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis rewardloop-demo
