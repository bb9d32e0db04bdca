"""What a model learns from, is watched on and is measured on. Keras-free."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fer_core.data import FerDataset
from fer_core.faces import prepare_faces
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

    Raises:
        FerError: on creation, if there is nothing to learn from or to watch.
    """

    training: FerDataset
    holdout: FerDataset
    tests: FerDataset | None = None
    name: str = FULL
    dataset_fingerprint: str | None = None

    def __post_init__(self) -> None:
        if len(self.training) == 0 or len(self.holdout) == 0:
            raise FerError(
                f"Expected at least one face to learn from and one to watch. Received: {len(self.training)} and "
                f"{len(self.holdout)}"
            )

    @classmethod
    def of(cls, dataset: FerDataset) -> TrainingData:
        """Return FER2013 by the house's protocol: a fixed tenth of Training is watched, both test splits measure.

        Raises:
            FerError: there is no Training split, or it is too small; or one test split is there without the other.
        """
        training, holdout = dataset.holdout()
        if len(found := set(np.unique(dataset.usage)) - {"Training"}) == 1:
            raise FerError(
                f"Expected both test splits of FER2013, PublicTest and PrivateTest, or neither. Received: {found.pop()}"
            )
        tests = dataset.subset(dataset.usage != "Training")
        return cls(training, holdout, tests if len(tests) else None, dataset_fingerprint=dataset.fingerprint)

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
        )


_ARRAYS = ("images", "labels", "usage", "rows")


def _prepared(faces: FerDataset, preprocessing: str) -> FerDataset:
    return FerDataset(prepare_faces(faces.images, preprocessing), faces.labels, faces.usage, faces.rows)
