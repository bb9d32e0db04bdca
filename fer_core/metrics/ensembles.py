"""Ensembles: the mean of several models' probabilities, with equal, proportional or exponential weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from fer_core.columns import percent
from fer_core.metrics.predictions import ENSEMBLE, FloatArray, Predictions, as_labels, as_probabilities

FUSIONS: Final[dict[str, str]] = {
    "mean": "Every model counts the same.",
    "weighted": "Each model counts by its accuracy.",
    "exponential": "Each model counts by its accuracy to the power q (Kim et al. 2015): the larger q, the more the "
    "best model decides.",
}
"""The kinds of weights, each with a sentence that explains it."""

LOWEST_EXPONENT, HIGHEST_EXPONENT = -50, 150
"""Range of exponents that Kim et al. search."""

_FLOOR = 1e-3
"""Least accuracy that a weight is computed from."""


def weighted_fusion(probas: Sequence[ArrayLike], weights: ArrayLike) -> FloatArray:
    """Return the weighted mean of the probabilities `(n, 7)` of one model or more.

    Weights `(models,)` are not negative and not all 0; they are scaled to sum to 1.
    """
    stacked = _stack(probas)
    shares = np.asarray(weights, dtype=np.float64)
    if shares.shape != (len(stacked),):
        raise ValueError(f"Expected one weight for each model, ({len(stacked)},). Received: shape {shares.shape}")
    if not np.isfinite(shares).all() or shares.min() < 0 or shares.sum() <= 0:
        raise ValueError(f"Expected weights that are not negative and not all 0. Received: {shares.tolist()}")
    fused: FloatArray = np.tensordot(shares / shares.sum(), stacked, axes=1)
    return fused


def exponential_weights(accuracies: ArrayLike, exponent: float) -> FloatArray:
    """Return the weights of the validation-accuracy-based exponentially weighted average (VA-Expo-WA), `(models,)`.

    A model with validation accuracy a_i has the weight `a_i**q / sum_j a_j**q`. Published by Kim, Lee, Roh and Lee
    (2015, ICMI, "Hierarchical Committee of Deep CNNs with Exponentially-Weighted Decision Fusion for Static Facial
    Expression Recognition"). With q = 0 all weights are equal, with q = 1 they are proportional to the accuracies;
    with a large q only the best model counts. Accuracies are above 0 and at most 1, not measured on the split on show.
    """
    values = np.asarray(accuracies, dtype=np.float64)
    if values.ndim != 1 or not values.size or not ((values > 0) & (values <= 1)).all():
        raise ValueError(f"Expected accuracies (models,), each above 0 and at most 1. Received: {values.tolist()}")
    if not np.isfinite(exponent):
        raise ValueError(f"Expected a finite exponent. Received: {exponent}")
    powers = exponent * np.log(values)
    weights = np.exp(powers - powers.max())
    result: FloatArray = weights / weights.sum()
    return result


def fit_exponent(y_true: ArrayLike, probas: Sequence[ArrayLike], exponents: ArrayLike, accuracies: ArrayLike) -> float:
    """Return the exponent of `exponential_weights` whose ensemble is the most accurate.

    Every candidate is tried, as Kim et al. do. Of equally accurate ones the nearest to 0 is returned, so that models of
    equal accuracy are averaged with equal weights.
    """
    stacked = _stack(probas)
    labels = as_labels(y_true, classes=stacked.shape[2])
    if len(labels) != stacked.shape[1]:
        raise ValueError(
            f"Expected y_true and probas of equal length. Received: {len(labels)} labels, {stacked.shape[1]} rows"
        )
    tried = np.atleast_1d(np.asarray(exponents, dtype=np.float64))
    tried = tried[np.argsort(np.abs(tried), kind="stable")]
    if len(stacked) == 1 or not tried.size:
        return 0.0
    chosen = stacked.argmax(axis=2)
    disputed = (chosen != chosen[0]).any(axis=0)  # elsewhere the prediction does not depend on the weights
    contested = stacked[:, disputed].reshape(len(stacked), -1)  # (models, rows * 7)
    hits = np.empty(len(tried), dtype=np.int64)
    for index, exponent in enumerate(tried):
        fused = exponential_weights(accuracies, float(exponent)) @ contested
        hits[index] = (fused.reshape(-1, stacked.shape[2]).argmax(axis=1) == labels[disputed]).sum()
    return float(tried[hits.argmax()])


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Predictions of models and of their ensemble.

    Attributes:
        shares: weight of each member by name; they sum to 1.
        source: what the weights are computed from, as text; empty for equal weights.
        best_exponent: q with the highest accuracy on the other test split, `best_on`; None if not exponential.
    """

    predictions: Predictions
    fusion: str
    shares: dict[str, float]
    source: str
    best_exponent: float | None = None
    best_on: str = ""

    def on(self, other: Predictions) -> Predictions:
        """Add the ensemble with the same weights to other predictions, if these have all members."""
        if not set(self.shares) <= set(other.names):
            return other
        fused = weighted_fusion([other.probabilities[name] for name in self.shares], list(self.shares.values()))
        return other.plus(ENSEMBLE, self.predictions.titles[ENSEMBLE], fused)

    @property
    def description(self) -> str:
        """The weights and their source as one paragraph."""
        titles, by = self.predictions.titles, self.predictions.judge
        shares = ", ".join(f"{titles[name]} {percent(share)}" for name, share in self.shares.items())
        source = f" Weights from {self.source}, not from the faces shown." if self.source else ""
        q = self.best_exponent
        best = "" if q is None else f" On {self.best_on}, q = {q:.0f} is best by {by}."
        return f"{FUSIONS[self.fusion]} {shares}.{source}{best}"


def fuse(
    predictions: Predictions,
    members: Sequence[str],
    *,
    fusion: str = "mean",
    exponent: float = 10.0,
    holdout: Mapping[str, float | None] | None = None,
    other: Predictions | None = None,
) -> Ensemble:
    """Add an ensemble to the predictions, under the name `ENSEMBLE`.

    Weights are computed from the hold-out accuracies if every member has one, otherwise from the accuracies on the
    other test split.

    Args:
        predictions: of the split that is shown.
        members: names in `predictions`, at least two; other names are ignored.
        fusion: one of `FUSIONS`; with the exponent q of the exponential weights.
        holdout: accuracy on the hold-out by name of the model.
        other: predictions of the same models on the other test split.
    """
    chosen = [name for name in predictions.names if name in set(members)]
    if len(chosen) < 2:
        raise ValueError(f"Expected at least two models to fuse. Received: {len(chosen)}")
    if fusion not in FUSIONS:
        raise ValueError(f"Expected fusion to be one of {', '.join(FUSIONS)}. Received: {fusion!r}")
    weights, source, best = np.ones(len(chosen)), "", None
    if fusion != "mean":
        accuracies, source = _accuracies(chosen, holdout or {}, other)
        weights = exponential_weights(accuracies, exponent if fusion == "exponential" else 1.0)
        if fusion == "exponential" and other is not None and set(chosen) <= set(other.names):
            candidates = np.arange(LOWEST_EXPONENT, HIGHEST_EXPONENT + 1)
            best = fit_exponent(other.labels, [other.probabilities[name] for name in chosen], candidates, accuracies)
    fused = weighted_fusion([predictions.probabilities[name] for name in chosen], weights)
    shares = dict(zip(chosen, (weights / weights.sum()).tolist(), strict=True))
    combined = predictions.plus(ENSEMBLE, f"Ensemble of {len(chosen)} ({fusion})", fused)
    return Ensemble(combined, fusion, shares, source, best, other.split if other is not None else "")


def _accuracies(
    members: Sequence[str], holdout: Mapping[str, float | None], other: Predictions | None
) -> tuple[np.ndarray, str]:
    """Return the accuracy of each member on faces that are not shown, and a description of these faces."""
    known = [value for value in map(holdout.get, members) if value is not None]
    if len(known) == len(members):
        return np.clip(known, _FLOOR, 1), "accuracy by FER2013's label on the hold-out (of Training)"
    if other is not None and set(members) <= set(other.names):
        measured = [(other.probabilities[name].argmax(axis=1) == other.labels).mean() for name in members]
        where = f"{other.split} by {other.judge}"
        return np.clip(measured, _FLOOR, 1), f"accuracy on {where}, because a card has no hold-out accuracy"
    raise ValueError(
        "These models cannot be weighted: a card has no hold-out accuracy, and there are no predictions of the other "
        "test split. Use the mean."
    )


def _stack(probas: Sequence[ArrayLike] | FloatArray) -> FloatArray:
    """Return validated probabilities, `(models, n, 7)` float64."""
    if not len(probas):
        raise ValueError("Expected at least one model's probabilities. Received: none")
    checked = [as_probabilities(proba, f"probas[{index}]") for index, proba in enumerate(probas)]
    if len({len(values) for values in checked}) > 1:
        raise ValueError(f"Expected probas of equal length. Received: {[len(values) for values in checked]} rows")
    return np.stack(checked)
