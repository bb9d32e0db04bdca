"""The faces that a model is trained, validated and tested on. Nothing here imports Keras."""

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
    """The parts of the data for one training.

    Attributes:
        training: faces to fit on.
        holdout: faces for validation and for every choice.
        tests: FER2013's PublicTest and PrivateTest, used once, at the end; None if they are not available.
        name: what the model learns from, in words, for its card.
        dataset_fingerprint: of the whole dataset, if the parts make up one.
        votes: shares of FER+'s votes over the seven expressions for `training` and `holdout`: two arrays `(n, 7)`
            float32, with a row of zeros where no vote can be used. None if the faces have no votes.

    Raises:
        FerError: on creation, if a part is empty or the votes have another number of rows.
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
                f"Expected at least one face for training and one for validation. Received: {len(self.training)} and "
                f"{len(self.holdout)}"
            )
        for faces, shares in zip((self.training, self.holdout), self.votes or (), strict=False):
            if shares.shape != (len(faces), NUM_CLASSES):
                raise FerError(f"Expected shares of votes of shape ({len(faces)}, 7). Received: {shares.shape}")

    @classmethod
    def of(cls, dataset: FerDataset, votes: FerPlusVotes | None = None) -> TrainingData:
        """Divide FER2013: a fixed tenth of Training is the hold-out, and both test splits are for measuring.

        Args:
            dataset: FER2013.
            votes: of FER+, in the row order of `fer2013.csv`; for recipes that learn from votes.

        Raises:
            FerError: the Training split is missing or too small, one test split is missing, or votes are given for
                faces whose rows are unknown.
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
        """All faces that are used in training; copies of test faces among them are counted."""
        parts = (self.training, self.holdout)
        return FerDataset(*(np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all parts, 32 hexadecimal digits."""
        if self.dataset_fingerprint:
            return self.dataset_fingerprint
        parts = [self.training, self.holdout, *([self.tests] if self.tests is not None else [])]
        return hashlib.sha256("".join(part.fingerprint for part in parts).encode()).hexdigest()[:32]

    def prepared(self, preprocessing: str) -> TrainingData:
        """Return the same parts with every face preprocessed, as in `fer_core.faces.prepare_faces`."""
        if preprocessing == "none":
            return self
        return TrainingData(
            _prepared(self.training, preprocessing),
            _prepared(self.holdout, preprocessing),
            self.tests,  # the classifier that measures them applies the preprocessing itself
            self.name,
            votes=self.votes,
        )


def vote_shares(votes: FerPlusVotes, faces: FerDataset) -> NDArray[np.float32]:
    """Return the shares of votes over the seven expressions, `(n, 7)`; zeros if none of the seven has a vote.

    Votes for contempt, unknown and not-a-face are left out.
    """
    return np.nan_to_num(votes.align(faces.rows).distribution()).astype(np.float32)


_ARRAYS = ("images", "labels", "usage", "rows")


def _prepared(faces: FerDataset, preprocessing: str) -> FerDataset:
    return FerDataset(preprocess_faces(faces.images, preprocessing), faces.labels, faces.usage, faces.rows)
