"""The seven expressions, and the classes of models that people name themselves: order, names and colours."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

EXPRESSIONS: Final[tuple[str, ...]] = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Names in FER2013's order: the position of a name is its class index."""

NUM_CLASSES: Final = len(EXPRESSIONS)

COLORS: Final[dict[str, str]] = {
    "angry": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "happy": "#E69F00",
    "sad": "#0072B2",
    "surprise": "#56B4E9",
    "neutral": "#7F7F7F",
}
"""Okabe and Ito's palette for colour-blind readers (jfly.uni-koeln.de/color). Always show the name as well."""

_FURTHER: Final = ("#882255", "#DDCC77", "#117733")
"""Of other classes: from Paul Tol's palette "muted" (sronpersonalpages.nl/~pault), those far from the seven."""

MAX_CLASSES: Final = 10
MAX_CLASS_NAME: Final = 30  # letters

COLUMNS: Final = (
    *("file", "error", "frame", "seconds", "face", "x", "y", "width", "height", "expression"),
    *("sure", "detector_score", "roll", "yaw", "pitch", "model"),
    *(f"{point}_{axis}" for point in ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth") for axis in "xy"),
)
"""Columns of tables of faces that a class cannot be named after, because its probability has a column of its name."""

NOT_SURE: Final = "not sure"
"""What a model says instead of an expression if its confidence is below its threshold."""

_ALIASES: Final[dict[str, str]] = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "suprise": "surprise",  # as in a common edition of FER+
}


def expression_index(name: str) -> int:
    """Return the class index of an expression's name, in any case, or of another common name such as "happiness".

    Raises:
        ValueError: the name is none of the seven.
    """
    key = name.strip().lower()
    key = _ALIASES.get(key, key)
    if key not in EXPRESSIONS:
        raise ValueError(f"Unknown expression. Expected one of {', '.join(EXPRESSIONS)}. Received: {name!r}")
    return EXPRESSIONS.index(key)


def checked_classes(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of a model's classes in their order, as `checked_class` does.

    Raises:
        ValueError: there are fewer than 2 or more than `MAX_CLASSES`, two differ only in case, or one is not valid.
    """
    classes = tuple(map(checked_class, names))
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise ValueError(
            f"Expected 2 to {MAX_CLASSES} classes. Received: {len(classes)} ({', '.join(classes)[:80] or 'none'})"
        )
    folded = [name.casefold() for name in classes]
    if twice := [name for name in classes if folded.count(name.casefold()) > 1]:
        raise ValueError(f"Two classes have names that differ only in case: {', '.join(twice)}. Rename one.")
    return classes


def checked_class(name: str) -> str:
    """Return a class's name without spaces around it.

    Raises:
        ValueError: it is empty, too long, a column of tables, or has other characters than letters of any script,
            digits, spaces and `-_()`. It is therefore safe in HTML, in CSV files and as a folder's name.
    """
    name = " ".join(unicodedata.normalize("NFC", name).split())
    letters = all(unicodedata.category(letter)[0] in "LMN" or letter in " -_()" for letter in name)
    if not letters or not 1 <= len(name) <= MAX_CLASS_NAME or not name[0].isalnum():
        raise ValueError(
            f"A class needs a name of 1 to {MAX_CLASS_NAME} letters, digits, spaces and -_(), with a letter or digit "
            f"first. Received: {name[:80]!r}"
        )
    if name.lower() in (*COLUMNS, NOT_SURE):
        raise ValueError(f"A class cannot be named {name!r}, which is a word of FER Lab's tables. Rename it.")
    return name


def class_colors(classes: tuple[str, ...]) -> dict[str, str]:
    """Return the colour of each class: the seven keep theirs, others get further ones in their order."""
    own = {name: COLORS[name] for name in classes if name in COLORS}
    free = (color for color in (*_FURTHER, *COLORS.values()) if color not in own.values())
    return {name: own.get(name) or next(free) for name in classes}


def is_dark(color: str) -> bool:
    """Whether light text has more contrast on a `#rrggbb` colour than dark text (relative luminance of WCAG 2)."""
    channels = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in channels)
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True)) <= 0.179
