"""Confidence intervals: Wilson's interval of a proportion, percentiles of resampled values, and resamples of faces."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from fer_core.metrics.predictions import FloatArray, IntArray, check_fraction

DRAWS_AT_ONCE = 2_000_000
"""Number of draws held in memory at the same time, about 40 MB."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval; both ends are NaN where it is undefined."""

    low: float = math.nan
    high: float = math.nan

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"Expected low <= high. Received: {self.low}, {self.high}")

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of a proportion (Wilson 1927, JASA 22:209); undefined for 0 of 0.

    Unlike `p ± 1.96 s`, it stays within 0..1 and keeps its coverage for small `n` and for proportions near 0 or 1.
    Pages show it, and importing statsmodels, which has it too, takes seconds.

    Raises:
        ValueError: not `0 <= successes <= n`, or `confidence` not between 0 and 1.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"Expected 0 <= successes <= n. Received: {successes} of {n}")
    z = normal_quantile(confidence)
    if n == 0:
        return Interval()
    share, weight = successes / n, z * z / n
    centre = (share + weight / 2) / (1 + weight)
    half = z * ((share * (1 - share) + weight / 4) / n) ** 0.5 / (1 + weight)
    return Interval(0.0 if successes == 0 else centre - half, 1.0 if successes == n else centre + half)


def percentile_interval(values: FloatArray, confidence: float = 0.95) -> Interval:
    """Return the percentile interval of resampled values `(b,)`, NaN left out (Efron and Tibshirani 1993, ch. 13)."""
    tail = (1 - check_fraction(confidence, "confidence")) / 2
    defined = values[~np.isnan(values)]
    return Interval(*np.quantile(defined, [tail, 1 - tail]).tolist()) if defined.size else Interval()


def normal_quantile(confidence: float) -> float:
    """Return z such that a standard normal value lies within ±z with probability `confidence` (1.96 for 0.95)."""
    return NormalDist().inv_cdf((1 + check_fraction(confidence, "confidence")) / 2)


def resample_weights(n: int, n_resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield how often each of `n` rows is drawn in each resample of `n` draws with replacement, in blocks `(b, n)`."""
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
    """Return the confusion matrix of each model in every resample, `(n_resamples, classes, classes)`.

    All models share the resamples, so differences between them are paired. Counting is one matrix product: weights
    `(b, n)` times one-hot cells of the matrices. It is exact in float32, which holds integers up to 16.7 million.

    Labels `(n,)` and probabilities `(n, classes)` are validated.
    """
    n, classes = len(labels), next(iter(probas.values())).shape[1]
    cells = [labels * classes + values.argmax(axis=1) for values in probas.values()]
    used = [np.unique(cell, return_inverse=True) for cell in cells]  # only the cells that occur
    ends = np.cumsum([len(kinds) for kinds, _ in used])
    one_hot = np.zeros((n, ends[-1]), dtype=np.float32)
    for end, (kinds, place) in zip(ends, used, strict=True):
        one_hot[np.arange(n), end - len(kinds) + place] = 1
    products = np.concatenate([weights @ one_hot for weights in resample_weights(n, n_resamples, seed)])
    result = {}
    for name, end, (kinds, _) in zip(probas, ends, used, strict=True):
        counts = np.zeros((n_resamples, classes**2))
        counts[:, kinds] = products[:, end - len(kinds) : end]
        result[name] = counts.reshape(n_resamples, classes, classes)
    return result
