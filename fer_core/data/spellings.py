"""How the data sets of the field name expressions, splits and columns: words, numbers and file names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from fer_core.labels import EXPRESSIONS, NUM_CLASSES, expression_index
from fer_core.types import FerError

CONTEMPT: Final = "contempt"
"""The eighth class of AffectNet, FER+ and CK+, which the models here do not have."""

NUMBERS: Final[dict[str, tuple[str, ...]]] = {
    "rafdb": ("", "surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"),
    "affectnet": ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", CONTEMPT),
    "fer2013": (*EXPRESSIONS, CONTEMPT),
    "ferplus": ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", CONTEMPT),
    "ckplus": ("neutral", "angry", CONTEMPT, "disgust", "fear", "happy", "sad", "surprise"),
}
"""The expression of each number, from 0, in data sets that count. RAF-DB counts from 1."""

FILE_NAMES: Final[dict[str, re.Pattern[str]]] = {
    "JAFFE": re.compile(r"^[A-Z]{2}\.(AN|DI|FE|HA|NE|SA|SU)\d\.\d+\."),
    "KDEF": re.compile(r"^[AB][FM]\d\d(AF|AN|DI|HA|NE|SA|SU)(?:FL|FR|HL|HR|S)\."),
}
"""File names that tell the expression by two letters, as in KA.AN1.39.tiff."""

_LETTERS: Final = dict(zip(("AN", "DI", "FE", "AF", "HA", "SA", "SU", "NE"), (0, 1, 2, 2, 3, 4, 5, 6), strict=True))

SPLITS: Final = ("Training", "Validation", "Test")
"""The splits of a data set of one's own, as far as it has them."""

_SPLITS: Final = {
    **dict.fromkeys(("train", "training", "fer2013train"), SPLITS[0]),
    **dict.fromkeys(("val", "valid", "validation", "dev", "publictest", "fer2013valid"), SPLITS[1]),
    **dict.fromkeys(("test", "testing", "privatetest", "fer2013test"), SPLITS[2]),
}

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "file": ("image", "path", "filename", "file_name", "image_path", "pth"),
    "expression": ("emotion", "label"),
    "split": ("usage", "subset"),
}
"""Other names of the columns of a table that are not groups."""


def split_of(name: str) -> str:
    """Return the one of `SPLITS` that a folder or cell names; empty if none."""
    return _SPLITS.get(name.strip().lower().rstrip("/"), "")


def is_word(name: str) -> bool:
    """Tell whether a name is a word for one of the seven expressions, or contempt."""
    return name.strip().lower() == CONTEMPT or index_of(name) >= 0


def is_number(name: str) -> bool:
    """Tell whether a name is a number that may stand for an expression."""
    return re.fullmatch(r"0?[0-7]", name.strip()) is not None


def read_expressions(names: Iterable[str], shown: str, numbers: str | None = None) -> tuple[dict[str, int], list[str]]:
    """Return the class index of each different name, -1 for one that is none of the seven, and a sentence on numbers.

    Numbers are RAF-DB's if they are from 1 to 7, AffectNet's if they are from 0 to 7. From 0 to 6 they can be those of
    FER2013 or of AffectNet, so `numbers`, one of `NUMBERS`, must say which; it also decides otherwise.

    Raises:
        FerError: the names are words and numbers, or it is unclear which numbers they are.
    """
    known = {name for name in names if name}
    digits = {name: int(name) for name in known if is_number(name)}
    if numbers is not None and numbers not in NUMBERS:
        raise FerError(f"Unknown numbers of expressions. Expected one of {', '.join(NUMBERS)}. Received: {numbers}")
    if not digits:
        return {name: index_of(name) for name in known}, []
    if words := sorted(filter(is_word, known)):
        raise FerError(
            f"{shown[:80]} names expressions by words and by numbers. Use one of both. Received: {words[0]!r} and "
            f"{min(digits)!r}"
        )
    if numbers is None and 0 not in digits.values():
        numbers = "rafdb"
    elif numbers is None and NUM_CLASSES in digits.values():
        numbers = "affectnet"
    elif numbers is None:
        raise FerError(
            f"The numbers of {shown[:80]} may be FER2013's (0 is angry) or AffectNet's (0 is neutral). Say which: "
            "--numbers fer2013 or --numbers affectnet"
        )
    order = NUMBERS[numbers]
    spelled = ", ".join(f"{number} {order[number] or 'nothing'}" for number in sorted(set(digits.values())))
    index = {name: index_of(order[digits[name]]) if name in digits else -1 for name in known}
    return index, [f"The expressions are numbered; they are read as in {numbers}: {spelled}."]


def expression_in_file_name(name: str) -> str:
    """Return the expression that a file name of JAFFE or KDEF tells; empty for other names."""
    for pattern in FILE_NAMES.values():
        if match := pattern.search(name):
            return EXPRESSIONS[_LETTERS[match[1]]]
    return ""


def index_of(name: str) -> int:
    """Return the class index of a word for an expression; -1 for other names."""
    try:
        return expression_index(name)
    except ValueError:
        return -1
