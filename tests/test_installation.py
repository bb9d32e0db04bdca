"""What gets installed and who can reach it: bounds, lock files, the Makefile, the image and the proxy."""

from __future__ import annotations

import ast
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
    modules: set[str] = set()
    for path in (path for place in places for path in ROOT.glob(place)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.split(".")[0])
    known = packages_distributions()
    others = modules - sys.stdlib_module_names - {"fer_core", "pages", "tests"}
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


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_exact_versions_with_hashes_and_no_address(name):
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")
    for requirement, hashes in locked(name):
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"hash=sha256:[0-9a-f]{64} *", text) for text in hashes), requirement


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


def test_the_lock_files_agree():
    seen: dict[str, str] = {}
    for name in LOCKS:
        for requirement, _ in locked(name):
            assert seen.setdefault(requirement.name, str(requirement.specifier)) == str(requirement.specifier)


@pytest.mark.parametrize(
    ("given", "address", "warned"),
    [([], "localhost", False), (["HOST=127.0.0.1"], "127.0.0.1", False), (["HOST=0.0.0.0"], "0.0.0.0", True)],
)
def test_make_run_listens_on_this_computer_unless_told_otherwise(tmp_path, given, address, warned):
    (tmp_path / "streamlit").write_text('#!/bin/sh\necho "started with $*"\n')
    (tmp_path / "streamlit").chmod(0o755)
    words = ["make", "--silent", "--old-file=.venv/.installed", "run", f"BIN={tmp_path}", *given]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"started with run app.py --server.address {address} " in done.stdout
    assert ("open to the network" in done.stdout) == warned
    assert ("start, stop and delete trainings" in done.stdout) == warned


def test_every_start_of_the_app_names_who_can_reach_it():
    files = [ROOT / "Makefile", ROOT / "Dockerfile", *ROOT.glob(".github/*.py")]
    files += [path for room in ("fer_core", "pages", "tests") for path in ROOT.glob(f"{room}/**/*.py")]
    texts = {path: path.read_text(encoding="utf-8") for path in files if path != Path(__file__)}
    starts = {path for path, text in texts.items() if re.search(r'streamlit"?,? "?run"?,? "?app', text)}
    assert len(starts) >= 4
    assert not [path for path in starts if "--server.address" not in texts[path]]


def test_the_image_holds_no_secrets_and_installs_from_a_lock_file():
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] not in "#!"]
    for path in ("secrets.toml", ".streamlit/secrets.toml", "deploy/secrets.toml"):
        names = [path, path.split("/")[0], f"/{path}"]  # the file, its folder, and below any folder
        assert any(fnmatch.fnmatch(name, one.replace("**", "*")) for name in names for one in ignored), path
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
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("pages/**/*.py")]
    assert sum(text.count("st.file_uploader(") for text in texts) == 6
    limited = [text for text in texts if "max_upload_size" in text]
    assert len(limited) == 2
    assert all("picture_megabytes()" in text for text in limited)
