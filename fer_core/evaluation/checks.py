"""What `evaluation` accepts: labels 0..6, rows of seven probabilities, equal lengths, never empty."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer_core.labels import NUM_CLASSES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SUM_TOLERANCE: Final[float] = 1e-3
"""How far a row may sum from 1: float16 storage of seven numbers loses up to about 5e-4."""


def as_labels(y_true: ArrayLike, name: str = "y_true") -> IntArray:
    """Return labels as `(n,)` int64.

    Raises:
        ValueError: not one-dimensional, empty, not whole numbers, or outside 0..6.
    """
    labels = np.asarray(y_true)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(f"Expected {name} of shape (n,) with n >= 1. Received: shape {labels.shape}")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"Expected {name} of an integer type. Received: {labels.dtype}")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= NUM_CLASSES:
        raise ValueError(f"Expected {name} in 0..{NUM_CLASSES - 1}. Received: values from {low} to {high}")
    return labels.astype(np.int64)


def as_probabilities(proba: ArrayLike, name: str = "proba") -> FloatArray:
    """Return probabilities as `(n, 7)` float64, each row rescaled to sum to exactly 1.

    Raises:
        ValueError: another shape, empty, not finite, negative, or a row further than `SUM_TOLERANCE` from 1.
    """
    values = np.asarray(proba)
    if values.ndim != 2 or values.shape[1] != NUM_CLASSES or values.shape[0] == 0:
        raise ValueError(f"Expected {name} of shape (n, {NUM_CLASSES}) with n >= 1. Received: shape {values.shape}")
    if values.dtype.kind not in "fiub":
        raise ValueError(f"Expected {name} of a real number type. Received: {values.dtype}")
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise ValueError(f"Expected finite numbers in {name}. Received: {values[row].tolist()} in row {row}")
    if values.min() < 0:
        row = int(np.flatnonzero((values < 0).any(axis=1))[0])
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


def as_pair(y_true: ArrayLike, proba: ArrayLike, name: str = "proba") -> tuple[IntArray, FloatArray]:
    """Return checked `y_true (n,)` and `proba (n, 7)` of equal length.

    Raises:
        ValueError: either is not acceptable, or their lengths differ.
    """
    labels, values = as_labels(y_true), as_probabilities(proba, name)
    if len(labels) != len(values):
        raise ValueError(
            f"Expected y_true and {name} of equal length. Received: {len(labels)} labels, {len(values)} rows"
        )
    return labels, values


def check_fraction(value: float, name: str) -> float:
    """Return `value` if it lies strictly between 0 and 1.

    Raises:
        ValueError: it does not.
    """
    if not 0 < value < 1:
        raise ValueError(f"Expected {name} between 0 and 1. Received: {value}")
    return float(value)


def check_count(value: int, name: str) -> int:
    """Return `value` if it is a whole number of at least 1.

    Raises:
        ValueError: it is not.
    """
    if int(value) != value or value < 1:
        raise ValueError(f"Expected {name} to be a whole number of at least 1. Received: {value}")
    return int(value)


def predicted_labels(proba: FloatArray) -> IntArray:
    """Return the most probable class of each row, `(n, 7)` to `(n,)`; of equals the first in `EXPRESSIONS`' order."""
    return proba.argmax(axis=1).astype(np.int64)
