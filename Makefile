PYTHON ?= python3
BIN := .venv/bin
HOST ?= localhost
PORT ?= 8501
WATCH ?= none

.PHONY: run test lint ray lock clean

# glibc keeps what each thread has freed for that thread, and each page run is a thread: two memory areas, large ones
# given back at once. See docs/scale.md.
MEMORY := MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=524288 MALLOC_TRIM_THRESHOLD_=524288

OPEN := FER Lab is open to the network. Whoever reaches this computer may upload pictures and videos; start, stop and \
delete trainings; and see and delete the snapshots and models of everybody else, unless .streamlit/secrets.toml forbids \
it: see "A shared server" in docs/deploy.md.

run: .venv/.installed
	$(if $(filter-out localhost 127.0.0.1 ::1,$(HOST)),@printf '\n%s\n' '$(OPEN)')
	$(MEMORY) $(BIN)/streamlit run app.py --server.address $(HOST) --server.port $(PORT) \
	  --server.fileWatcherType $(WATCH)

test: .venv/.installed-dev lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Archives on a Ray cluster, see the README.
ray: .venv/.installed-ray

# Exactly the versions of the lock files, checked by their hashes. Then this checkout, editable: the package is imported
# from here, and `fer-lab` is its command; setuptools, which builds it, is in requirements.txt.
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
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --fork-strategy fewest --generate-hashes --no-annotate \
  --custom-compile-command 'make lock'

lock: .venv/.installed-dev
	$(COMPILE) pyproject.toml --extra training -o requirements.txt
	$(COMPILE) pyproject.toml -c requirements.txt -o requirements-serve.txt
	$(COMPILE) --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --group ray -c requirements.txt -c requirements-dev.txt -o requirements-ray.txt

clean:
	rm -rf .venv *.egg-info .mypy_cache .ruff_cache .pytest_cache
