"""Ensembles: the mean of several models' probabilities, with equal, proportional or exponential weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from fer_core.labels import NUM_CLASSES
from fer_core.metrics.checks import FloatArray, as_labels, as_probabilities


def weighted_fusion(probas: Sequence[ArrayLike], weights: ArrayLike) -> FloatArray:
    """Return the weighted mean of the models' probabilities, `(n, 7)`.

    Args:
        probas: one `(n, 7)` for each model, at least one, of equal length.
        weights: `(models,)`, not negative and not all 0; they are scaled to sum to 1.

    Raises:
        ValueError: there is no model, an array is not valid (see `checks`), or lengths differ.
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
    """Return the weights of the validation-accuracy-based exponentially weighted average (VA-Expo-WA).

    A model with validation accuracy a_i has the weight `a_i**q / sum_j a_j**q`. Published by Kim, Lee, Roh and Lee
    (2015, ICMI, "Hierarchical Committee of Deep CNNs with Exponentially-Weighted Decision Fusion for Static Facial
    Expression Recognition"). With q = 0 all weights are equal, with q = 1 they are proportional to the accuracies;
    with a large q only the best model counts.

    Args:
        accuracies: `(models,)`, each above 0 and at most 1, not measured on the split that is shown.
        exponent: q.

    Returns:
        `(models,)`, sums to 1.

    Raises:
        ValueError: an accuracy is out of range, there is none, or the exponent is not finite.
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
    exponents: ArrayLike,
    accuracies: ArrayLike,
) -> float:
    """Return the exponent of `exponential_weights` whose ensemble is the most accurate.

    Every exponent is tried, as Kim et al. do. Of equally accurate ones the nearest to 0 is returned, so that models of
    equal accuracy are averaged with equal weights.

    Args:
        y_true: `(n,)` int 0..6.
        probas: one `(n, 7)` for each model.
        exponents: the candidates.
        accuracies: `(models,)`, as for `exponential_weights`.

    Raises:
        ValueError: an array is not valid (see `checks`), or lengths differ.
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
    chosen = stacked.argmax(axis=2)
    disputed = (chosen != chosen[0]).any(axis=0)  # elsewhere the prediction does not depend on the weights
    contested = stacked[:, disputed].reshape(len(stacked), -1)  # (models, rows * 7)
    hits = np.empty(len(tried), dtype=np.int64)
    for index, exponent in enumerate(tried):
        fused = exponential_weights(accuracies, float(exponent)) @ contested
        hits[index] = (fused.reshape(-1, NUM_CLASSES).argmax(axis=1) == labels[disputed]).sum()
    return float(tried[hits.argmax()])


def accuracies_of(y_true: ArrayLike, probas: Sequence[ArrayLike] | FloatArray) -> FloatArray:
    """Return the accuracy of each model, `(models,)`."""
    labels, stacked = as_labels(y_true), _stack(probas)
    result: FloatArray = (stacked.argmax(axis=2) == labels).mean(axis=1)
    return result


def _stack(probas: Sequence[ArrayLike] | FloatArray) -> FloatArray:
    """Return validated probabilities, `(models, n, 7)` float64."""
    if not len(probas):
        raise ValueError("Expected at least one model's probabilities. Received: none")
    checked = [as_probabilities(proba, f"probas[{index}]") for index, proba in enumerate(probas)]
    if len({len(values) for values in checked}) > 1:
        raise ValueError(f"Expected probas of equal length. Received: {[len(values) for values in checked]} rows")
    return np.stack(checked)
