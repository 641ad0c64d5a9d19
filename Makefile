# Every target makes what it needs: .venv serves and probes (no torch), .venv-dev trains, tests and checks.
PYTHON ?= python3
PORT ?= 3000
RUN := .venv/.installed
DEV := .venv-dev/.installed
PIP := -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run test check fix bench encoder clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(RUN) ## serve the shipped model, probe it in every language of the demo set, keep serving (PORT=3000)
	.venv/bin/python examples/demo.py --port $(PORT)

test: $(DEV) ## run the tests (offline, CPU)
	.venv-dev/bin/python -m pytest

check: $(DEV) ## lint, format and types, as pre-commit and CI run them
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy

fix: $(DEV) ## mend what the linter can mend
	.venv-dev/bin/ruff check --fix .
	.venv-dev/bin/ruff format .

bench: $(DEV) ## side-by-side measurements; prints tables, writes JSON to reports/
	.venv-dev/bin/python -m benchmarks

$(RUN): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP) -e .
	touch $@

# torch first and by its exact version: a range would fetch a build with gigabytes of CUDA
$(DEV): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-dev
	.venv-dev/bin/python $(PIP) "$$(grep '^torch==' constraints.txt)"
	.venv-dev/bin/python $(PIP) -e '.[train,nlpaug,dev]'
	touch $@

clean: ## remove the virtual environments and caches
	rm -rf .venv .venv-dev .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
