"""From confusion counts to rates, for one table or a whole stack of them (the bootstrap's resamples)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.evaluation.checks import FloatArray


@dataclass(frozen=True, eq=False)
class ClassRates:
    """One-against-the-rest rates, each array `(..., 7)`; NaN where a rate is undefined.

    Undefined, and left out of every mean over classes:
        precision and F1 of a class that is neither among the true labels nor predicted;
        recall (TPR) of a class without a true row;
        FPR of a class that every row belongs to.
    A class that has true rows but is never predicted has precision 0 and F1 0; one that is predicted without a
    true row has precision 0 and F1 0. Macro F1 is therefore scikit-learn's default `f1_score(average="macro",
    zero_division=0)`, and the mean recall is its `balanced_accuracy_score`.
    """

    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    fpr: FloatArray
    support: FloatArray


def class_rates(counts: NDArray[np.integer] | NDArray[np.floating]) -> ClassRates:
    """Return the rates of confusion counts `(..., 7, 7)`, true class in rows, predicted in columns."""
    counts = np.asarray(counts, dtype=np.float64)
    hits = np.einsum("...ii->...i", counts)
    support, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    total = support.sum(axis=-1, keepdims=True)
    seen = support + predicted > 0
    precision = np.where(seen & (predicted == 0), 0.0, _divide(hits, predicted))
    return ClassRates(
        precision=np.where(seen, precision, np.nan),
        recall=_divide(hits, support),
        f1=_divide(2 * hits, support + predicted),
        fpr=_divide(predicted - hits, total - support),
        support=support,
    )


def accuracy_of(counts: NDArray[np.integer] | NDArray[np.floating]) -> FloatArray:
    """Return the share on the diagonal of confusion counts `(..., 7, 7)`, as `(...)`."""
    counts = np.asarray(counts, dtype=np.float64)
    return _divide(np.einsum("...ii->...", counts), counts.sum(axis=(-2, -1)))


def mean_defined(values: FloatArray) -> FloatArray:
    """Return the mean over the last axis of what is not NaN, `(..., 7)` to `(...)`; NaN if nothing is."""
    defined = ~np.isnan(values)
    return _divide(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def _divide(numerator: FloatArray, denominator: NDArray[np.integer] | FloatArray) -> FloatArray:
    out = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) > 0)
    return out
