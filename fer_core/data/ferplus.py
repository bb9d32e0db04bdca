"""FER+: read the table of the annotators' votes (Barsoum et al., 2016)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from fer_core.data.dataset import VOTE_COLUMNS, FerPlusVotes
from fer_core.data.fer2013_rows import known_rows, same_rows
from fer_core.files import home
from fer_core.tables import read_rows, shortened
from fer_core.types import FerError

FILE_NAMES: Final[tuple[str, ...]] = ("ferplus_votes.csv", "fer2013new.csv")
_NAME: Final = "Image name"
_UNNAMED: Final = -1  # as in `known_rows`
HOW_TO_GET: Final = (
    "Get them with `fer-lab data download` (1.6 MB from GitHub), or set the environment variable "
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
    """Load the votes of FER+, in the row order of the original `fer2013.csv`, whatever the order of the table.

    A row belongs to the face with its image name (`fer0000032.png`). The names of FER+ are not row numbers, and four
    names stand for two faces each: their votes, from more for neutral to less, are in the order of the faces. Pictures
    that FER+ removed have no name and all the same votes. A face that the table does not name has no votes.

    Args:
        path: `fer2013new.csv` of FER+. By default the value of the environment variable `FERPLUS_PATH`, else
            `ferplus_votes.csv` or `fer2013new.csv` in `home()/fer2013`.

    Raises:
        FerError: the table is missing, empty or damaged, a column is missing, a row has invalid votes, or the rows
            name no faces. Rows are counted from 1 below the header.
    """
    source = find_ferplus(path)
    if source is None:
        raise FerError(f"The FER+ votes are not here. {HOW_TO_GET}")
    names, counts = [], []
    for where, (name, *values) in read_rows(source, (_NAME, *VOTE_COLUMNS)):
        names.append(_number(name))
        counts.append(_votes(values, where))
    table = pd.DataFrame(counts, columns=list(VOTE_COLUMNS)).assign(name=names)
    known = pd.DataFrame({"name": known_rows().names})
    if len(table[table["name"] == _UNNAMED].drop_duplicates()) > 1:
        raise FerError(f"{source.name} has different votes in rows without an image name, so nobody can tell whose.")
    at, rows = same_rows(table.sort_values(list(VOTE_COLUMNS), ascending=False), known, ["name"])
    if not len(rows):
        raise FerError(
            f"{source.name} names no face of FER2013. Expected names such as fer0000032.png in the column {_NAME!r}."
        )
    votes = np.zeros((len(known), len(VOTE_COLUMNS)), np.int64)
    votes[rows] = table.loc[at, list(VOTE_COLUMNS)]
    return FerPlusVotes(votes)


def _number(name: str) -> int:
    """Return the number in an image name; `_UNNAMED` for an empty one, -2 for a name that is not of FER+."""
    found = re.fullmatch(r"fer(\d{1,9})\.png", name.strip())
    return int(found[1]) if found else -2 if name.strip() else _UNNAMED


def _votes(values: list[str], where: str) -> list[int]:
    for column, value in zip(VOTE_COLUMNS, values, strict=True):
        if not (value.strip().isdecimal() and len(value) < 10):
            raise FerError(
                f"{where} has no valid votes for {column!r}. Expected a whole number, 0 or more. "
                f"Received: {shortened(value)}"
            )
    return [int(value) for value in values]
