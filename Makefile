# The two commands of the README. Everything happens inside .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: quickstart test test-slow test-lowest test-versions audit dist fast format docs docs-site bench cuda-check browser postgresql extras studies-docs clean clean-kernels

quickstart: .venv/.installed
	$(BIN)/matinee quickstart

test: .venv/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -m 'not slow'

# The rest: kills at random points, fuzzing, published digits. CI runs both.
test-slow: .venv/.installed-test
	$(BIN)/pytest -m slow

# The quick tests with the lowest versions that pyproject.toml allows, and with the newest on every Python
# of these that is found: what a nightly job runs. Each has a .venv-NAME.
test-lowest:
	$(PYTHON) tests/tools/versions.py lowest

test-versions:
	$(PYTHON) tests/tools/versions.py

# Known weaknesses of the versions in constraints.txt; it fails where one cannot be looked up.
audit: .venv/.installed
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip

# dist/: the sdist, and the wheel built from it, which must be that of this tree byte for byte.
dist: .venv/.installed
	$(BIN)/python -m pip install --quiet uv
	rm -rf dist
	$(BIN)/uv build --quiet --python $(BIN)/python --out-dir dist
	$(BIN)/uv build --quiet --python $(BIN)/python --wheel --out-dir dist/tree
	cmp dist/*.whl dist/tree/*.whl
	rm -r dist/tree

# While working: the same checks with the quick tests alone.
fast: .venv/.installed-test
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest -m 'not slow' --exitfirst

format: .venv/.installed-test
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# The pages that are made from the code: commands, settings, presets.
docs: .venv/.installed-test
	$(BIN)/python docs/generate.py

# The docs as a site in site/, with an API reference; a warning is an error. CI builds it.
docs-site: .venv/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

# Seconds an epoch against dense PyTorch, and the start of every command.
bench: .venv/.installed-test
	$(BIN)/python benchmarks/train_epoch.py

# On a machine with a CUDA card: ten minutes, and the whole output belongs into a report.
cuda-check: .venv/.installed
	$(BIN)/python benchmarks/cuda_check.py

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Matinee needs Python 3.11 or newer; try: make PYTHON=python3.12 " + "$(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv

# The kernels are compiled for this machine's processor, so that the first training does not wait.
.venv/.installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	$(BIN)/matinee doctor --compile >/dev/null || true
	touch $@

.venv/.installed-test: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	$(BIN)/python -m compileall -q src || true
	touch $@ .venv/.installed

.venv/.installed-docs: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@

# Not part of the two: a browser for the tests of the report's pages, which skip without one. It goes
# where the system keeps its programs, so it needs the right to install there.
browser:
	command -v chromium || command -v google-chrome || { apt-get update && apt-get install --yes --no-install-recommends chromium; }

# Likewise, a PostgreSQL for the tests of feedback kept there.
postgresql:
	ls /usr/lib/postgresql/*/bin/initdb || { apt-get update && apt-get install --yes --no-install-recommends postgresql; }

# Likewise, the libraries that Matinee is compared with, and Ray, Spark and usearch, for the tests of them.
extras: .venv/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench,scale]'
	command -v java || { apt-get update && apt-get install --yes --no-install-recommends default-jre-headless; }

# The numbers, charts and pictures of the docs; from the runs in STUDIES, or from docs/studies as it is.
studies-docs: .venv/.installed
	$(BIN)/python docs/refresh_studies.py $(STUDIES)

# Compiled kernels are cached by their own file's time stamp: see CONTRIBUTING.md.
clean-kernels:
	find src -name '*.nb[ic]' -delete

clean: clean-kernels
	rm -rf .venv .venv-* .pytest_cache .mypy_cache .ruff_cache
