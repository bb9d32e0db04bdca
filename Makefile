PYTHON ?= python3
BIN := .venv/bin
HOST ?= localhost
PORT ?= 8501
WATCH ?= none

.PHONY: run test lint ray docs lock clean

run: .venv/.installed
	$(BIN)/fer-lab app --host $(HOST) --port $(PORT) --server.fileWatcherType $(WATCH)

test: .venv/.installed-dev lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Archives on a Ray cluster, see docs/scale.md.
ray: .venv/.installed-ray

# The documents as a site, in build/site.
docs: .venv/.installed-docs
	$(BIN)/mkdocs build

# Exactly the versions of the lock files, checked by their hashes. Then this checkout, editable: the package is imported
# from here, and `fer-lab` is its command; hatchling, which builds it, is in requirements.txt.
INSTALL := $(BIN)/python -m pip install --quiet

.venv/.installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit("FER Lab needs Python 3.11, 3.12 or 3.13; name one with make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes -r requirements.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

.venv/.installed-%: requirements-%.txt .venv/.installed
	$(INSTALL) --require-hashes -r $<
	touch $@

# Renew the lock files within the bounds of pyproject.toml, for all Pythons and systems.
HEAD := make lock (opencv-python-headless: the cv2 of opencv-python without windows, which need libGL; either works)
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --fork-strategy fewest --generate-hashes --no-annotate \
  --custom-compile-command '$(HEAD)'

lock: .venv/.installed-dev
	$(COMPILE) pyproject.toml --extra app --extra train --group build -o requirements.txt
	$(COMPILE) pyproject.toml --extra app -c requirements.txt -o requirements-serve.txt
	$(COMPILE) --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --group docs -c requirements.txt -c requirements-dev.txt -o requirements-docs.txt
	$(COMPILE) pyproject.toml --extra archive -c requirements.txt -c requirements-dev.txt -o requirements-ray.txt

clean:
	rm -rf .venv *.egg-info .mypy_cache .ruff_cache .pytest_cache
