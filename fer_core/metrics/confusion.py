"""Confusion matrices, and the rates of each class that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer_core.labels import NUM_CLASSES
from fer_core.metrics.checks import FloatArray, IntArray, as_pair, predicted_labels


@dataclass(frozen=True, eq=False)
class ClassRates:
    """One-vs-rest rates of each class, arrays of shape `(..., 7)`.

    A rate is NaN, and left out of every mean over classes, where it is undefined: precision and F1 of a class that
    is neither a true nor a predicted label, recall (TPR) of a class without true rows, FPR of a class that all rows
    belong to. A class that occurs but is never predicted has precision 0 and F1 0, and so has a class that is
    predicted but never occurs. Macro F1 therefore equals scikit-learn's `f1_score(average="macro", zero_division=0)`,
    and the mean recall equals `balanced_accuracy_score`.
    """

    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    fpr: FloatArray


def confusion_matrix(y_true: ArrayLike, proba: ArrayLike) -> IntArray:
    """Count the true against the predicted classes.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`; the first of equal probabilities is the prediction.

    Returns:
        `(7, 7)` int64, true classes in rows and predicted classes in columns, in the order of `labels.EXPRESSIONS`.

    Raises:
        ValueError: the arrays are not valid (see `checks`).
    """
    labels, values = as_pair(y_true, proba)
    cells = np.bincount(labels * NUM_CLASSES + predicted_labels(values), minlength=NUM_CLASSES**2)
    return cells.reshape(NUM_CLASSES, NUM_CLASSES).astype(np.int64)


def normalized_by_row(counts: IntArray) -> FloatArray:
    """Return a confusion matrix divided by the sums of its rows; the row of a class that does not occur is NaN."""
    return _divide(counts, np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape))


def class_rates(counts: NDArray[np.integer] | NDArray[np.floating]) -> ClassRates:
    """Return the rates of one confusion matrix, or of a stack of them, `(..., 7, 7)`."""
    counts = np.asarray(counts, dtype=np.float64)
    hits = np.einsum("...ii->...i", counts)
    support, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    total = support.sum(axis=-1, keepdims=True)
    occurs = support + predicted > 0
    precision = np.where(occurs & (predicted == 0), 0.0, _divide(hits, predicted))
    return ClassRates(
        precision=np.where(occurs, precision, np.nan),
        recall=_divide(hits, support),
        f1=_divide(2 * hits, support + predicted),
        fpr=_divide(predicted - hits, total - support),
    )


def accuracy_of(counts: NDArray[np.integer] | NDArray[np.floating]) -> FloatArray:
    """Return the share on the diagonal of confusion matrices, `(..., 7, 7)` to `(...)`."""
    counts = np.asarray(counts, dtype=np.float64)
    return _divide(np.einsum("...ii->...", counts), counts.sum(axis=(-2, -1)))


def mean_defined(values: FloatArray) -> FloatArray:
    """Return the mean over the last axis without NaN, `(..., 7)` to `(...)`; NaN if nothing is defined."""
    defined = ~np.isnan(values)
    return _divide(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def _divide(numerator: NDArray, denominator: NDArray) -> FloatArray:
    """Divide; NaN where the denominator is 0."""
    out = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) > 0)
    return out
