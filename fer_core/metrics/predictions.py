"""Labels and probabilities, validated, and the predictions of several models on the same faces, aligned by face."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer_core.columns import YARDSTICKS, percent
from fer_core.labels import EXPRESSIONS, NUM_CLASSES
from fer_core.types import FerError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SUM_TOLERANCE: Final = 1e-3
"""Tolerance for the sum of a row; seven float16 numbers may be off by about 5e-4."""

ENSEMBLE: Final = "+ensemble"
"""Name of the ensemble among the models. No folder of the store can have it."""


def as_labels(y_true: ArrayLike, name: str = "y_true", classes: int = NUM_CLASSES) -> IntArray:
    """Return labels as `(n,)` int64.

    Raises:
        ValueError: they are not one-dimensional, empty, not integers, or not from 0 to below `classes`.
    """
    labels = np.asarray(y_true)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(f"Expected {name} of shape (n,) with n >= 1. Received: shape {labels.shape}")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"Expected {name} of an integer type. Received: {labels.dtype}")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise ValueError(f"Expected {name} in 0..{classes - 1}. Received: values from {low} to {high}")
    return labels.astype(np.int64)


def as_probabilities(proba: ArrayLike, name: str = "proba") -> FloatArray:
    """Return probabilities as `(n, classes)` float64, each row scaled to sum to exactly 1.

    Raises:
        ValueError: the shape is another, a value is not finite or negative, or a row does not sum to 1.
    """
    values = np.asarray(proba)
    if values.ndim != 2 or values.shape[1] < 2 or values.shape[0] == 0:
        raise ValueError(f"Expected {name} of shape (n, classes) with n >= 1. Received: shape {values.shape}")
    if values.dtype.kind not in "fiub":
        raise ValueError(f"Expected {name} of a real number type. Received: {values.dtype}")
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        row = int(np.isfinite(values).all(axis=1).argmin())
        raise ValueError(f"Expected finite numbers in {name}. Received: {values[row].tolist()} in row {row}")
    if values.min() < 0:
        row = int((values < 0).any(axis=1).argmax())
        raise ValueError(f"Expected no negative number in {name}. Received: {values[row].min()} in row {row}")
    sums = values.sum(axis=1, keepdims=True)
    worst = int(np.abs(sums - 1).argmax())
    if abs(sums[worst, 0] - 1) > SUM_TOLERANCE:
        raise ValueError(
            f"Expected every row of {name} to sum to 1 within {SUM_TOLERANCE}. "
            f"Received: a sum of {sums[worst, 0]:.6g} in row {worst}"
        )
    scaled: FloatArray = values / sums
    return scaled


def is_graded(values: FloatArray) -> bool:
    """Return whether probabilities `(n, classes)` are more than one answer each, with 1 for it and 0 for the rest."""
    return bool(((values > 0) & (values < 1)).any())


def as_pair(y_true: ArrayLike, proba: ArrayLike, name: str = "proba") -> tuple[IntArray, FloatArray]:
    """Return validated labels `(n,)` and probabilities `(n, classes)`."""
    values = as_probabilities(proba, name)
    labels = as_labels(y_true, classes=values.shape[1])
    if len(labels) != len(values):
        raise ValueError(
            f"Expected y_true and {name} of equal length. Received: {len(labels)} labels, {len(values)} rows"
        )
    return labels, values


def as_models(y_true: ArrayLike, probas: Mapping[str, ArrayLike]) -> tuple[IntArray, dict[str, FloatArray]]:
    """Return validated labels `(n,)` and the probabilities `(n, classes)` of each model."""
    if not probas:
        raise ValueError("Expected at least one model's probabilities. Received: none")
    pairs = {name: as_pair(y_true, values, name) for name, values in probas.items()}
    return next(iter(pairs.values()))[0], {name: values for name, (_, values) in pairs.items()}


def check_fraction(value: float, name: str) -> float:
    """Return `value` if it is greater than 0 and less than 1, otherwise raise a ValueError."""
    if not 0 < value < 1:
        raise ValueError(f"Expected {name} between 0 and 1. Received: {value}")
    return float(value)


def check_count(value: int, name: str) -> int:
    """Return `value` if it is an integer of at least 1, otherwise raise a ValueError."""
    if int(value) != value or value < 1:
        raise ValueError(f"Expected {name} to be a whole number of at least 1. Received: {value}")
    return int(value)


def check_yardstick(by: str) -> None:
    """Raise a FerError if predictions cannot be judged by this: it is not one of `columns.YARDSTICKS`."""
    if by not in YARDSTICKS:
        raise FerError(f"Expected by to be one of {', '.join(YARDSTICKS)}. Received: {by}")


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions of several models on the same faces. Arrays become read-only, because sessions share them.

    Attributes:
        split: "PublicTest", "PrivateTest", or the name of a data set of one's own.
        view: "plain" or "flip".
        by: what the predictions are judged by, one of `columns.YARDSTICKS`.
        rows: `(n,)` int64, row numbers in FER2013, -1 if unknown; of an own data set, the places among its test faces.
        labels: `(n,)` int64, class indices: the right answers by this yardstick.
        given: `(n,)` int64, the labels of the data set.
        split_faces: number of faces of the split; more than n if some have no answer by this yardstick.
        probabilities: `(n, classes)` float64 by name of the model; rows sum to 1.
        titles: the name that people read, by name of the model.
        own: what the faces are if they are not FER2013's, such as "Test of rafdb"; else empty.
        classes: what the models tell apart: the seven expressions, or classes of their own.
    """

    split: str
    view: str
    by: str
    rows: IntArray
    labels: IntArray
    given: IntArray
    split_faces: int
    probabilities: Mapping[str, FloatArray]
    titles: Mapping[str, str]
    own: str = ""
    classes: tuple[str, ...] = EXPRESSIONS

    def __post_init__(self) -> None:
        for values in (self.rows, self.labels, self.given, *self.probabilities.values()):
            values.setflags(write=False)
        for name, values in self.probabilities.items():
            if values.shape[1] != len(self.classes):
                received = f"{values.shape[1]} of {name}"
                raise ValueError(f"Expected probabilities of {len(self.classes)} classes. Received: {received}")

    @property
    def names(self) -> list[str]:
        """Names of the models in the order of the store, an ensemble last."""
        return list(self.probabilities)

    @property
    def where(self) -> str:
        """Split, view and yardstick as text, for captions."""
        view = "plain" if self.view == "plain" else "averaged with the mirror image"
        return f"{self.own or self.split}, {view}, judged by {self.judge}"

    @property
    def judge(self) -> str:
        """What the predictions are judged by, in a few words."""
        return f"the labels of {self.split}" if self.own else YARDSTICKS[self.by]

    @property
    def yardstick(self) -> str:
        """What the predictions are judged by, in a sentence with the number of faces."""
        if self.own:
            return f"Judged by {self.judge}, on {len(self.labels):,} faces ({self.own})."
        if self.by == "label":
            return f"Judged by FER2013's own label, on {len(self.labels):,} faces."
        same = (self.labels == self.given).mean()
        return (
            "Judged by the answer that FER+'s ten annotators gave most often, on the "
            f"{len(self.labels):,} of {self.split_faces:,} faces with one clear answer. FER2013's own label is the "
            f"same on {percent(same, '.1%')} of them."
        )

    def only(self, names: Iterable[str]) -> Predictions:
        """Return the predictions of these models only, in the same order; of all if no name is known."""
        chosen = set(names) & set(self.probabilities)
        if not chosen:
            return self
        return replace(self, probabilities={n: p for n, p in self.probabilities.items() if n in chosen})

    def of_faces(self, kept: NDArray[np.bool_], **changes: Any) -> Predictions:
        """Return the predictions of the faces that a mask `(n,)` keeps, with changed attributes."""
        return replace(
            self,
            rows=self.rows[kept],
            labels=self.labels[kept],
            given=self.given[kept],
            probabilities={name: values[kept] for name, values in self.probabilities.items()},
            **changes,
        )

    def of_rows(self, rows: Iterable[int]) -> Predictions:
        """Return the predictions of the faces with these row numbers, in the same order; others are left out."""
        chosen = np.fromiter(set(rows), np.int64)
        return self.of_faces(np.isin(self.rows, chosen), split_faces=len(chosen))

    def plus(self, name: str, title: str, probabilities: FloatArray) -> Predictions:
        """Return the predictions with one more model."""
        return replace(
            self, probabilities={**self.probabilities, name: probabilities}, titles={**self.titles, name: title}
        )


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Return the predictions of one or more splits together, of the models that have predictions of all of them."""
    first = parts[0]
    names = [name for name in first.names if all(name in part.probabilities for part in parts)]
    return replace(
        first,
        split=" and ".join(part.split for part in parts),
        rows=np.concatenate([part.rows for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        given=np.concatenate([part.given for part in parts]),
        split_faces=sum(part.split_faces for part in parts),
        probabilities={name: np.concatenate([part.probabilities[name] for part in parts]) for name in names},
        titles={name: first.titles[name] for name in names},
    )
