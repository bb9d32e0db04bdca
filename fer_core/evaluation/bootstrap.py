"""How sure one may be of a model's numbers: bootstrap intervals over the test faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from fer_core.evaluation.auc import macro_auc_interval
from fer_core.evaluation.checks import FloatArray, IntArray, as_labels, as_pair, check_count, check_fraction
from fer_core.evaluation.intervals import Interval, percentile_interval, wilson_interval
from fer_core.evaluation.rates import accuracy_of, class_rates, mean_defined
from fer_core.evaluation.resampling import resampled_counts
from fer_core.labels import EXPRESSIONS


@dataclass(frozen=True)
class BootstrapIntervals:
    """Intervals of one model's metrics.

    Attributes:
        accuracy, macro_f1, avg_tpr, avg_fpr: percentile bootstrap over rows.
        accuracy_wilson: Wilson's interval of the accuracy, for comparison and for small n.
        roc_auc: by `auc.macro_auc_interval`, not resampled.
        f1: by expression's name; NaN for one that never occurs.
        n_resamples: how many.
        confidence: 0.95 unless asked otherwise.
    """

    accuracy: Interval
    accuracy_wilson: Interval
    macro_f1: Interval
    avg_tpr: Interval
    avg_fpr: Interval
    roc_auc: Interval
    f1: dict[str, Interval]
    n_resamples: int
    confidence: float


@overload
def bootstrap_intervals(
    y_true: ArrayLike,
    proba: Mapping[str, ArrayLike],
    n_resamples: int = ...,
    seed: int = ...,
    confidence: float = ...,
) -> dict[str, BootstrapIntervals]: ...
@overload
def bootstrap_intervals(
    y_true: ArrayLike, proba: ArrayLike, n_resamples: int = ..., seed: int = ..., confidence: float = ...
) -> BootstrapIntervals: ...
def bootstrap_intervals(
    y_true: ArrayLike,
    proba: ArrayLike | Mapping[str, ArrayLike],
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> BootstrapIntervals | dict[str, BootstrapIntervals]:
    """Return percentile bootstrap intervals (Efron and Tibshirani 1993) of one model, or of each in a mapping.

    Faces are drawn with replacement; models given together share the draws. The intervals say how the numbers
    would vary with other test faces, not how they would with another training run.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`, or a mapping from a model's name to that.
        n_resamples: how many; 1,000 steadies an end of the interval to about a tenth of its half-width.
        seed: the same seed gives the same intervals.
        confidence: between 0 and 1.

    Returns:
        One `BootstrapIntervals`, or a dict of them under the mapping's names.

    Raises:
        ValueError: the arrays are not acceptable (see `checks`), no model, or a setting out of range.
    """
    n_resamples = check_count(n_resamples, "n_resamples")
    check_fraction(confidence, "confidence")
    if not isinstance(proba, Mapping):
        only = bootstrap_intervals(y_true, {"proba": proba}, n_resamples, seed, confidence)
        return only["proba"]
    labels, probas = checked_models(y_true, proba)
    counts = resampled_counts(labels, probas, n_resamples, seed)
    return {name: _intervals(labels, values, counts[name], n_resamples, confidence) for name, values in probas.items()}


def checked_models(y_true: ArrayLike, probas: Mapping[str, ArrayLike]) -> tuple[IntArray, dict[str, FloatArray]]:
    """Return checked labels `(n,)` and each model's checked `(n, 7)`.

    Raises:
        ValueError: no model, or an array that is not acceptable; the message names the model.
    """
    if not probas:
        raise ValueError("Expected at least one model's probabilities. Received: none")
    labels = as_labels(y_true)
    return labels, {name: as_pair(labels, values, name)[1] for name, values in probas.items()}


def _intervals(
    labels: IntArray, values: FloatArray, counts: FloatArray, n_resamples: int, confidence: float
) -> BootstrapIntervals:
    rates = class_rates(counts)
    hits = int((values.argmax(axis=1) == labels).sum())

    def interval(resampled: FloatArray) -> Interval:
        return percentile_interval(np.asarray(resampled), confidence)

    return BootstrapIntervals(
        accuracy=interval(accuracy_of(counts)),
        accuracy_wilson=wilson_interval(hits, len(labels), confidence),
        macro_f1=interval(mean_defined(rates.f1)),
        avg_tpr=interval(mean_defined(rates.recall)),
        avg_fpr=interval(mean_defined(rates.fpr)),
        roc_auc=macro_auc_interval(labels, values, confidence),
        f1={name: interval(rates.f1[:, index]) for index, name in enumerate(EXPRESSIONS)},
        n_resamples=n_resamples,
        confidence=confidence,
    )
