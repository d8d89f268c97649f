# Creates the environment if needed, then runs the command: `make figures/fig5.pdf` and `make test` work on a fresh
# machine. Needs Python 3.11 or later, pip and make. In an activated environment you can call snakemake directly.
PYTHON ?= python3
VENV ?= .venv
INSTALLED := $(VENV)/.installed
SNAKEMAKE ?= python -m snakemake
# Quoted by the shell, and started through python, so that the checkout's path may have any name.
ACTIVE := VIRTUAL_ENV="$$(cd "$(VENV)" && pwd)" && PATH="$$VIRTUAL_ENV/bin:$$PATH" && export VIRTUAL_ENV PATH &&

.PHONY: help environment figures report all test test-fast lint format bench bench-gpu site gallery notebooks
.DEFAULT_GOAL := help

help:
	@echo "make figures/fig5.pdf   draw a figure, training what it needs (default experiment: smoke)"
	@echo "make figures            every figure and table of the default experiment"
	@echo "make report             report/report.html: verdicts, figures, cost and provenance on one page"
	@echo "make all                every figure and the report"
	@echo "make report/claims.html verdicts on the paper's claims; draws on the numbers behind all figures"
	@echo "make test-fast          unit tests: one to two minutes; plain pytest runs the same"
	@echo "make test               all tests, including workflows end to end: 12 to 35 minutes"
	@echo "make bench              measure speed against other loops: 20 minutes (make bench-gpu: on a GPU)"
	@echo "make lint               ruff, mypy, snakefmt, snakemake --lint"
	@echo "make format             fix what ruff and snakefmt can fix"
	@echo "make site               the documentation as a site that works offline: site/index.html"
	@echo "make gallery            every figure, and its page and picture in docs/"
	@echo "make notebooks          execute the notebooks of docs/ on the smoke experiment's results"
	@echo "make environment        create $(VENV) from constraints.txt, nothing else"

environment: $(INSTALLED)

# The version check comes first: without it, later steps fail with unclear messages.
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
	$(ACTIVE) python -m pytest -n 2

test: $(INSTALLED)
	$(ACTIVE) python -m pytest -n 3 tests

# The documentation as a site that works offline: site/index.html.
site: $(INSTALLED)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[docs]"
	$(ACTIVE) NO_MKDOCS_2_WARNING=1 python -m mkdocs build --strict --quiet
	@echo "site/index.html"

# Every figure's page in docs/, with the pictures of the smoke experiment.
gallery: figures
	$(ACTIVE) python -m w2s gallery

# docs/notebooks, executed on the results of the smoke experiment, and their pages.
notebooks: $(INSTALLED)
	$(ACTIVE) $(SNAKEMAKE) figures/fig5.pdf
	$(ACTIVE) python -m tests.notebooks

# Each measures in fresh processes; benchmarks/RESULTS.md records results by machine.
bench: $(INSTALLED)
	$(ACTIVE) python benchmarks/finetune.py
	$(ACTIVE) python benchmarks/peers.py --repeats 1
	$(ACTIVE) python benchmarks/pretraining.py
	$(ACTIVE) python benchmarks/startup.py
	$(ACTIVE) python benchmarks/many.py
	$(ACTIVE) python benchmarks/puzzles.py
	$(ACTIVE) python benchmarks/plan.py

bench-gpu: $(INSTALLED)
	$(ACTIVE) python benchmarks/gpu.py

lint: $(INSTALLED)
	$(ACTIVE) python -m ruff check .
	$(ACTIVE) python -m ruff format --check .
	$(ACTIVE) python -m mypy
	$(ACTIVE) python -m snakefmt --check Snakefile rules
	$(ACTIVE) python -m snakemake --lint

format: $(INSTALLED)
	$(ACTIVE) python -m ruff check --fix .
	$(ACTIVE) python -m ruff format .
	$(ACTIVE) python -m snakefmt Snakefile rules
