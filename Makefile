# `make figures/fig5.pdf` and `make test` on a fresh machine: an environment first, then the real command.
# Needs Python 3.11 or later, pip and make. Inside an activated environment call snakemake yourself.
PYTHON ?= python3
VENV ?= .venv
INSTALLED := $(VENV)/.installed
SNAKEMAKE ?= snakemake
ACTIVE := PATH="$(abspath $(VENV))/bin:$$PATH" VIRTUAL_ENV="$(abspath $(VENV))"

.PHONY: help environment figures report all test test-fast lint format bench bench-gpu site gallery
.DEFAULT_GOAL := help

help:
	@echo "make figures/fig5.pdf   draw a figure, training what it needs (default experiment: smoke)"
	@echo "make figures            every figure and table that there is"
	@echo "make report             report/report.html: verdicts, every figure, cost, provenance, on one page"
	@echo "make all                every figure and the report"
	@echo "make report/claims.html which claims of the paper hold (default experiment), from all those figures"
	@echo "make test-fast          unit tests: about a minute; plain pytest runs the same (pytest PATH: all tests there)"
	@echo "make test               all tests, a tiny experiment end to end among them: a quarter of an hour"
	@echo "make bench              speed as ratios, side by side: ten minutes; bench-gpu where there is a GPU"
	@echo "make lint               ruff, mypy, snakefmt, snakemake --lint"
	@echo "make site               the documentation as a site that opens offline: site/index.html"
	@echo "make gallery            every figure again, and its page and picture in docs/"
	@echo "make environment        only make $(VENV) from constraints.txt"

environment: $(INSTALLED)

# The version check comes first: everything after it would fail in less clear words.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "w2s needs Python 3.11 or later, this is " + sys.version.split()[0] + "; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[test]"
	@touch $@

# Snakemake decides whether there is anything to do, so these targets always ask it.
figures: $(INSTALLED)
	$(ACTIVE) $(SNAKEMAKE)

figures/%: $(INSTALLED) FORCE
	$(ACTIVE) $(SNAKEMAKE) $@

report: $(INSTALLED)
	$(ACTIVE) $(SNAKEMAKE) report

all: $(INSTALLED)
	$(ACTIVE) $(SNAKEMAKE) all report

report/%: $(INSTALLED) FORCE
	$(ACTIVE) $(SNAKEMAKE) $@

results/%: $(INSTALLED) FORCE
	$(ACTIVE) $(SNAKEMAKE) $@

.PHONY: FORCE
FORCE:

test-fast: $(INSTALLED)
	$(ACTIVE) pytest -n 2

test: $(INSTALLED)
	$(ACTIVE) pytest -n 2 tests

# The documentation as a site that opens offline: site/index.html.
site: $(INSTALLED)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[docs]"
	$(ACTIVE) NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
	@echo "site/index.html"

# Every figure's page in docs/, with the pictures of the smoke experiment.
gallery: figures
	$(ACTIVE) w2s gallery

# Each measures in fresh processes; benchmarks/RESULTS.md keeps what was measured where.
bench: $(INSTALLED)
	$(ACTIVE) python benchmarks/finetune.py
	$(ACTIVE) python benchmarks/pretraining.py
	$(ACTIVE) python benchmarks/startup.py
	$(ACTIVE) python benchmarks/many.py
	$(ACTIVE) python benchmarks/puzzles.py
	$(ACTIVE) python benchmarks/plan.py

bench-gpu: $(INSTALLED)
	$(ACTIVE) python benchmarks/gpu.py

lint: $(INSTALLED)
	$(ACTIVE) ruff check .
	$(ACTIVE) ruff format --check .
	$(ACTIVE) mypy
	$(ACTIVE) snakefmt --check Snakefile rules
	$(ACTIVE) snakemake --lint

format: $(INSTALLED)
	$(ACTIVE) ruff check --fix .
	$(ACTIVE) ruff format .
	$(ACTIVE) snakefmt Snakefile rules
