"""FER+: read the table of the annotators' votes (Barsoum et al., 2016)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np

from fer_core.data.readers import read_rows, shortened
from fer_core.data.votes import VOTE_COLUMNS, FerPlusVotes
from fer_core.files import home
from fer_core.types import FerError

FILE_NAMES: Final[tuple[str, ...]] = ("ferplus_votes.csv", "fer2013new.csv")
HOW_TO_GET: Final = (
    "Get them with `python -m fer_core data download` (1.6 MB from GitHub), or set the environment variable "
    "FERPLUS_PATH to fer2013new.csv from github.com/microsoft/FERPlus."
)


def find_ferplus(path: Path | str | None = None) -> Path | None:
    """Return the table that `load_ferplus(path)` would read; None if there is none.

    Raises:
        FerError: the path, or the environment variable `FERPLUS_PATH`, names a file that is not there.
    """
    given = path if path is not None else os.environ.get("FERPLUS_PATH") or None
    if given is None:
        return next((place for name in FILE_NAMES if (place := home() / "fer2013" / name).is_file()), None)
    if not Path(given).expanduser().is_file():
        raise FerError(f"The FER+ votes are not here. {HOW_TO_GET} Received: {given}")
    return Path(given).expanduser()


def load_ferplus(path: Path | str | None = None) -> FerPlusVotes:
    """Load the votes of FER+, in the row order of `fer2013.csv`.

    Args:
        path: `fer2013new.csv` of FER+. By default the value of the environment variable `FERPLUS_PATH`, else
            `ferplus_votes.csv` or `fer2013new.csv` in `home()/fer2013`.

    Raises:
        FerError: the table is missing, empty or damaged, a column is missing, or a row has invalid votes. Rows are
            counted from 1 below the header.
    """
    source = find_ferplus(path)
    if source is None:
        raise FerError(f"The FER+ votes are not here. {HOW_TO_GET}")
    return FerPlusVotes(
        np.array([_votes(values, where) for where, values in read_rows(source, VOTE_COLUMNS)], dtype=np.int64)
    )


def _votes(values: list[str], where: str) -> list[int]:
    for column, value in zip(VOTE_COLUMNS, values, strict=True):
        if not (value.strip().isdecimal() and len(value) < 10):
            raise FerError(
                f"{where} has no valid votes for {column!r}. Expected a whole number, 0 or more. "
                f"Received: {shortened(value)}"
            )
    return [int(value) for value in values]
