"""What a model learns from, is watched on and is measured on. Keras-free."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FerDataset, FerPlusVotes
from fer_core.faces import preprocess_faces
from fer_core.labels import NUM_CLASSES
from fer_core.types import FerError

FULL = "FER2013 Training without the fixed hold-out"


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The parts of a training.

    Attributes:
        training: faces to learn from.
        holdout: faces to watch, and to choose anything by.
        tests: FER2013's PublicTest and PrivateTest, looked at once, at the end; None where they are not at hand.
        name: what the model learns from, in words, for its card.
        dataset_fingerprint: of the dataset that all parts together are, if they are a whole one.
        votes: shares of FER+'s votes over the seven expressions, for `training` and `holdout`: two arrays `(n, 7)`
            float32, a row of zeros where no vote can be used. None where the faces have no votes.

    Raises:
        FerError: on creation, if there is nothing to learn from or to watch, or votes of another number.
    """

    training: FerDataset
    holdout: FerDataset
    tests: FerDataset | None = None
    name: str = FULL
    dataset_fingerprint: str | None = None
    votes: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def __post_init__(self) -> None:
        if len(self.training) == 0 or len(self.holdout) == 0:
            raise FerError(
                f"Expected at least one face to learn from and one to watch. Received: {len(self.training)} and "
                f"{len(self.holdout)}"
            )
        for faces, shares in zip((self.training, self.holdout), self.votes or (), strict=False):
            if shares.shape != (len(faces), NUM_CLASSES):
                raise FerError(f"Expected shares of votes of shape ({len(faces)}, 7). Received: {shares.shape}")

    @classmethod
    def of(cls, dataset: FerDataset, votes: FerPlusVotes | None = None) -> TrainingData:
        """Return FER2013 by the house's protocol: a fixed tenth of Training is watched, both test splits measure.

        Args:
            dataset: FER2013.
            votes: of FER+, in the row order of `fer2013.csv`; for recipes that learn from votes.

        Raises:
            FerError: there is no Training split, or it is too small; or one test split is there without the other; or
                votes are given and the faces' rows are unknown.
        """
        training, holdout = dataset.holdout()
        if len(found := set(np.unique(dataset.usage)) - {"Training"}) == 1:
            raise FerError(
                f"Expected both test splits of FER2013, PublicTest and PrivateTest, or neither. Received: {found.pop()}"
            )
        tests = dataset.subset(dataset.usage != "Training")
        shares = None if votes is None else (vote_shares(votes, training), vote_shares(votes, holdout))
        return cls(training, holdout, tests if len(tests) else None, FULL, dataset.fingerprint, shares)

    @cached_property
    def seen(self) -> FerDataset:
        """Everything that is known while training: against it copies in the test splits are counted."""
        parts = (self.training, self.holdout)
        return FerDataset(*(np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS))

    @cached_property
    def fingerprint(self) -> str:
        """Hash (32 hex digits) of all parts."""
        if self.dataset_fingerprint:
            return self.dataset_fingerprint
        parts = [self.training, self.holdout, *([self.tests] if self.tests is not None else [])]
        return hashlib.sha256("".join(part.fingerprint for part in parts).encode()).hexdigest()[:32]

    def prepared(self, preprocessing: str) -> TrainingData:
        """Return the same parts with every face as a model with this preprocessing sees it."""
        if preprocessing == "none":
            return self
        return TrainingData(
            _prepared(self.training, preprocessing),
            _prepared(self.holdout, preprocessing),
            self.tests,  # the served classifier prepares these itself
            self.name,
            votes=self.votes,
        )


def vote_shares(votes: FerPlusVotes, faces: FerDataset) -> NDArray[np.float32]:
    """Return the shares of votes over the seven expressions, `(n, 7)`: zeros where none of the seven has a vote.

    Contempt, unknown and not-a-face are left out.
    """
    return np.nan_to_num(votes.align(faces.rows).distribution()).astype(np.float32)


_ARRAYS = ("images", "labels", "usage", "rows")


def _prepared(faces: FerDataset, preprocessing: str) -> FerDataset:
    return FerDataset(preprocess_faces(faces.images, preprocessing), faces.labels, faces.usage, faces.rows)
