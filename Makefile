PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501
WATCH ?= none

.PHONY: run test lint ray clean

# glibc keeps what each thread has freed for that thread, and each page run is a thread: two memory areas, large ones
# given back at once. See docs/scale.md.
MEMORY := MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=524288 MALLOC_TRIM_THRESHOLD_=524288

run: .venv/.installed
	$(MEMORY) $(BIN)/streamlit run app.py --server.port $(PORT) --server.fileWatcherType $(WATCH)

test: .venv/.installed-dev lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Archives on a Ray cluster, see the README.
ray: .venv/.installed-ray

# These install this checkout editable: the package is imported from here, and `fer-lab` is its command.
.venv/.installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("FER Lab needs Python 3.11 or newer; name one with make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

.venv/.installed-ray: requirements-ray.txt .venv/.installed
	$(BIN)/python -m pip install --quiet --editable '.[ray]'
	touch $@

clean:
	rm -rf .venv *.egg-info .mypy_cache .ruff_cache .pytest_cache
