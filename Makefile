# Every task of the project. `make help` lists them; each one sets up the environment first when that is needed.

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench docs pins clean

PYTHON ?= python3
PY := .venv/bin/python

# A stamp is named after what is installed and where, so a repeated `make setup` returns at once.
KEY := $(shell { cat pyproject.toml constraints.txt; pwd; } | cksum | cut -d' ' -f1)
READY := .venv/.ready-$(KEY)
READY_BENCH := .venv/.ready-bench-$(KEY)

help:  ## List the tasks
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)$$/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-12s %s\n", $$1, $$2 }'

setup: $(READY)  ## Make .venv with every pinned package (PYTHON=python3.12 chooses the interpreter)

$(READY):
	@PYTHON="$(PYTHON)" tools/setup $@ all,dev

$(READY_BENCH): | $(READY)
	@PYTHON="$(PYTHON)" tools/setup $@ all,bench,dev

demo: setup  ## Train LeNet with five optimizers, compare them, write optiscope-demo/report.html (about a minute)
	@.venv/bin/optiscope demo

test: setup  ## Everything that continuous integration runs
	@$(PY) -m tools.check

check: setup  ## The quick loop: format, lint, types, layers and the fast tests
	@$(PY) -m tools.check --fast

bench: $(READY_BENCH)  ## Run every benchmark and write docs/benchmarks.md (QUICK=1 for a short round)
	@$(PY) -m tools.write_benchmarks $(if $(QUICK),--quick)

docs: setup  ## Write the generated pages: docs/cli.md and docs/api.md
	@$(PY) -m tools.cli_reference
	@$(PY) -m tools.api_reference

pins: setup  ## Write constraints.txt after a change of dependencies (UPGRADE=1 takes the newest versions)
	@$(PY) -m tools.write_constraints $(if $(UPGRADE),--upgrade)

clean:  ## Remove what the tasks made, and the environment
	rm -rf .venv .venv.lock build dist optiscope-demo .coverage .coverage.* .cache \
		.hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
