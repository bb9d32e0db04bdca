"""The faces that a model is trained, validated and tested on. Nothing here imports Keras."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FaceDataset, holdout_rule, training_and_holdout
from fer_core.data.holdout import DRAWN
from fer_core.faces import preprocess_faces
from fer_core.types import FerError

FULL = "FER2013 Training without the hold-out"


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The parts of the data for one training.

    Attributes:
        training: faces to fit on.
        holdout: faces for validation and for every choice.
        tests: FER2013's PublicTest and PrivateTest, used once, at the end; None if they are not available.
        unlabelled: `(n, 48, 48)` more faces to fit on, which teachers answer; None for none.
        name: what the model learns from, in words, for its card.
        dataset_fingerprint: of the whole dataset, if the parts make up one.
        holdout_rule: how the hold-out was chosen, in words, for the card.
        scored: faces for the score that recommends a model, if they are more than the hold-out.

    Raises:
        FerError: on creation, if a part is empty.
    """

    training: FaceDataset
    holdout: FaceDataset
    tests: FaceDataset | None = None
    name: str = FULL
    dataset_fingerprint: str | None = None
    holdout_rule: str = DRAWN
    unlabelled: NDArray[np.uint8] | None = None
    scored: FaceDataset | None = None

    def __post_init__(self) -> None:
        if len(self.training) == 0 or len(self.holdout) == 0:
            raise FerError(
                f"Expected at least one face for training and one for validation. Received: {len(self.training)} and "
                f"{len(self.holdout)}"
            )

    @classmethod
    def of(cls, dataset: FaceDataset) -> TrainingData:
        """Divide FER2013: fixed faces of Training are the hold-out, and both test splits are for measuring.

        Raises:
            FerError: the Training split is missing or too small, or one test split is missing.
        """
        training, holdout = training_and_holdout(dataset)
        rule = holdout_rule(dataset.split("training"))
        if len(found := set(np.unique(dataset.usage)) - {"Training"}) == 1:
            raise FerError(
                f"Expected both test splits of FER2013, PublicTest and PrivateTest, or neither. Received: {found.pop()}"
            )
        tests = dataset.subset(dataset.usage != "Training")
        return cls(training, holdout, tests if len(tests) else None, FULL, dataset.fingerprint, rule)

    @cached_property
    def seen(self) -> FaceDataset:
        """All faces that are used in training; copies of test faces among them are counted."""
        images, labels, usage, rows = (
            np.concatenate([getattr(self.training, name), getattr(self.holdout, name)])
            for name in ("images", "labels", "usage", "rows")
        )
        return replace(self.training, images=images, labels=labels, usage=usage, rows=rows, votes=None)

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
        # tests stay as they are: the classifier that measures them applies the preprocessing itself
        parts = (_prepared(self.training, preprocessing), _prepared(self.holdout, preprocessing))
        more = None if self.unlabelled is None else preprocess_faces(self.unlabelled, preprocessing)
        return replace(self, training=parts[0], holdout=parts[1], unlabelled=more, dataset_fingerprint=None)


def _prepared(faces: FaceDataset, preprocessing: str) -> FaceDataset:
    return replace(faces, images=preprocess_faces(faces.images, preprocessing))
