# Two commands do everything, set-up included: `make demo` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Two threads that spin on a busy machine wait for each other; passive waiting is many times faster there.
export OMP_WAIT_POLICY := passive
export GX_ANALYTICS_ENABLED := false

# `large` runs the tests of a million rows that `test` leaves out.
.PHONY: install demo test large lint check clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (about two minutes, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python -m models.authenticity.install_tower --if-reachable
	@touch $@

demo: install
	@$(BIN)/python -m risk.demo

test: install
	@$(BIN)/python -m pytest

large: install
	@$(BIN)/python -m pytest -m large

lint: install
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint test

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
