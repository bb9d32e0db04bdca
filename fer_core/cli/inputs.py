"""From what was typed (files, folders, globs) to a list of picture files."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from fer_core.data import IMAGE_SUFFIXES


def picture_files(inputs: Iterable[str]) -> list[Path]:
    """Expand files, folders and globs, in order, each file once.

    A folder gives the pictures in it and below it, by suffix. A name that is nothing of the three stays in the list, so
    that it is reported as missing with the rest.
    """
    found: list[Path] = []
    for text in inputs:
        path = Path(text).expanduser()
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
            found.extend(inside or [path])
        elif not path.exists() and glob.has_magic(text):
            matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207 (absolute patterns)
            found.extend([m for m in matches if m.is_file()] or [path])
        else:
            found.append(path)
    return list(dict.fromkeys(found))
