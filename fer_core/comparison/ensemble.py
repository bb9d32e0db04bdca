"""Ensembles of stored models, with weights that do not depend on the split that is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fer_core.columns import YARDSTICKS
from fer_core.comparison.answers import ENSEMBLE, Answers
from fer_core.metrics import (
    accuracies_of,
    exponential_weights,
    fit_exponent,
    weighted_fusion,
)
from fer_core.store.card import ModelCard

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


@dataclass(frozen=True, eq=False)
class Ensemble:
    """An ensemble of models.

    Attributes:
        answers: predictions of all models and of the ensemble.
        fusion: one of `FUSIONS`.
        shares: weight of each member by name; they sum to 1.
        source: what the weights are computed from, as text; empty for equal weights.
        best_exponent: q with the highest accuracy on the other test split, `best_on`; None if not exponential.
    """

    answers: Answers
    fusion: str
    shares: dict[str, float]
    source: str
    best_exponent: float | None = None
    best_on: str = ""

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each member by title."""
        return {self.answers.titles[name]: share for name, share in self.shares.items()}

    def on(self, other: Answers) -> Answers:
        """Add the ensemble with the same weights to other predictions, if these have all members."""
        if not set(self.shares) <= set(other.names):
            return other
        fused = weighted_fusion([other.probabilities[name] for name in self.shares], list(self.shares.values()))
        return other.plus(ENSEMBLE, self.answers.titles[ENSEMBLE], fused)

    @property
    def description(self) -> str:
        """The weights and their source as one paragraph."""
        shares = ", ".join(f"{title} {share:.0%}" for title, share in self.weights.items())
        source = f" Weights from {self.source}, not from the faces shown." if self.source else ""
        best = ""
        if self.best_exponent is not None:
            by = YARDSTICKS[self.answers.by]
            best = f" On {self.best_on}, q = {self.best_exponent:.0f} is best by {by}."
        return f"{FUSIONS[self.fusion]} {shares}.{source}{best}"


def fuse(
    answers: Answers,
    members: Sequence[str],
    fusion: str = "mean",
    exponent: float = 10.0,
    cards: Mapping[str, ModelCard] | None = None,
    other: Answers | None = None,
) -> Ensemble:
    """Add an ensemble to the predictions, under the name `ENSEMBLE`.

    Weights are computed from the hold-out accuracies on the cards if every member has one, otherwise from the
    accuracies on the other test split.

    Args:
        answers: predictions of the split that is shown.
        members: names in `answers`, at least two; other names are ignored.
        fusion: one of `FUSIONS`.
        exponent: q of the exponential weights.
        cards: by name of the model.
        other: predictions of the same models on the other test split.

    Raises:
        ValueError: there are fewer than two members, the fusion is unknown, or there are no accuracies to weight by.
    """
    chosen = [name for name in answers.names if name in set(members)]
    if len(chosen) < 2:
        raise ValueError(f"Expected at least two models to fuse. Received: {len(chosen)}")
    if fusion not in FUSIONS:
        raise ValueError(f"Expected fusion to be one of {', '.join(FUSIONS)}. Received: {fusion!r}")
    probabilities = [answers.probabilities[name] for name in chosen]
    source, best = "", None
    if fusion == "mean":
        fused, shares = weighted_fusion(probabilities, np.ones(len(chosen))), np.full(len(chosen), 1 / len(chosen))
    else:
        accuracies, source = _accuracies(chosen, cards or {}, other)
        if fusion == "exponential":
            best = _best_exponent(chosen, accuracies, other)
        shares = exponential_weights(accuracies, exponent if fusion == "exponential" else 1.0)
        fused = weighted_fusion(probabilities, shares)
    title = f"Ensemble of {len(chosen)} ({fusion})"
    by_name = {name: float(share) for name, share in zip(chosen, shares, strict=True)}
    return Ensemble(
        answers.plus(ENSEMBLE, title, fused), fusion, by_name, source, best, other.split if other is not None else ""
    )


def _accuracies(
    members: Sequence[str], cards: Mapping[str, ModelCard], other: Answers | None
) -> tuple[np.ndarray, str]:
    """Return the accuracy of each member on faces that are not shown, and a description of these faces."""
    stated = [cards[name].holdout_accuracy if name in cards else None for name in members]
    known = [value for value in stated if value is not None]
    if len(known) == len(members):
        return np.clip(known, _FLOOR, 1), "accuracy by FER2013's label on the hold-out (of Training)"
    if other is not None and set(members) <= set(other.names):
        measured = accuracies_of(other.labels, [other.probabilities[name] for name in members])
        where = f"{other.split} by {YARDSTICKS[other.by]}"
        return np.clip(measured, _FLOOR, 1), f"accuracy on {where}, because a card has no hold-out accuracy"
    raise ValueError(
        "These models cannot be weighted: a card has no hold-out accuracy, and there are no predictions of the other "
        "test split. Use the mean."
    )


def _best_exponent(members: Sequence[str], accuracies: np.ndarray, other: Answers | None) -> float | None:
    """Return the best integer q on the other test split; None without its predictions."""
    if other is None or not set(members) <= set(other.names):
        return None
    probabilities = [other.probabilities[name] for name in members]
    return fit_exponent(other.labels, probabilities, np.arange(LOWEST_EXPONENT, HIGHEST_EXPONENT + 1), accuracies)
