"""FER+: the votes of ten annotators on each face of FER2013 (Barsoum et al., 2016)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data.readers import read_rows, shortened
from fer_core.files import home
from fer_core.labels import NUM_CLASSES, expression_index
from fer_core.types import FerError

VOTE_COLUMNS: Final[tuple[str, ...]] = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""The possible votes in the file's order; "NF" is "not a face"."""

FILE_NAMES: Final[tuple[str, ...]] = ("ferplus_votes.csv", "fer2013new.csv")
HOW_TO_GET: Final = (
    "Download fer2013new.csv from github.com/microsoft/FERPlus into the data folder's fer2013/, or set the "
    "environment variable FERPLUS_PATH to it."
)

_OURS: Final[NDArray[np.int64]] = np.array(
    [expression_index(name) for name in VOTE_COLUMNS[:NUM_CLASSES]] + [-1] * (len(VOTE_COLUMNS) - NUM_CLASSES)
)  # class index of each vote column; -1 for contempt, unknown and not a face


@dataclass(frozen=True, eq=False)
class FerPlusVotes:
    """Votes in the row order of `fer2013.csv`.

    Attributes:
        votes: `(n, 10)` int64, a column for each of `VOTE_COLUMNS`; n is 35,887 for the whole file.
        columns: `VOTE_COLUMNS`.

    Raises:
        FerError: the array has another shape or type, or negative counts.
    """

    votes: NDArray[np.int64]
    columns: ClassVar[tuple[str, ...]] = VOTE_COLUMNS

    def __post_init__(self) -> None:
        if self.votes.ndim != 2 or self.votes.shape[1] != len(VOTE_COLUMNS) or self.votes.dtype != np.int64:
            received = f"{self.votes.shape} {self.votes.dtype}"
            raise FerError(f"Expected votes of shape (n, 10) and type int64. Received: {received}")
        if self.votes.size and self.votes.min() < 0:
            raise FerError(f"Expected counts of votes, 0 or more. Received: {self.votes.min()}")

    def __len__(self) -> int:
        return len(self.votes)

    def majority(self) -> NDArray[np.int64]:
        """Return the expression with most votes, `(n,)` class indices in the order of `labels.EXPRESSIONS`.

        -1 if there is a tie or no vote, or if contempt, unknown or not-a-face has most votes.
        """
        top = self.votes.max(axis=1, initial=0)
        alone = (self.votes == top[:, None]).sum(axis=1) == 1
        return np.where(alone & (top > 0), _OURS[self.votes.argmax(axis=1)], -1)

    def distribution(self) -> NDArray[np.float64]:
        """Return the shares of votes for the seven expressions, `(n, 7)`; NaN for a face without such votes."""
        counts = np.zeros((len(self), NUM_CLASSES))
        counts[:, _OURS[:NUM_CLASSES]] = self.votes[:, :NUM_CLASSES]
        total = counts.sum(axis=1, keepdims=True)
        return np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)

    def agreement(self) -> NDArray[np.float64]:
        """Return the share of votes for the most frequent answer, `(n,)`; NaN for a face without votes."""
        total = self.votes.sum(axis=1)
        top = self.votes.max(axis=1, initial=0)
        return np.divide(top, total, out=np.full(len(self), np.nan), where=total > 0)

    def align(self, rows: NDArray[np.int64]) -> FerPlusVotes:
        """Return the votes for the faces with these row indices (`FerDataset.rows`), in that order.

        Raises:
            FerError: a row is unknown (-1, as in the edition with image folders) or not in the table.
        """
        if (rows < 0).any():
            raise FerError(
                "FER+ identifies faces by their row in fer2013.csv, which the edition with image folders does not "
                "contain. Load FER2013 from fer2013.csv or fer2013.csv.gz."
            )
        if rows.size and rows.max() >= len(self):
            raise FerError(f"FER+ has votes for {len(self)} rows only. Received: row {rows.max()}")
        return FerPlusVotes(self.votes[rows])


def load_ferplus(path: Path | str | None = None) -> FerPlusVotes:
    """Load the votes of FER+.

    Args:
        path: `fer2013new.csv` of FER+. By default the value of the environment variable `FERPLUS_PATH`, else
            `ferplus_votes.csv` or `fer2013new.csv` in `home()/fer2013`.

    Raises:
        FerError: the table is missing, empty or damaged, a column is missing, or a row has invalid votes. Rows are
            counted from 1 below the header.
    """
    source = _found(path)
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


def _found(path: Path | str | None) -> Path:
    given = path if path is not None else os.environ.get("FERPLUS_PATH") or None
    at_home = [home() / "fer2013" / name for name in FILE_NAMES]
    candidates = at_home if given is None else [Path(given).expanduser()]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        received = f" Received: {given}" if given is not None else ""
        raise FerError(f"The FER+ votes are not here. {HOW_TO_GET}{received}")
    return found
