"""Names of files from disks, zips and tables: how they are compared and printed, which are junk, and distinct ones."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath
from typing import Final

_JUNK: Final = (
    *("__macosx", "@eadir", "@recycle", "#recycle", "#snapshot", "$recycle.bin", "system volume information"),
    *("lost+found", "thumbs.db", "ehthumbs.db", "desktop.ini"),
)


def is_junk(name: str) -> bool:
    """Tell whether a file or folder (its name alone) is hidden, or made by a system for itself, such as thumbnails."""
    return name.startswith(".") or name.lower() in _JUNK


def upper_first(words: str) -> str:
    """Return words with a capital first letter, and the others as they are."""
    return words[:1].upper() + words[1:]


def readable(text: str) -> str:
    """Return text that can be written as UTF-8: a byte of a file name that is not UTF-8 becomes `%` and two digits."""
    return re.sub("[\ud800-\udfff]", lambda byte: f"%{ord(byte[0]) & 0xFF:02X}", text)


def normal_name(name: str) -> str:
    """Return the form in which names are compared: `/` between folders, Unicode's form NFC, and `readable`."""
    return unicodedata.normalize("NFC", readable(name.replace("\\", "/")))


def distinct(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return file names that are distinct on any disk, also on those that ignore case or Unicode's form.

    A name that was there before, or is taken by another file in the folder, gets a number: `anna-2.png`.
    """
    used = set(map(_folded, taken))
    numbers: Counter[str] = Counter()
    result = []
    for name in names:
        chosen = name
        while _folded(chosen) in used:
            numbers[_folded(name)] += 1
            chosen = f"{PurePath(name).stem}-{numbers[_folded(name)] + 1}{PurePath(name).suffix}"
        used.add(_folded(chosen))
        result.append(chosen)
    return result


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
