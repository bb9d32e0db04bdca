"""The package's layers: a room imports only from floors below it, and prediction works without TensorFlow."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = """
labels names, types columns threads, extras files tables guesses, visitors, jobs, data models figures, faces metrics
added, classifier, store, inference, measuring, training explain archives, runs fairness quiz, tuning,
sections api, cli
"""
LEVEL = {room: level for level, rooms in enumerate(FLOORS.split(",")) for room in rooms.split()}
FRAMEWORKS = {"tensorflow", "keras", "torch", "jax"}


@cache
def imported(path: Path) -> frozenset[str]:
    """Return the dotted names that a file imports, also in strings, as in a child Python's program."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
            names.update(re.findall(r"\bfer_core(?:\.\w+)+", node.value))
    if "'-m', 'fer_core'" in ast.unparse(tree):  # a child Python that runs the command line
        names.add("fer_core.cli")
    return frozenset(names)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "fer_core").parts[0].removesuffix(".py")


def package_files() -> list[Path]:
    return [path for path in (ROOT / "fer_core").rglob("*.py") if room_of(path) not in {"__init__", "__main__"}]


def production_files() -> list[Path]:
    return [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "fer_core").rglob("*.py")]


def test_rooms_import_only_from_floors_below():
    wrong = []
    for path in package_files():
        room = room_of(path)
        for name in imported(path):
            top, _, rest = name.partition(".")
            other = rest.split(".")[0]
            upwards = top == "fer_core" and other != room and LEVEL.get(other, -1) >= LEVEL[room]
            if top in {"pages", "app", "tests"} or upwards:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong
    assert {room_of(path) for path in package_files()} == set(LEVEL), "every room has a floor"


def test_every_module_is_imported():
    """Worker programs are imported by their names in strings; the navigation names the pages."""
    navigation = (ROOT / "pages" / "__init__.py").read_text(encoding="utf-8")
    unused = []
    for path in production_files():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        is_page = path.parent == ROOT / "pages" and f'"{path.stem}"' in navigation
        if path.name in {"__init__.py", "__main__.py", "app.py"} or is_page:
            continue
        if not any(module in imported(other) for other in production_files() if other != path):
            unused.append(module)
    assert not unused


def test_only_rooms_that_train_import_a_training_framework_and_pages_touch_no_arrays():
    training = {"models", "training", "runs", "tuning", "cli"}
    for path in package_files():
        forbidden = {"streamlit"} if room_of(path) in training else FRAMEWORKS | {"streamlit"}
        assert not forbidden & {name.split(".")[0] for name in imported(path)}, path
    assert not [path for path in (ROOT / "pages").rglob("*.py") if {"numpy", "cv2", "PIL"} & imported(path)]


LIGHT = """
import sys, {pages}
assert not {{"keras", "tensorflow", "optuna"}} & {{*sys.modules}}, "they take seconds, and a study may never be opened"
import fer_core.cli, fer_core.runs.worker, fer_core.tuning.worker
assert not {frameworks} & {{*sys.modules}}, "TensorFlow shares no process with serving"
"""


def test_neither_pages_nor_command_line_nor_workers_load_a_training_framework_at_once():
    parts = (path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / "pages/parts").rglob("[!_]*.py"))
    program = LIGHT.format(pages=", ".join(map(".".join, parts)), frameworks=FRAMEWORKS)
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        (r"to_csv|csv\.writer|DictWriter", {"files", "store/folders"}),  # the store's tables are no output for people
        (r"os\.walk|\.rglob\(|os\.scandir|os\.listdir", {"data/folders", "visitors"}),  # disk space counts all files
        # a training, and what adds a file, measure it before it is stored; an archive sends the checked file elsewhere
        (
            r"(?<!class )\bClassifier\(",
            {"store/stored_model", "training/train", "measuring/added", "archives/worker"},
        ),
    ],
)
def test_there_is_one_writer_of_csv_one_walker_and_one_way_to_a_classifier(pattern, files):
    users = [path.relative_to(ROOT) for path in production_files() if re.search(pattern, path.read_text("utf-8"))]
    assert {path.as_posix() for path in users} == {f"fer_core/{file}.py" for file in files}
