# A front only: every target calls the library or a standard tool. Works from a path with spaces.
PYTHON ?= python3
RUN := .venv/bin/python -m
# The image in the report needs no screen, and Keras says little.
export MPLBACKEND ?= Agg
export TF_CPP_MIN_LOG_LEVEL ?= 3

# Options of `make dashboards`, `make lab` and `make bench`.
OPTIONS ?=

.PHONY: help venv demo dashboards lab notebooks docs test lint pytest test-slow test-wheel fuzz bench constraints clean

help:
	@echo 'make demo        create .venv and run the whole chain on simulated spectra: train, look inside, classify, report'
	@echo 'make dashboards  create .venv and serve the dashboards in the browser (options: OPTIONS="--spectra FOLDER")'
	@echo 'make lab         create .venv and open JupyterLab at the notebooks'
	@echo 'make notebooks   execute all notebooks in teaching mode and keep the copies with outputs in build/notebooks'
	@echo 'make docs        build the documentation with the executed notebooks in docs/_build/html'
	@echo 'make test        create .venv if needed, run lint, types and tests, and build the documentation'
	@echo 'make venv        create .venv with everything'
	@echo 'make lint        ruff, import contracts, mypy'
	@echo 'make test-slow   the tests that take minutes'
	@echo 'make test-wheel  build the wheel, install it in a clean environment elsewhere, and classify with it'
	@echo 'make fuzz        20,000 damaged files through the readers'
	@echo 'make bench       what classification, stores and faults cost, side by side; a quarter of an hour'
	@echo 'make constraints renew the pinned versions of constraints.txt'

venv: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo 'Python 3.11 to 3.13 is needed; name one: make venv PYTHON=python3.12'; exit 1; }
	@# Debian ships Python without ensurepip; the package that has it is installed where that is possible.
	@"$(PYTHON)" -c 'import ensurepip' 2>/dev/null || test -x .venv/bin/pip || \
	  { echo 'Python has no ensurepip: installing the package python3-venv'; \
	    if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null; \
	    else sudo apt-get update -qq && sudo apt-get install -qq -y python3-venv >/dev/null; fi; } || \
	  { echo 'Install it yourself: apt-get install python3-venv'; exit 1; }
	@test -x .venv/bin/pip || "$(PYTHON)" -m venv --clear .venv
	$(RUN) pip install --disable-pip-version-check --progress-bar off --quiet --constraint constraints.txt --editable '.[train,apps,survey,explain,reproduce,fast,scale,docs,dev]'
	@touch .venv/installed

demo: venv
	$(RUN) racnet_tools.cli demo --output demo_output

dashboards: venv
	$(RUN) racnet_tools.cli dashboards $(OPTIONS)

lab: venv
	@# A notebook shows its figures only with the backend that its kernel chooses.
	env -u MPLBACKEND $(RUN) jupyterlab --notebook-dir=notebooks --LabApp.default_url=/lab/tree/01_data_and_survey.ipynb $(OPTIONS)

notebooks: venv
	.venv/bin/python notebooks/execute.py

docs: venv
	.venv/bin/python notebooks/execute.py --missing
	rm -rf docs/_build/html
	$(RUN) sphinx -W --keep-going --quiet -d docs/_build/read docs docs/_build/html
	.venv/bin/python docs/check_links.py docs/_build/html

test: venv lint pytest docs

lint: venv
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	.venv/bin/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-cache
	$(RUN) mypy

pytest: venv
	$(RUN) pytest -n 2 --dist worksteal -m 'not slow' --ignore=tests/browser --ignore=tests/notebooks
	@# A notebook that trains keeps both processors busy by itself; its executed copy goes into the documentation.
	$(RUN) pytest -n 2 --dist worksteal -m 'not slow' tests/notebooks
	@# Browsers have both processors for themselves: what they measure would be the other tests' load.
	$(RUN) pytest -m 'not slow' -rs tests/browser

test-slow: venv
	$(RUN) pytest -m slow

test-wheel: venv
	$(RUN) pytest -m slow tests/test_wheel.py

fuzz: venv
	.venv/bin/python tests/fuzz/fuzz_readers.py --files 24000 --seed 2026

bench: venv
	.venv/bin/python benchmarks/all.py $(OPTIONS)

constraints: venv
	.venv/bin/python -m pip install --quiet uv
	$(RUN) uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-header --no-annotate \
	  --extra train --extra apps --extra survey --extra explain --extra reproduce --extra fast --extra scale --extra docs --extra dev --output-file constraints.txt pyproject.toml

clean:
	rm -rf .venv build dist docs/_build docs/generated demo_output .pytest_cache .mypy_cache .ruff_cache
