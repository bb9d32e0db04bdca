"""Confidence intervals: Wilson's interval of a proportion, and percentiles of resampled values."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from fer_core.metrics.checks import FloatArray, check_fraction


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
