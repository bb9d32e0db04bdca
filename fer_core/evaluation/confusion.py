"""Confusion tables: counts, shares of each true class, and the difference of two models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fer_core.evaluation.checks import FloatArray, IntArray, as_labels, as_pair, predicted_labels
from fer_core.labels import NUM_CLASSES


@dataclass(frozen=True, eq=False)
class Confusion:
    """Who was taken for whom.

    Attributes:
        counts: `(7, 7)` int64, true class in rows, predicted class in columns, both in `EXPRESSIONS`' order.
    """

    counts: IntArray

    def __post_init__(self) -> None:
        if self.counts.shape != (NUM_CLASSES, NUM_CLASSES):
            raise ValueError(f"Expected counts of shape (7, 7). Received: {self.counts.shape}")
        if self.counts.min() < 0:
            raise ValueError(f"Expected no negative count. Received: {self.counts.min()}")

    @property
    def rates(self) -> FloatArray:
        """`(7, 7)` float64: each row divided by its sum; a true class without rows is NaN throughout."""
        support = self.counts.sum(axis=1, keepdims=True)
        out = np.full(self.counts.shape, np.nan)
        np.divide(self.counts, support, out=out, where=support > 0)
        return out

    @property
    def n(self) -> int:
        """How many rows were counted."""
        return int(self.counts.sum())


@dataclass(frozen=True, eq=False)
class ConfusionDifference:
    """First table minus second.

    Attributes:
        counts: `(7, 7)` int64; sensible only when both tables count the same faces.
        rates: `(7, 7)` float64 in -1..1; NaN where either is.
    """

    counts: IntArray
    rates: FloatArray


def confusion(y_true: ArrayLike, proba: ArrayLike) -> Confusion:
    """Count true against most probable class.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`; of equal probabilities the first class counts as predicted.

    Raises:
        ValueError: the arrays are not acceptable (see `checks`).
    """
    labels, values = as_pair(y_true, proba)
    return confusion_from_labels(labels, predicted_labels(values))


def confusion_from_labels(y_true: ArrayLike, y_pred: ArrayLike) -> Confusion:
    """Count true against given classes, both `(n,)` int 0..6.

    Raises:
        ValueError: either is not acceptable, or their lengths differ.
    """
    true, predicted = as_labels(y_true), as_labels(y_pred, "y_pred")
    if len(true) != len(predicted):
        raise ValueError(
            f"Expected y_true and y_pred of equal length. Received: {len(true)} and {len(predicted)} labels"
        )
    cells = np.bincount(true * NUM_CLASSES + predicted, minlength=NUM_CLASSES**2)
    return Confusion(cells.reshape(NUM_CLASSES, NUM_CLASSES).astype(np.int64))


def confusion_difference(first: Confusion, second: Confusion) -> ConfusionDifference:
    """Return `first` minus `second`, in counts and in rates."""
    return ConfusionDifference(counts=first.counts - second.counts, rates=first.rates - second.rates)
