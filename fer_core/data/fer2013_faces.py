"""The faces of FER2013 and what annotators say of them, by row number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FaceDataset, FerPlusVotes, load_fer2013, load_ferplus
from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError, Image

NO_ROWS: Final = "These faces are not those of FER2013, so stored predictions cannot be matched with them."


@dataclass(frozen=True, eq=False)
class Fer2013Faces:
    """The faces of FER2013 and the FER+ votes by row number, as far as they are available.

    Attributes:
        missing: why there are no faces, and how to get them; empty if there are.
        votes_missing: the same for the votes.
        dataset: all faces; None if they are missing.
    """

    missing: str = ""
    votes_missing: str = ""
    dataset: FaceDataset | None = field(default=None, repr=False)
    _places: dict[int, int] = field(default_factory=dict, repr=False)
    _votes: FerPlusVotes | None = field(default=None, repr=False)

    def face(self, row: int, label: str) -> Image | None:
        """Return a face, `(48, 48)` uint8 gray; None if there is no such row or FER2013's label of it is another."""
        place = self._places.get(row)
        if self.dataset is None or place is None or EXPRESSIONS[self.dataset.labels[place]] != label:
            return None
        return self.dataset.images[place]

    def agreement(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the share of votes for the annotators' most frequent answer, `(n,)`; NaN where there are no votes."""
        shares = np.full(len(rows), np.nan)
        if self._votes is not None:
            known = (rows >= 0) & (rows < len(self._votes))
            shares[known] = self._votes[rows[known]].agreement()
        return shares

    def votes(self, row: int) -> str:
        """Return the votes of the ten annotators, most votes first ("disgust 6, neutral 3"); empty if unknown."""
        if self._votes is None or not 0 <= row < len(self._votes):
            return ""
        counts = self._votes.votes[row]
        order = np.argsort(-counts, kind="stable")
        names = {"happiness": "happy", "sadness": "sad", "anger": "angry", "NF": "not a face"}
        columns = [names.get(column, column) for column in self._votes.columns]
        return ", ".join(f"{columns[k]} {counts[k]}" for k in order if counts[k])


def load_fer2013_faces() -> Fer2013Faces:
    """Load FER2013 and FER+ from their usual places; what is missing is explained, not raised."""
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
    return Fer2013Faces(missing, votes_missing, dataset, places, votes)
