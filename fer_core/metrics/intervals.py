"""Confidence intervals: Wilson's interval of a proportion, percentiles of resampled values, and resamples of faces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer_core.labels import NUM_CLASSES
from fer_core.metrics.checks import (
    FloatArray,
    IntArray,
    as_labels,
    as_pair,
    check_fraction,
    predicted_labels,
)

DRAWS_AT_ONCE = 2_000_000
"""Number of draws held in memory at the same time, about 40 MB."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval; both ends are NaN where it is undefined."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"Expected low <= high. Received: {self.low}, {self.high}")

    @property
    def half_width(self) -> float:
        """Half the width: the number after ±."""
        return (self.high - self.low) / 2

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of a proportion (Wilson 1927, JASA 22:209).

    Unlike `p ± 1.96 s`, it stays within 0..1 and keeps its coverage for small `n` and for proportions near 0 or 1.
    Pages show it, and importing statsmodels, which has it too, takes seconds.

    Args:
        successes: number of successes.
        n: number of trials; 0 gives NaN at both ends.
        confidence: between 0 and 1.

    Raises:
        ValueError: not `0 <= successes <= n`, or `confidence` out of range.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"Expected 0 <= successes <= n. Received: {successes} of {n}")
    z = normal_quantile(confidence)
    if n == 0:
        return Interval(float("nan"), float("nan"))
    share, weight = successes / n, z * z / n
    centre = (share + weight / 2) / (1 + weight)
    half = z * ((share * (1 - share) + weight / 4) / n) ** 0.5 / (1 + weight)
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Interval(low, high)


def percentile_interval(values: FloatArray, confidence: float = 0.95) -> Interval:
    """Return the percentile interval of resampled values `(b,)`, NaN left out (Efron and Tibshirani 1993, ch. 13)."""
    tail = (1 - check_fraction(confidence, "confidence")) / 2
    defined = values[~np.isnan(values)]
    if not defined.size:
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high))


def normal_quantile(confidence: float) -> float:
    """Return z such that a standard normal value lies within ±z with probability `confidence` (1.96 for 0.95)."""
    return NormalDist().inv_cdf((1 + check_fraction(confidence, "confidence")) / 2)


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
