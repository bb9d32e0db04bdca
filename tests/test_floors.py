"""The house stands: a room imports only from floors below it, and serving stays free of TensorFlow."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = [
    {"labels"},
    {"types", "columns", "threads"},
    {"files"},
    {"processes"},
    {"data", "models", "evaluation", "figures"},
    {"faces", "card"},
    {"store"},
    {"inference"},
    {"training", "explain", "benchmarks", "comparison"},
    {"runs"},
    {"tuning"},
    {"report"},
    {"cli"},
]
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
FIGURES_MAY_NAME = {"evaluation"}
HEAVY = {"tensorflow", "keras", "torch", "jax", "streamlit"}


def imported(path: Path) -> set[str]:
    """Dotted names of everything a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "fer_core").parts[0].removesuffix(".py")


def package_files() -> list[Path]:
    skipped = {"__init__", "__main__"}
    return [p for p in (ROOT / "fer_core").rglob("*.py") if room_of(p) not in skipped]


def test_rooms_import_only_from_below():
    wrong = []
    for path in package_files():
        room = room_of(path)
        for name in imported(path):
            parts = name.split(".")
            if parts[0] in {"pages", "app", "tests"}:
                wrong.append(f"{path.name} imports {name}")
            if parts[0] != "fer_core" or len(parts) < 2 or parts[1] not in LEVEL or parts[1] == room:
                continue
            beside = room == "figures" and parts[1] in FIGURES_MAY_NAME
            if LEVEL[parts[1]] >= LEVEL[room] and not beside:
                wrong.append(f"{room}/{path.name} imports {name}")
    assert not wrong


def test_every_room_has_its_floor():
    assert {room_of(path) for path in package_files()} <= set(LEVEL)


def test_only_training_models_and_benchmarks_name_a_training_framework():
    allowed = {"models", "training", "benchmarks", "runs", "tuning", "cli"}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in package_files()
        for name in imported(path)
        if name.split(".")[0] in HEAVY and (room_of(path) not in allowed or name.split(".")[0] == "streamlit")
    ]
    assert not wrong


def test_pages_touch_no_arrays():
    wrong = [path.name for path in (ROOT / "pages").rglob("*.py") if {"numpy", "cv2", "PIL"} & imported(path)]
    assert not wrong
