"""How a model agrees with the ten FER+ annotators, and how far they agree with each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fer_core.evaluation.checks import SUM_TOLERANCE, FloatArray, IntArray, as_probabilities
from fer_core.labels import NUM_CLASSES

NO_MAJORITY = -1


@dataclass(frozen=True)
class HumanAgreement:
    """The annotators among themselves, over faces with votes: what a model can be measured against.

    Attributes:
        n: faces with votes.
        ceiling: mean share of votes on each face's most voted expression: the best possible soft accuracy.
        pair: mean chance that two votes drawn (with replacement) from the same face are equal: the soft accuracy
            of a random annotator.
        unanimous: share of faces where all votes name one expression.
        entropy: mean entropy of the votes in nats: the least possible cross-entropy.
    """

    n: int
    ceiling: float
    pair: float
    unanimous: float
    entropy: float


@dataclass(frozen=True)
class Agreement:
    """A model against the annotators.

    Attributes:
        majority_accuracy: share of faces with a majority where the prediction equals it; NaN without such faces.
        n_majority: faces with a majority.
        soft_accuracy: mean share of votes on the predicted expression.
        cross_entropy: mean of -sum(votes * log(probabilities)) in nats, probabilities below 2.2e-16 raised to that.
        jensen_shannon: mean Jensen–Shannon distance to the votes, base 2, 0 (equal) to 1 (nothing in common).
        human: the annotators among themselves, on the same faces.
    """

    majority_accuracy: float
    n_majority: int
    soft_accuracy: float
    cross_entropy: float
    jensen_shannon: float
    human: HumanAgreement


def agreement(proba: ArrayLike, votes: ArrayLike, majority: ArrayLike) -> Agreement:
    """Compare probabilities with FER+ votes (Barsoum et al. 2016, ICMI, "Training Deep Networks for Facial
    Expression Recognition with Crowd-Sourced Label Distribution").

    Every mean is over the faces that have what it needs; NaN if none has. To measure FER2013's own labels the same
    way, pass them as `np.eye(7)[labels]`.

    Args:
        proba: `(n, 7)`.
        votes: `(n, 7)` shares of the votes that fell on the seven expressions, rows that sum to 1; a row of NaN
            where a face has none.
        majority: `(n,)` int, the expression chosen by most, -1 where there is none.

    Raises:
        ValueError: an array is not acceptable, or lengths differ.
    """
    values, shares, chosen = as_probabilities(proba), _as_votes(votes), _as_majority(majority)
    if not len(values) == len(shares) == len(chosen):
        raise ValueError(
            "Expected proba, votes and majority of equal length. "
            f"Received: {len(values)}, {len(shares)} and {len(chosen)} rows"
        )
    predicted, voted, decided = values.argmax(axis=1), ~np.isnan(shares[:, 0]), chosen != NO_MAJORITY
    on_prediction = shares[np.arange(len(shares)), predicted]
    logs = np.log(np.maximum(values, np.finfo(np.float64).eps))
    return Agreement(
        majority_accuracy=_mean((predicted == chosen)[decided]),
        n_majority=int(decided.sum()),
        soft_accuracy=_mean(on_prediction[voted]),
        cross_entropy=_mean(-(shares * logs).sum(axis=1)[voted]),
        jensen_shannon=_mean(_jensen_shannon(values[voted], shares[voted])),
        human=_human(shares[voted]),
    )


def human_agreement(votes: ArrayLike) -> HumanAgreement:
    """Return how far the annotators agree with each other; `votes` as in `agreement`.

    Raises:
        ValueError: `votes` is not acceptable.
    """
    shares = _as_votes(votes)
    return _human(shares[~np.isnan(shares[:, 0])])


def _human(shares: FloatArray) -> HumanAgreement:
    logs = np.log(np.where(shares > 0, shares, 1.0))
    return HumanAgreement(
        n=len(shares),
        ceiling=_mean(shares.max(axis=1)),
        pair=_mean((shares**2).sum(axis=1)),
        unanimous=_mean(shares.max(axis=1) > 1 - 1e-9),
        entropy=_mean(-(shares * logs).sum(axis=1)),
    )


def _jensen_shannon(first: FloatArray, second: FloatArray) -> FloatArray:
    from scipy.spatial.distance import jensenshannon

    if not len(first):
        return np.empty(0)
    distance: FloatArray = jensenshannon(first, second, axis=1, base=2)
    return np.nan_to_num(distance)  # equal rows can give the root of a rounding error below 0


def _as_votes(votes: ArrayLike) -> FloatArray:
    shares = np.array(votes, dtype=np.float64)  # a copy: rows are rescaled below
    if shares.ndim != 2 or shares.shape[1] != NUM_CLASSES or not len(shares):
        raise ValueError(f"Expected votes of shape (n, {NUM_CLASSES}) with n >= 1. Received: shape {shares.shape}")
    missing = np.isnan(shares)
    if (missing.any(axis=1) != missing.all(axis=1)).any():
        row = int(np.flatnonzero(missing.any(axis=1) != missing.all(axis=1))[0])
        raise ValueError(f"Expected rows of votes all NaN or not at all. Received: {shares[row].tolist()} in row {row}")
    voted = ~missing[:, 0]
    if voted.any():
        try:
            shares[voted] = as_probabilities(shares[voted], "votes")
        except ValueError as error:
            raise ValueError(f"{error} (counted among rows with votes; tolerance {SUM_TOLERANCE})") from error
    return shares


def _as_majority(majority: ArrayLike) -> IntArray:
    chosen = np.asarray(majority)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise ValueError(f"Expected majority of shape (n,), integers. Received: {chosen.shape} of {chosen.dtype}")
    if chosen.size and (chosen.min() < NO_MAJORITY or chosen.max() >= NUM_CLASSES):
        raise ValueError(f"Expected majority in -1..6. Received: values from {chosen.min()} to {chosen.max()}")
    return chosen.astype(np.int64)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
