"""The screens of the lecture and their order, which a lecturer can change and keep.

Example:
    >>> from fer_core.sections.screens import SCREENS, steps
    >>> SCREENS["crop"].sentence
    'This is all that the model sees: 48 × 48 gray pixels.'
    >>> steps(["face", "class"], faces=1)
    ['face', 'class', 'class-1', 'class-1-votes', 'class-1-model', 'class-result']
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_core.files import read_json, write_json
from fer_core.types import FerError
from fer_core.visitors import own_home

CLASS: Final = "class"
"""The screen that, once a room is open, is followed by screens for each face, and by the result."""

_FILE: Final = "lecture.json"


@dataclass(frozen=True)
class Screen:
    """One idea of the lecture.

    Attributes:
        name: in the address.
        title: in the overview.
        notes: two lines for the lecturer.
        minutes: it takes about so long.
        sentence: above the picture or chart; empty if it is made from the screen's numbers.
        page: address of the page whose button Present leads to this screen; empty for none.
    """

    name: str
    title: str
    notes: tuple[str, str]
    minutes: float
    sentence: str = ""
    page: str = ""


def _read() -> dict[str, Screen]:
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["screens"]
    return {entry["name"]: Screen(**entry | {"notes": tuple(entry["notes"])}) for entry in entries}


SCREENS: Final = _read()
"""All screens by name, in the order of the lecture that is ready."""


def lecture() -> list[Screen]:
    """Return the screens to show, in the lecturer's own order if one was saved with `save_lecture`."""
    try:
        saved = (read_json(own_home() / _FILE) or {}).get("screens")
    except FerError:  # there is no data folder
        saved = None
    known = [SCREENS[name] for name in saved if name in SCREENS] if isinstance(saved, list) else []
    return known or list(SCREENS.values())


def save_lecture(names: Sequence[str]) -> None:
    """Keep which screens are shown, and in which order, in the data folder; all of them in their own order for none.

    Raises:
        FerError: a name is unknown or given twice.
    """
    if not set(names) <= SCREENS.keys() or len(set(names)) < len(names):
        raise FerError(f"Expected names of screens, each once: {', '.join(SCREENS)}. Received: {', '.join(names)}")
    write_json(own_home() / _FILE, {"screens": list(names)})


def steps(names: Iterable[str], *, faces: int = 0, votes: bool = True) -> list[str]:
    """Return the addresses of the screens in their order.

    Args:
        names: of the screens.
        faces: of the room's round, each with a screen for the class, the annotators and the model; 0 without a room.
        votes: whether there are annotators.
    """
    parts = ("", "-votes", "-model") if votes else ("", "-model")
    played = [f"{CLASS}-{number}{part}" for number in range(1, faces + 1) for part in parts]
    all_of_class = [CLASS, *played, *([f"{CLASS}-result"] if faces else [])]
    return [step for name in names for step in (all_of_class if name == CLASS else [name])]


def screen_at(step: str) -> Screen | None:
    """Return the screen that an address belongs to, or None: `class-3-votes` belongs to `class`."""
    return SCREENS.get(step.partition("-")[0])
