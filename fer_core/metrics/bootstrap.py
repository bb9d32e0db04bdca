"""Bootstrap confidence intervals over the test faces, from resamples that all models share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer_core.labels import EXPRESSIONS, NUM_CLASSES
from fer_core.metrics.checks import (
    FloatArray,
    IntArray,
    as_labels,
    as_pair,
    check_count,
    check_fraction,
    predicted_labels,
)
from fer_core.metrics.confusion import class_rates
from fer_core.metrics.intervals import Interval, percentile_interval
from fer_core.metrics.metrics import METRICS

DRAWS_AT_ONCE = 2_000_000
"""Number of draws held in memory at the same time, about 40 MB."""


@dataclass(frozen=True)
class BootstrapIntervals:
    """Confidence intervals of the metrics of one model.

    Attributes:
        values: by key of `METRICS`.
        f1: F1 of each expression by name; NaN for one that never occurs.
    """

    values: dict[str, Interval]
    f1: dict[str, Interval]

    def __getitem__(self, metric: str) -> Interval:
        """Return the interval of a metric."""
        return self.values[metric]


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
    """Return percentile bootstrap intervals (Efron and Tibshirani 1993) of one model, or of several by name.

    That of the ROC AUC is not resampled, see `roc_pr.macro_auc_interval`.

    Faces are drawn with replacement; models that are passed together share the draws. The intervals describe how the
    metrics vary with the test faces, not with the training run.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`, or a mapping from model names to such arrays.
        n_resamples: number of resamples; with 1,000 the ends vary by about a tenth of the half-width.
        seed: of NumPy's default generator.
        confidence: between 0 and 1.

    Returns:
        One `BootstrapIntervals`, or a dict of them with the keys of the mapping.

    Raises:
        ValueError: the arrays are not valid (see `checks`), there is no model, or a setting is out of range.
    """
    n_resamples = check_count(n_resamples, "n_resamples")
    check_fraction(confidence, "confidence")
    if not isinstance(proba, Mapping):
        only = bootstrap_intervals(y_true, {"proba": proba}, n_resamples, seed, confidence)
        return only["proba"]
    labels, probas = checked_models(y_true, proba)
    counts = resampled_counts(labels, probas, n_resamples, seed)
    return {name: _intervals(labels, values, counts[name], confidence) for name, values in probas.items()}


def checked_models(y_true: ArrayLike, probas: Mapping[str, ArrayLike]) -> tuple[IntArray, dict[str, FloatArray]]:
    """Return validated labels `(n,)` and validated probabilities `(n, 7)` of each model.

    Raises:
        ValueError: there is no model, or an array is not valid; the message names the model.
    """
    if not probas:
        raise ValueError("Expected at least one model's probabilities. Received: none")
    labels = as_labels(y_true)
    return labels, {name: as_pair(labels, values, name)[1] for name, values in probas.items()}


def resample_weights(n: int, n_resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield how often each of `n` rows is drawn in each resample, in blocks of shape `(b, n)`.

    There are `n_resamples` rows in all, each the result of `n` draws with replacement.
    """
    rng = np.random.default_rng(seed)
    block = max(1, DRAWS_AT_ONCE // n)
    for start in range(0, n_resamples, block):
        size = min(block, n_resamples - start)
        drawn = rng.integers(0, n, size=(size, n))
        drawn += np.arange(size)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float32)


def resampled_counts(
    labels: IntArray, probas: Mapping[str, FloatArray], n_resamples: int, seed: int
) -> dict[str, FloatArray]:
    """Return the confusion matrix of each model in every resample, `(n_resamples, 7, 7)`.

    All models share the resamples, so differences between them are paired. Counting is one matrix product: weights
    `(b, n)` times one-hot cells `(n, 49 * models)`. It is exact in float32, which holds integers up to 16.7 million.

    Args:
        labels: `(n,)` int64, validated.
        probas: name to `(n, 7)`, validated.
        n_resamples: number of resamples.
        seed: of NumPy's default generator.
    """
    n = len(labels)
    cells = [labels * NUM_CLASSES + predicted_labels(values) for values in probas.values()]
    used = [np.unique(cell, return_inverse=True) for cell in cells]  # only the cells that occur
    one_hot = np.zeros((n, sum(len(kinds) for kinds, _ in used)), dtype=np.float32)
    start = 0
    for kinds, place in used:
        one_hot[np.arange(n), start + place] = 1
        start += len(kinds)
    blocks = [weights @ one_hot for weights in resample_weights(n, n_resamples, seed)]
    products = np.concatenate(blocks)  # (n_resamples, cells of all models)
    result, start = {}, 0
    for name, (kinds, _) in zip(probas, used, strict=True):
        counts = np.zeros((n_resamples, NUM_CLASSES**2))
        counts[:, kinds] = products[:, start : start + len(kinds)]
        result[name] = counts.reshape(n_resamples, NUM_CLASSES, NUM_CLASSES)
        start += len(kinds)
    return result


def _intervals(labels: IntArray, values: FloatArray, counts: FloatArray, confidence: float) -> BootstrapIntervals:
    f1 = class_rates(counts).f1
    return BootstrapIntervals(
        {key: metric.interval(labels, values, counts, confidence) for key, metric in METRICS.items()},
        {name: percentile_interval(f1[:, index], confidence) for index, name in enumerate(EXPRESSIONS)},
    )
