"""FER2013's faces and the annotators' votes, looked up by row number. Faces are shown, never stored."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FerDataset, FerPlusVotes, load_fer2013, load_ferplus
from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError, Image

NO_ROWS = (
    "This edition of FER2013 holds no row numbers, so a stored prediction cannot be matched with its face. Use "
    "fer2013.csv to see the faces."
)


@dataclass(frozen=True, eq=False)
class Album:
    """What is at hand of FER2013 and FER+.

    Attributes:
        missing: the sentence that says why there are no faces and how to get them; empty if there are.
        votes_missing: the same of the annotators' votes.
    """

    missing: str = ""
    votes_missing: str = ""
    _dataset: FerDataset | None = field(default=None, repr=False)
    _places: dict[int, int] = field(default_factory=dict, repr=False)
    _votes: FerPlusVotes | None = field(default=None, repr=False)

    def face(self, row: int, actual: str) -> Image | None:
        """Return a face, `(48, 48)` uint8 gray; None if the data at hand has no such row or labels it otherwise."""
        place = self._places.get(row)
        if self._dataset is None or place is None or EXPRESSIONS[self._dataset.labels[place]] != actual:
            return None
        return self._dataset.images[place]

    def votes(self, row: int) -> str:
        """Return what the ten annotators said, most votes first ("disgust 6, neutral 3"); empty if unknown."""
        if self._votes is None or not 0 <= row < len(self._votes):
            return ""
        counts = self._votes.votes[row]
        order: NDArray[np.int64] = np.argsort(-counts, kind="stable")
        return ", ".join(f"{_spoken(self._votes.columns[k])} {counts[k]}" for k in order if counts[k])


def open_album() -> Album:
    """Load FER2013 and FER+ from where they are; what is not there is said, not raised."""
    dataset, votes, missing, votes_missing = None, None, "", ""
    try:
        dataset = load_fer2013()
    except FerError as error:
        missing = str(error)
    try:
        votes = load_ferplus()
    except FerError as error:
        votes_missing = str(error)
    places = {int(row): place for place, row in enumerate(dataset.rows) if row >= 0} if dataset is not None else {}
    if dataset is not None and not places:
        missing = NO_ROWS
    return Album(missing, votes_missing, dataset, places, votes)


def _spoken(column: str) -> str:
    words = {"happiness": "happy", "sadness": "sad", "anger": "angry", "NF": "not a face"}
    return words.get(column, column)
