"""Validation of the arrays and settings that the functions of this package take."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer_core.labels import NUM_CLASSES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SUM_TOLERANCE: Final[float] = 1e-3
"""Tolerance for the sum of a row; seven float16 numbers may be off by about 5e-4."""


def as_labels(y_true: ArrayLike, name: str = "y_true") -> IntArray:
    """Return labels as `(n,)` int64.

    Raises:
        ValueError: they are not one-dimensional, empty, not integers, or outside 0..6.
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
    """Return probabilities as `(n, 7)` float64, each row scaled to sum to exactly 1.

    Raises:
        ValueError: the shape is another, a value is not finite or negative, or a row does not sum to 1.
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
    """Return validated labels `(n,)` and probabilities `(n, 7)` of equal length.

    Raises:
        ValueError: one of them is not valid, or their lengths differ.
    """
    labels, values = as_labels(y_true), as_probabilities(proba, name)
    if len(labels) != len(values):
        raise ValueError(
            f"Expected y_true and {name} of equal length. Received: {len(labels)} labels, {len(values)} rows"
        )
    return labels, values


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


def predicted_labels(proba: FloatArray) -> IntArray:
    """Return the most probable class of each row, `(n,)`; the first of equals."""
    return proba.argmax(axis=1).astype(np.int64)
