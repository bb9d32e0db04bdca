"""What gets installed and who can reach it: bounds, lock files, the Makefile, the image and the proxy."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_floors import ROOT
from tests.test_floors import imported as names_in

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SERVE = PROJECT["project"]["dependencies"]
TRAINING = PROJECT["project"]["optional-dependencies"]["training"]
DEV, RAY = PROJECT["dependency-groups"]["dev"], PROJECT["dependency-groups"]["ray"]
LOCKS = {
    "requirements.txt": SERVE + TRAINING,
    "requirements-serve.txt": SERVE,
    "requirements-dev.txt": DEV,
    "requirements-ray.txt": RAY,
}
NOT_IMPORTED = {
    "tf2onnx": "Keras imports it",
    "psycopg": "SQLAlchemy imports it, for tuning on PostgreSQL",
    "pandas-stubs": "mypy reads it",
    "types-psutil": "mypy reads it",
    **dict.fromkeys(("mypy", "ruff", "uv"), "a command of the Makefile"),
    **dict.fromkeys(("pytest-rerunfailures", "pytest-timeout", "pytest-xdist"), "pytest imports it"),
}


def locked(name: str) -> list[tuple[Requirement, list[str]]]:
    """Return every requirement of a lock file with what follows it on its lines."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(" --") for line in text.splitlines() if line and not line.startswith("#")]
    return [(Requirement(first), more) for first, *more in lines]


def imported(*places: str) -> set[str]:
    """Return the names of the distributions that Python files import."""
    paths = (path for place in places for path in ROOT.glob(place))
    modules = {name.split(".")[0] for path in paths for name in names_in(path)}
    others = modules - sys.stdlib_module_names - {"fer_core", "pages", "tests"}
    known = packages_distributions()
    return {canonicalize_name(name) for module in others for name in known.get(module, [module])}


def test_data_files_are_installed_with_their_package():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]
    files = subprocess.check_output(["git", "ls-files", "fer_core"], cwd=ROOT, text=True).split()
    data = [Path(name) for name in files if not name.endswith(".py")]
    assert Path("fer_core/metrics/paper_results.toml") in data
    for path in data:
        package = ".".join(path.parent.parts)
        assert any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns.get(package, [])), path


def test_what_the_app_imports_is_listed_with_an_upper_bound_and_what_is_listed_is_imported():
    for text in [*SERVE, *TRAINING, *DEV, *RAY]:
        assert any(limit.operator in ("==", "~=", "<", "<=") for limit in Requirement(text).specifier), text
    listed = {canonicalize_name(Requirement(text).name) for text in SERVE + TRAINING + RAY}
    assert imported("app.py", "pages/**/*.py", "fer_core/**/*.py") - {"playwright"} <= listed
    everything = listed | {canonicalize_name(Requirement(text).name) for text in DEV}
    used = imported("app.py", "pages/**/*.py", "fer_core/**/*.py", "tests/**/*.py", ".github/*.py")
    assert everything - used == set(NOT_IMPORTED)


def test_lock_files_have_the_same_exact_versions_with_hashes_and_no_address():
    seen: dict[str, str] = {}
    for name in LOCKS:
        assert "://" not in (ROOT / name).read_text(encoding="utf-8")
        for requirement, hashes in locked(name):
            version = seen.setdefault(requirement.name, str(requirement.specifier))
            assert re.fullmatch(r"==[^*,]+", version), requirement
            assert version == str(requirement.specifier), requirement
            assert re.fullmatch(r"(hash=sha256:[0-9a-f]{64} *)+", "".join(hashes)), requirement


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", [("linux", "Linux"), ("darwin", "Darwin"), ("win32", "Windows")])
@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_each_listed_library_within_its_bounds(name, system, python):
    environment = {"python_version": python, "python_full_version": f"{python}.4"}
    environment |= {"sys_platform": system[0], "platform_system": system[1]}
    chosen = [line for line, _ in locked(name) if line.marker is None or line.marker.evaluate(environment)]
    versions = {canonicalize_name(line.name): str(line.specifier)[2:] for line in chosen}
    assert len(versions) == len(chosen)
    for text in LOCKS[name]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), f"Run make lock: {text}"


@pytest.mark.parametrize(("given", "address"), [([], "localhost"), (["HOST=0.0.0.0"], "0.0.0.0")])
def test_make_run_listens_on_this_computer_unless_told_otherwise(tmp_path, given, address):
    (tmp_path / "streamlit").write_text('#!/bin/sh\necho "started with $*"\n')
    (tmp_path / "streamlit").chmod(0o755)
    words = ["make", "--silent", "--old-file=.venv/.installed", "run", f"BIN={tmp_path}", *given]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"started with run app.py --server.address {address} " in done.stdout
    assert ("start, stop and delete trainings" in done.stdout) == (address == "0.0.0.0")


def test_the_image_holds_no_secrets_and_installs_from_a_lock_file():
    assert "**/secrets.toml" in (ROOT / ".dockerignore").read_text().splitlines()
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "secrets" not in dockerfile
    (copied,) = re.findall(r"^COPY (requirements.*) \./$", dockerfile, re.MULTILINE)
    assert set(copied.split()) <= set(LOCKS)
    assert re.findall(r"pip install.*", dockerfile) == ["pip install --require-hashes -r $lock"]


def test_one_number_says_how_large_an_upload_may_be():
    settings = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    megabytes = settings["server"]["maxUploadSize"]
    assert f"max_size {megabytes + 1}MiB" in (ROOT / "deploy/Caddyfile").read_text()
    assert f"zips and videos of {megabytes} MB" in (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
