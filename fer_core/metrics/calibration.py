"""Calibration: reliability diagram, expected calibration error and its noise floor, temperature scaling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fer_core.metrics.checks import FloatArray, IntArray, as_pair, as_probabilities, check_count
from fer_core.metrics.intervals import Interval, percentile_interval, wilson_interval

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
"""Bounds of the fit. Without them, data without a single error would give a temperature of 0."""

_SMALLEST = np.finfo(np.float64).tiny


@dataclass(frozen=True, eq=False)
class Reliability:
    """The data of a reliability diagram: rows binned by the probability of the predicted class.

    Confidence, accuracy and interval of an empty bin are NaN.

    Attributes:
        edges: `(bins + 1,)` from 0 to 1; a bin includes its upper edge, the first one also 0.
        counts: `(bins,)`, number of rows.
        confidence: `(bins,)`, mean probability of the predicted class.
        accuracy: `(bins,)`, share of correct predictions.
        intervals: Wilson's 95 % interval of the accuracy of each bin.
        ece: expected calibration error.
    """

    edges: FloatArray
    counts: IntArray
    confidence: FloatArray
    accuracy: FloatArray
    intervals: tuple[Interval, ...]
    ece: float


def reliability(y_true: ArrayLike, proba: ArrayLike, bins: int = 15) -> Reliability:
    """Return the reliability diagram of the predicted class with bins of equal width.

    The expected calibration error is the mean of |accuracy - confidence| over the bins, weighted by their counts
    (Naeini et al. 2015, AAAI; 15 bins as in Guo et al. 2017, "On Calibration of Modern Neural Networks", ICML).

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`.
        bins: number of bins, at least 1.

    Raises:
        ValueError: the arrays are not valid (see `checks`), or `bins` is below 1.
    """
    labels, values = as_pair(y_true, proba)
    bins = check_count(bins, "bins")
    top, right = values.max(axis=1), values.argmax(axis=1) == labels
    edges, place = _placed(top, bins)
    counts = np.bincount(place, minlength=bins)
    confidence, accuracy = np.full(bins, np.nan), np.full(bins, np.nan)
    hits = np.bincount(place, weights=right, minlength=bins)
    np.divide(np.bincount(place, weights=top, minlength=bins), counts, out=confidence, where=counts > 0)
    np.divide(hits, counts, out=accuracy, where=counts > 0)
    return Reliability(
        edges=edges,
        counts=counts.astype(np.int64),
        confidence=confidence,
        accuracy=accuracy,
        intervals=tuple(wilson_interval(int(h), int(n)) for h, n in zip(hits, counts, strict=True)),
        ece=float(np.nansum(counts * np.abs(accuracy - confidence)) / len(labels)),
    )


def expected_calibration_error(y_true: ArrayLike, proba: ArrayLike, bins: int = 15) -> float:
    """Return the expected calibration error, 0 (best) to 1; see `reliability`."""
    return reliability(y_true, proba, bins).ece


@dataclass(frozen=True)
class NoiseFloor:
    """The expected calibration error that a perfectly calibrated model has by chance alone.

    Attributes:
        mean: over the draws.
        interval: holds 95 % of the draws.
    """

    mean: float
    interval: Interval

    def place(self, ece: float) -> str:
        """Return whether an expected calibration error is "above", "inside" or "below" the interval."""
        return "above" if ece > self.interval.high else "below" if ece < self.interval.low else "inside"


def noise_floor(proba: ArrayLike, bins: int = 15, draws: int = 1000, seed: int = 0) -> NoiseFloor:
    """Return the expected calibration error of a perfectly calibrated model with these confidences.

    On a finite number of faces no model has an error of 0: the accuracy in a bin differs by chance from the mean
    confidence. Here labels are drawn many times from the model's own probabilities, which are then right by
    construction, and the error is computed for each draw. An error inside the interval is no evidence of bad
    calibration; one above it is (consistency resampling, Bröcker and Smith 2007, Weather and Forecasting 22:651).

    The error depends only on whether the predicted class is correct. A label drawn from a row is the predicted class
    with the probability of that class, so this is what is drawn.

    Args:
        proba: `(n, 7)`.
        bins: number of bins, as for `reliability`.
        draws: number of draws.
        seed: of the draws.

    Raises:
        ValueError: the array is not valid (see `checks`), or `bins` or `draws` is below 1.
    """
    top = np.sort(as_probabilities(proba).max(axis=1))
    bins, draws = check_count(bins, "bins"), check_count(draws, "draws")
    _, place = _placed(top, bins)
    starts = np.unique(place, return_index=True)[1]
    expected = np.add.reduceat(top, starts)
    rng, single = np.random.default_rng(seed), top.astype(np.float32)
    errors = np.empty(draws)
    for draw in range(draws):  # one at a time: the numbers stay in the processor's cache
        right = rng.random(len(top), dtype=np.float32) < single
        errors[draw] = np.abs(np.add.reduceat(right, starts, dtype=np.int64) - expected).sum()
    errors /= len(top)
    return NoiseFloor(float(errors.mean()), percentile_interval(errors))


def fit_temperature(y_true: ArrayLike, proba: ArrayLike) -> float:
    """Return the temperature that minimizes the log loss (Guo et al. 2017).

    Scaled probabilities are `softmax(log(proba) / T)`; logits are not needed, because they differ from
    log-probabilities only by a constant in each row. T > 1 reduces the confidence of an overconfident model, T < 1
    increases that of an underconfident one; the predicted class does not change. Do not fit on the data that is shown.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`.

    Returns:
        A number between 0.05 (all rows are correct) and 20 (worse than chance); 1 if all rows are uniform.

    Raises:
        ValueError: the arrays are not valid (see `checks`).
    """
    from scipy.optimize import minimize_scalar

    labels, values = as_pair(y_true, proba)
    logs = np.log(np.maximum(values, _SMALLEST))
    if np.ptp(logs, axis=1).max() < 1e-12:
        return 1.0
    logs -= logs[np.arange(len(labels)), labels][:, None]  # the true class at 0: loss = log(sum(exp(logs / T)))

    def loss(log_temperature: float) -> float:
        scaled = logs * np.exp(-log_temperature)
        top = scaled.max(axis=1, keepdims=True)
        return float((np.log(np.exp(scaled - top).sum(axis=1)) + top[:, 0]).mean())

    low, high = np.log(LOWEST_TEMPERATURE), np.log(HIGHEST_TEMPERATURE)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    best = min((low, float(found.x), high), key=loss)
    return float(np.exp(best))


def apply_temperature(proba: ArrayLike, temperature: float) -> FloatArray:
    """Return `softmax(log(proba) / temperature)`, `(n, 7)` float64.

    Raises:
        ValueError: `proba` is not valid (see `checks`), or the temperature is not positive.
    """
    values = as_probabilities(proba)
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"Expected a positive temperature. Received: {temperature}")
    scaled = np.log(np.maximum(values, _SMALLEST)) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return result


def _placed(top: FloatArray, bins: int) -> tuple[FloatArray, IntArray]:
    """Return the edges of bins of equal width, and the bin of each confidence."""
    edges = np.linspace(0, 1, bins + 1)
    return edges, np.clip(np.searchsorted(edges, top, side="left") - 1, 0, bins - 1)
