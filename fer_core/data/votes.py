"""The votes of FER+: what ten annotators said of each face (Barsoum et al., 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.labels import NUM_CLASSES, expression_index
from fer_core.types import FerError

VOTE_COLUMNS: Final[tuple[str, ...]] = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""The possible votes in the file's order; "NF" is "not a face"."""

_OURS: Final[NDArray[np.int64]] = np.array(
    [expression_index(name) for name in VOTE_COLUMNS[:NUM_CLASSES]] + [-1] * (len(VOTE_COLUMNS) - NUM_CLASSES)
)  # class index of each vote column; -1 for contempt, unknown and not a face


@dataclass(frozen=True, eq=False)
class FerPlusVotes:
    """Votes on faces, in the order of the faces.

    Attributes:
        votes: `(n, 10)` int64, a column for each of `VOTE_COLUMNS`.
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

    def __getitem__(self, selection: NDArray) -> FerPlusVotes:
        """Return the votes on the faces that a mask `(n,)` or indices select."""
        return FerPlusVotes(self.votes[selection])

    def plurality(self) -> NDArray[np.int64]:
        """Return the expression with most votes, `(n,)` class indices in the order of `labels.EXPRESSIONS`.

        -1 if there is a tie or no vote, or if contempt, unknown or not-a-face has most votes.
        """
        top = self.votes.max(axis=1, initial=0)
        alone = (self.votes == top[:, None]).sum(axis=1) == 1
        return np.where(alone & (top > 0), _OURS[self.votes.argmax(axis=1)], -1)

    def shares(self) -> NDArray[np.float32]:
        """Return the shares of votes for the seven expressions, `(n, 7)`; zeros for a face without such votes.

        Votes for contempt, unknown and not-a-face are left out.
        """
        counts = self.counts()
        return (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).astype(np.float32)

    def counts(self) -> NDArray[np.int64]:
        """Return the votes for the seven expressions, `(n, 7)` in the order of `labels.EXPRESSIONS`."""
        counts = np.zeros((len(self), NUM_CLASSES), np.int64)
        counts[:, _OURS[:NUM_CLASSES]] = self.votes[:, :NUM_CLASSES]
        return counts

    def agreement(self) -> NDArray[np.float64]:
        """Return the share of votes for the most frequent answer, `(n,)`; NaN for a face without votes."""
        total = self.votes.sum(axis=1)
        top = self.votes.max(axis=1, initial=0)
        return np.divide(top, total, out=np.full(len(self), np.nan), where=total > 0)
