"""Several models' probabilities fused into one: mean, weighted, exponentially weighted (Kim et al.), majority vote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from fer_core.evaluation.checks import FloatArray, as_labels, as_probabilities
from fer_core.labels import NUM_CLASSES

EXPONENTS: FloatArray = np.round(np.arange(-50, 150.05, 0.1), 1)
"""The exponents that Kim et al. search: from -50 to 150 in steps of 0.1."""


def mean_fusion(probas: Sequence[ArrayLike]) -> FloatArray:
    """Return the plain mean of the models' probabilities, `(n, 7)`.

    Args:
        probas: one `(n, 7)` a model, at least one, of equal length.

    Raises:
        ValueError: no model, an array that is not acceptable (see `checks`), or lengths differ.
    """
    stacked = _stack(probas)
    return weighted_fusion(probas, np.ones(len(stacked)))


def weighted_fusion(probas: Sequence[ArrayLike], weights: ArrayLike) -> FloatArray:
    """Return the weighted mean of the models' probabilities, `(n, 7)`.

    Args:
        probas: one `(n, 7)` a model.
        weights: `(models,)`, none negative, not all 0; only their proportions matter.

    Raises:
        ValueError: as `mean_fusion`, or the weights are not acceptable.
    """
    stacked = _stack(probas)
    shares = np.asarray(weights, dtype=np.float64)
    if shares.shape != (len(stacked),):
        raise ValueError(f"Expected one weight a model, ({len(stacked)},). Received: shape {shares.shape}")
    if not np.isfinite(shares).all() or shares.min() < 0 or shares.sum() <= 0:
        raise ValueError(f"Expected weights that are not negative and not all 0. Received: {shares.tolist()}")
    fused: FloatArray = np.tensordot(shares / shares.sum(), stacked, axes=1)
    return fused


def exponential_weights(accuracies: ArrayLike, exponent: float) -> FloatArray:
    """Return the weights of the VA-Expo-WA rule (validation-accuracy-based exponentially weighted average).

    Model i with validation accuracy a_i weighs `w_i = a_i**q / sum_j a_j**q`, that is `softmax(q * log(a))`: the
    exponent q is applied to the accuracy. From Kim, Lee, Roh and Lee (2015, ICMI, "Hierarchical Committee of Deep
    CNNs with Exponentially-Weighted Decision Fusion for Static Facial Expression Recognition"), as computed in the
    authors' published MATLAB code. q = 0 is the plain mean, q = 1 proportional weights; a large q trusts the best
    model alone, a negative one favours the weak.

    Args:
        accuracies: `(models,)`, each above 0 and at most 1, measured on the hold-out, never on a test split.
        exponent: q.

    Returns:
        `(models,)`, summing to 1.

    Raises:
        ValueError: an accuracy is out of range, none is given, or the exponent is not a finite number.
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


def fit_exponent(
    y_true: ArrayLike,
    probas: Sequence[ArrayLike],
    exponents: ArrayLike = EXPONENTS,
    accuracies: ArrayLike | None = None,
) -> float:
    """Return the exponent whose fusion is right most often on the hold-out.

    As Kim et al. do, by trying every exponent; of equally good ones they take the lowest, we the one nearest to 0
    (the plainest fusion), so that models with equal accuracies are simply averaged.

    Args:
        y_true: `(n,)` int 0..6 of the hold-out.
        probas: one `(n, 7)` a model, of the hold-out.
        exponents: which to try.
        accuracies: `(models,)` that the exponent is to be taken of; default: those on this hold-out.

    Raises:
        ValueError: an array is not acceptable (see `checks`), lengths differ, or a model is never right.
    """
    labels, stacked = as_labels(y_true), _stack(probas)
    if len(labels) != stacked.shape[1]:
        raise ValueError(
            f"Expected y_true and probas of equal length. Received: {len(labels)} labels, {stacked.shape[1]} rows"
        )
    tried = np.atleast_1d(np.asarray(exponents, dtype=np.float64))
    tried = tried[np.argsort(np.abs(tried), kind="stable")]
    if len(stacked) == 1 or not tried.size:
        return 0.0
    bases = validation_accuracies(labels, stacked) if accuracies is None else accuracies
    chosen = stacked.argmax(axis=2)
    disputed = (chosen != chosen[0]).any(axis=0)  # elsewhere no weighting changes the prediction
    contested = stacked[:, disputed].reshape(len(stacked), -1)  # (models, rows * 7)
    hits = np.empty(len(tried), dtype=np.int64)
    for index, exponent in enumerate(tried):
        fused = exponential_weights(bases, float(exponent)) @ contested
        hits[index] = (fused.reshape(-1, NUM_CLASSES).argmax(axis=1) == labels[disputed]).sum()
    return float(tried[hits.argmax()])


def validation_accuracies(y_true: ArrayLike, probas: Sequence[ArrayLike] | FloatArray) -> FloatArray:
    """Return each model's accuracy, `(models,)`: what `exponential_weights` takes, from the hold-out."""
    labels, stacked = as_labels(y_true), _stack(probas)
    result: FloatArray = (stacked.argmax(axis=2) == labels).mean(axis=1)
    return result


def majority_vote(probas: Sequence[ArrayLike]) -> FloatArray:
    """Return the models' vote as probabilities, `(n, 7)`: most of a row lies where most models predict.

    Each model casts one vote for its most probable expression, and half a vote more is spread by their mean
    probabilities: too little to overturn a majority, enough to decide a tie.

    Raises:
        ValueError: as `mean_fusion`.
    """
    stacked = _stack(probas)
    votes = (stacked.argmax(axis=2)[:, :, None] == np.arange(NUM_CLASSES)).sum(axis=0)
    result: FloatArray = (votes + stacked.mean(axis=0) / 2) / (len(stacked) + 0.5)
    return result


def _stack(probas: Sequence[ArrayLike] | FloatArray) -> FloatArray:
    """Return `(models, n, 7)` float64, checked."""
    if not len(probas):
        raise ValueError("Expected at least one model's probabilities. Received: none")
    checked = [as_probabilities(proba, f"probas[{index}]") for index, proba in enumerate(probas)]
    if len({len(values) for values in checked}) > 1:
        raise ValueError(f"Expected probas of equal length. Received: {[len(values) for values in checked]} rows")
    return np.stack(checked)
