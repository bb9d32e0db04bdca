"""What is in a folder of pictures, without junk: the same for all commands, pages and unpacked zips."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from fer_core.names import is_junk
from fer_core.types import FerError


def entries(folder: Path) -> list[Path]:
    """Return the files and folders in a folder, sorted, without junk (see `names.is_junk`).

    Raises:
        FerError: the folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not is_junk(path.name))
    except OSError as error:
        _unreadable(error)


def files_in(folder: Path) -> list[Path]:
    """Return the files in a folder and its subfolders, sorted, without junk (see `names.is_junk`).

    Symbolic links are followed; a folder that several links lead to is read once.

    Raises:
        FerError: a folder cannot be read.
    """
    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=_unreadable, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not is_junk(name))
        found += [path for name in names if not is_junk(name) and (path := Path(place, name)).is_file()]
    return sorted(found)


def _unreadable(error: OSError) -> NoReturn:
    raise FerError(
        f"The folder {str(error.filename)[-80:]} cannot be read ({error.strerror}). Check its permissions."
    ) from error
