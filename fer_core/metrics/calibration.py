"""Calibration: reliability, noise floor, temperature, proper scores, and the threshold of "not sure"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fer_core.metrics.intervals import Interval, percentile_interval, wilson_interval
from fer_core.metrics.predictions import FloatArray, IntArray, Predictions, as_pair, as_probabilities, check_count

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
"""Bounds of the fit. Without them, data without a single error would give a temperature of 0."""

WANTED: Final = 0.9
"""Share of the answers that are to be right, for a model to give them."""

MINIMUM: Final = 50
"""Answers that this share is measured on, at least: of fewer, it says little."""


def reliability(y_true: ArrayLike, proba: ArrayLike, *, bins: int = 15) -> pd.DataFrame:
    """Return the reliability diagram of the predicted class: rows in bins of equal width by its probability.

    A bin includes its upper edge, the first one also 0.

    Returns:
        One row for each bin: `confidence` (mean probability of the predicted class), `accuracy`, `low`, `high`
        (Wilson's 95 % interval of the accuracy), `faces`, `share` (of all rows), `from`, `to` (edges). Confidence,
        accuracy and interval of an empty bin are NaN.
    """
    labels, values = as_pair(y_true, proba)
    top, right = values.max(axis=1), values.argmax(axis=1) == labels
    edges, place = _placed(top, check_count(bins, "bins"))
    faces, hits = (np.bincount(place, weights=weights, minlength=bins) for weights in (None, right))
    intervals = [wilson_interval(int(h), int(n)) for h, n in zip(hits, faces, strict=True)]
    with np.errstate(invalid="ignore"):  # NaN for an empty bin
        confidence, accuracy = np.bincount(place, weights=top, minlength=bins) / faces, hits / faces
    return pd.DataFrame(
        {
            "confidence": confidence,
            "accuracy": accuracy,
            "low": [interval.low for interval in intervals],
            "high": [interval.high for interval in intervals],
            "faces": faces.astype(np.int64),
            "share": faces / len(labels),
            "from": edges[:-1],
            "to": edges[1:],
        }
    )


def expected_calibration_error(y_true: ArrayLike, proba: ArrayLike, *, bins: int = 15) -> float:
    """Return the expected calibration error, 0 (best) to 1.

    It is the mean of |accuracy - confidence| over the bins of `reliability`, weighted by their counts (Naeini et al.
    2015, AAAI; 15 bins as in Guo et al. 2017, "On Calibration of Modern Neural Networks", ICML).
    """
    table = reliability(y_true, proba, bins=bins)
    distance = (table["faces"] * (table["accuracy"] - table["confidence"]).abs()).to_numpy()
    return float(np.nansum(distance) / table["faces"].sum())


def noise_floor(proba: ArrayLike, *, bins: int = 15, draws: int = 1000, seed: int = 0) -> tuple[float, Interval]:
    """Return the expected calibration error of a perfectly calibrated model with these confidences.

    On a finite number of faces no model has an error of 0: the accuracy in a bin differs by chance from the mean
    confidence. Here labels are drawn many times from the model's own probabilities, which are then right by
    construction, and the error is computed for each draw. An error inside the interval is no evidence of bad
    calibration; one above it is (consistency resampling, Bröcker and Smith 2007, Weather and Forecasting 22:651).
    The error depends only on whether the predicted class is correct, so only this is drawn.

    Returns:
        The mean over the draws, and the interval that holds 95 % of them.
    """
    top = np.sort(as_probabilities(proba).max(axis=1))
    bins, draws = check_count(bins, "bins"), check_count(draws, "draws")
    starts = np.unique(_placed(top, bins)[1], return_index=True)[1]
    expected = np.add.reduceat(top, starts)
    rng, single = np.random.default_rng(seed), top.astype(np.float32)
    errors = np.empty(draws)
    for draw in range(draws):  # one at a time: the numbers stay in the processor's cache
        right = rng.random(len(top), dtype=np.float32) < single
        errors[draw] = np.abs(np.add.reduceat(right, starts, dtype=np.int64) - expected).sum()
    errors /= len(top)
    return float(errors.mean()), percentile_interval(errors)


def _placed(top: FloatArray, bins: int) -> tuple[FloatArray, IntArray]:
    """Return the edges of bins of equal width, and the bin of each confidence."""
    edges = np.linspace(0, 1, bins + 1)
    return edges, np.clip(np.searchsorted(edges, top, side="left") - 1, 0, bins - 1)


def fit_temperature(y_true: ArrayLike, proba: ArrayLike) -> float:
    """Return the temperature that minimizes the log loss (Guo et al. 2017).

    T > 1 reduces the confidence of an overconfident model, T < 1 increases that of an underconfident one; the predicted
    class does not change. Do not fit on the data that is shown.

    Returns:
        A number between 0.05 (all rows are correct) and 20 (worse than chance); 1 if all rows are uniform.
    """
    from scipy.optimize import minimize_scalar

    labels, values = as_pair(y_true, proba)
    logs = _logs(values)
    if np.ptp(logs, axis=1).max() < 1e-12:
        return 1.0
    logs -= logs[np.arange(len(labels)), labels][:, None]  # the true class at 0: loss = log(sum(exp(logs / T)))

    def loss(log_temperature: float) -> float:
        scaled = logs * np.exp(-log_temperature)
        top = scaled.max(axis=1, keepdims=True)
        return float((np.log(np.exp(scaled - top).sum(axis=1)) + top[:, 0]).mean())

    low, high = np.log(LOWEST_TEMPERATURE), np.log(HIGHEST_TEMPERATURE)
    result = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(min((low, float(result.x), high), key=loss)))


def apply_temperature(proba: ArrayLike, temperature: float) -> FloatArray:
    """Return `softmax(log(proba) / temperature)`, `(n, 7)`.

    Logits are not needed, because they differ from log-probabilities only by a constant in each row.
    """
    values = as_probabilities(proba)
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"Expected a positive temperature. Received: {temperature}")
    scaled = _logs(values) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return result


def _logs(probabilities: FloatArray) -> FloatArray:
    return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))


def log_loss(y_true: ArrayLike, proba: ArrayLike) -> float:
    """Return the mean of -log(probability of the true class), 0 (best) to 36; probabilities are at least 2.2e-16.

    This is also called the negative log-likelihood (NLL), or cross-entropy, and equal to scikit-learn's.
    """
    labels, values = as_pair(y_true, proba)
    likelihood = values[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(likelihood, np.finfo(np.float64).eps)).mean())


def brier_score(y_true: ArrayLike, proba: ArrayLike) -> float:
    """Return the multi-class Brier score, 0 (best) to 2 (Brier 1950, Monthly Weather Review 78:1).

    It is the mean over the rows of the squared differences between the probabilities and the truth (1 for the true
    class, 0 for the others), summed over the classes. Some libraries halve it.
    """
    labels, values = as_pair(y_true, proba)
    likelihood = values[np.arange(len(labels)), labels]
    return float(((values**2).sum(axis=1) - 2 * likelihood + 1).mean())


@dataclass(frozen=True)
class Threshold:
    """A confidence below which a model says "not sure"; which share of its other answers is right, which share of the
    faces gets one, and the number of all faces."""

    below: float
    accuracy: float
    answered: float
    faces: int


def lowest_threshold(
    y_true: ArrayLike, proba: ArrayLike, *, wanted: float = WANTED, minimum: int = MINIMUM
) -> Threshold | None:
    """Return the lowest confidence, in whole percent, from which on a wanted share of the answers is right.

    The confidence is the probability of the predicted class. None if there is no such confidence at which the minimum
    of answers remains. Do not choose a threshold on the data that is shown.
    """
    labels, values = as_pair(y_true, proba)
    confidence, right = values.max(axis=1), values.argmax(axis=1) == labels
    for percent in range(101):
        answered = confidence >= percent / 100
        if answered.sum() >= minimum and right[answered].mean() >= wanted:
            return Threshold(percent / 100, float(right[answered].mean()), float(answered.mean()), len(labels))
    return None


def reliability_table(predictions: Predictions) -> pd.DataFrame:
    """Return the bins with faces of each model: `name`, `model` and the columns of `reliability`."""
    tables = []
    for name, probabilities in predictions.probabilities.items():
        table = reliability(predictions.labels, probabilities)
        table.insert(0, "name", name)
        table.insert(1, "model", predictions.titles[name])
        tables.append(table[table["faces"] > 0])
    return pd.concat(tables, ignore_index=True)


def faces_in_bins(bins: pd.DataFrame) -> dict[str, float]:
    """Return how often the faces in some bins of one model, rows of `reliability_table`, are classified correctly.

    Returns:
        `faces`, `share` (of all faces), `confidence` (mean), `accuracy`, and `low` and `high` (Wilson's 95 % interval).
    """
    faces = int(bins["faces"].sum())
    correct = round(float((bins["accuracy"] * bins["faces"]).sum()))
    return {
        "faces": faces,
        "share": float(bins["share"].sum()),
        "confidence": float((bins["confidence"] * bins["faces"]).sum() / faces),
        "accuracy": correct / faces,
        **vars(wilson_interval(correct, faces)),
    }


def calibration_table(predictions: Predictions, other: Predictions | None) -> pd.DataFrame:
    """Return how well the probabilities of each model agree with how often it is right.

    Models have no stored predictions of the hold-out, so the temperature is fitted on the other test split. It is only
    shown; no model uses it.

    Returns:
        One row for each model: `name`, `model`, `log_loss`, `brier`, `ece`, `floor` (mean of the noise floor of the
        ECE), `floor_low`, `floor_high` (95 % range), `against_floor` (the ECE is "above", "inside" or "below" this
        range), `confidence` (mean), `accuracy`, and, None without the other split: `temperature`, `fitted_on` (the
        other split), `log_loss_scaled` and `ece_scaled` (with the temperature, on the split that is shown).
    """
    rows = []
    labels = predictions.labels
    for name, probabilities in predictions.probabilities.items():
        ece = expected_calibration_error(labels, probabilities)
        floor, interval = noise_floor(probabilities)
        row = {
            "name": name,
            "model": predictions.titles[name],
            "log_loss": log_loss(labels, probabilities),
            "brier": brier_score(labels, probabilities),
            "ece": ece,
            "floor": floor,
            "floor_low": interval.low,
            "floor_high": interval.high,
            "against_floor": "above" if ece > interval.high else "below" if ece < interval.low else "inside",
            "confidence": float(probabilities.max(axis=1).mean()),
            "accuracy": float((probabilities.argmax(axis=1) == labels).mean()),
            **dict.fromkeys(("temperature", "fitted_on", "log_loss_scaled", "ece_scaled")),
        }
        if other is not None and name in other.probabilities:
            temperature = fit_temperature(other.labels, other.probabilities[name])
            scaled = apply_temperature(probabilities, temperature)
            row |= {
                "temperature": temperature,
                "fitted_on": other.split,
                "log_loss_scaled": log_loss(labels, scaled),
                "ece_scaled": expected_calibration_error(labels, scaled),
            }
        rows.append(row)
    return pd.DataFrame(rows)
