"""Several stored models fused into one, with weights that never saw the split on show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fer_core.card import ModelCard
from fer_core.comparison.answers import ENSEMBLE, Answers
from fer_core.evaluation import (
    accuracies_of,
    exponential_weights,
    fit_exponent,
    weighted_fusion,
)

FUSIONS: Final[dict[str, str]] = {
    "mean": "Every model counts the same.",
    "weighted": "Each model counts by its accuracy.",
    "exponential": "Each model counts by its accuracy to the power q (Kim et al. 2015): the larger q, the more the "
    "best model decides.",
}
"""The ways to fuse, and what each does in one sentence."""

LOWEST_EXPONENT, HIGHEST_EXPONENT = -50, 150
"""Kim et al. search between these."""

_FLOOR = 1e-3


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A fusion of models and what it rests on.

    Attributes:
        answers: the models given, and the ensemble as one more.
        fusion: one of `FUSIONS`.
        shares: member's name to its share; they sum to 1.
        source: what the weights come from, in words; empty for the mean.
        best_exponent: q that is right most often on the other test split, `best_on`; None unless asked for.
    """

    answers: Answers
    fusion: str
    shares: dict[str, float]
    source: str
    best_exponent: float | None = None
    best_on: str = ""

    @property
    def weights(self) -> dict[str, float]:
        """The shares by the members' titles."""
        return {self.answers.titles[name]: share for name, share in self.shares.items()}

    def on(self, other: Answers) -> Answers:
        """Add the fusion with these very shares to the same models' answers elsewhere, if all members are there."""
        if not set(self.shares) <= set(other.names):
            return other
        fused = weighted_fusion([other.probabilities[name] for name in self.shares], list(self.shares.values()))
        return other.plus(ENSEMBLE, self.answers.titles[ENSEMBLE], fused)

    @property
    def words(self) -> str:
        """The weights and where they come from, in one paragraph."""
        shares = ", ".join(f"{title} {share:.0%}" for title, share in self.weights.items())
        source = f" Weights from {self.source}, not from the faces shown." if self.source else ""
        best = "" if self.best_exponent is None else f" On {self.best_on}, q = {self.best_exponent:.0f} is best."
        return f"{FUSIONS[self.fusion]} {shares}.{source}{best}"


def fuse(
    answers: Answers,
    members: Sequence[str],
    fusion: str = "mean",
    exponent: float = 10.0,
    cards: Mapping[str, ModelCard] | None = None,
    other: Answers | None = None,
) -> Ensemble:
    """Add the members' fusion to the answers, under the name `ENSEMBLE`.

    Args:
        answers: of the split on show.
        members: names in `answers`, at least two; others are ignored.
        fusion: one of `FUSIONS`.
        exponent: q of the exponential fusion.
        cards: of the models: the hold-out accuracies that weights rest on where every member has one.
        other: the same models on the other test split: weights rest on it where a hold-out accuracy is missing.

    Raises:
        ValueError: fewer than two members, an unknown fusion, or nothing that weights could rest on.
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
    """Return each member's accuracy on something that is not on show, and what it is."""
    stated = [cards[name].holdout_accuracy if name in cards else None for name in members]
    known = [value for value in stated if value is not None]
    if len(known) == len(members):
        return np.clip(known, _FLOOR, 1), "accuracy on the hold-out (of Training)"
    if other is not None and set(members) <= set(other.names):
        measured = accuracies_of(other.labels, [other.probabilities[name] for name in members])
        return np.clip(measured, _FLOOR, 1), f"accuracy on {other.split}, for a card lacks the hold-out's"
    raise ValueError(
        "These models cannot be weighted: a card lacks the hold-out accuracy, and the other test split is missing. "
        "Use the plain mean."
    )


def _best_exponent(members: Sequence[str], accuracies: np.ndarray, other: Answers | None) -> float | None:
    """Return q fitted on the other test split, in whole steps; None without its predictions."""
    if other is None or not set(members) <= set(other.names):
        return None
    probabilities = [other.probabilities[name] for name in members]
    return fit_exponent(other.labels, probabilities, np.arange(LOWEST_EXPONENT, HIGHEST_EXPONENT + 1), accuracies)
