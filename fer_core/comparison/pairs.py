"""Pairwise comparisons of models: differences, intervals and significance."""

from __future__ import annotations

from typing import Final

import pandas as pd
from numpy.typing import ArrayLike

from fer_core.columns import YARDSTICKS
from fer_core.comparison.answers import Answers
from fer_core.metrics import compare_all
from fer_core.store.stored_model import StoredModel

LEVEL: Final = 0.05
"""Differences with an adjusted p-value below this are significant."""


def pairs(answers: Answers) -> pd.DataFrame:
    """Compare every pair by McNemar's test and paired bootstrap; p-values are adjusted over all pairs (Holm).

    Tests and intervals cover which test faces were drawn, not training the models again with another seed.

    Returns:
        Columns `first`, `second` (titles, the more accurate model first), `difference` (of their accuracies), `low`,
        `high` (95 % interval), `only_first`, `only_second` (faces that only this model classifies correctly), `p`,
        `p_holm`, `test` ("exact" or "chi-square"), `macro_f1_difference`, `macro_f1_low`, `macro_f1_high`, `verdict`.
        Empty for fewer than two models.
    """
    if len(answers.names) < 2:
        return pd.DataFrame(columns=["first", "second", "difference", "p_holm", "verdict"])
    rows = []
    for one in compare_all(answers.labels, _best_first(answers)):
        first, second, found = answers.titles[one.first], answers.titles[one.second], one.difference
        rows.append(
            {
                "first": first,
                "second": second,
                "difference": found.accuracy,
                "low": found.accuracy_interval.low,
                "high": found.accuracy_interval.high,
                "only_first": one.mcnemar.only_first,
                "only_second": one.mcnemar.only_second,
                "p": one.mcnemar.p_value,
                "p_holm": one.p_holm,
                "test": "exact" if one.mcnemar.exact else "chi-square",
                "macro_f1_difference": found.macro_f1,
                "macro_f1_low": found.macro_f1_interval.low,
                "macro_f1_high": found.macro_f1_interval.high,
                "verdict": _verdict(first, second, found.accuracy, one.p_holm, answers.by),
            }
        )
    return pd.DataFrame(rows)


def both_ways(table: pd.DataFrame) -> pd.DataFrame:
    """Return each pair in both orders, for a square matrix of models."""
    swapped = table.assign(
        first=table["second"],
        second=table["first"],
        difference=-table["difference"],
        low=-table["high"],
        high=-table["low"],
        only_first=table["only_second"],
        only_second=table["only_first"],
        macro_f1_difference=-table["macro_f1_difference"],
        macro_f1_low=-table["macro_f1_high"],
        macro_f1_high=-table["macro_f1_low"],
    )
    both = pd.concat([table, swapped], ignore_index=True)
    points = [f"{round(100 * value, 1) + 0.0:+.1f}" for value in both["difference"]]  # + 0.0: no minus before zero
    clear = both["p_holm"] < LEVEL
    return both.assign(clear=clear, words=[p if c else f"({p})" for p, c in zip(points, clear, strict=True)])


def recommendation(one: StoredModel, other: StoredModel) -> str:
    """Return which of two models the score on the hold-out recommends, by which the default model is chosen, too.

    Returns:
        A sentence with their titles and scores, or why there is no recommendation.
    """
    scores = [(model.card.holdout_score, model.title, model.card.scored_faces) for model in (one, other)]
    known = sorted([(score, title) for score, title, _ in scores if score is not None], reverse=True)
    faces = {number for _, _, number in scores}
    if len(known) < 2 or len(faces) > 1 or None in faces:
        return (
            "No recommendation: this needs scores of both models on FER2013's whole fixed hold-out, with FER+'s votes. "
            "A run on FER2013 gets one, if the votes are at hand."
        )
    (high, first), (low, second) = known
    found = f"{first} scores {high:.1%} on the hold-out, {second} {low:.1%}"
    verdict = f"{first} is recommended" if high > low else "neither is recommended"
    return (
        f"{found}: {verdict}. The score is the mean of the accuracies by FER2013's label and by most annotators, each "
        "on clean and on degraded faces."
    )


def _best_first(answers: Answers) -> dict[str, ArrayLike]:
    """Return the probabilities, the most accurate model first, so that no difference is negative."""
    right = {name: (p.argmax(axis=1) == answers.labels).mean() for name, p in answers.probabilities.items()}
    return {name: answers.probabilities[name] for name in sorted(right, key=lambda name: -right[name])}


def _verdict(first: str, second: str, difference: float, p_holm: float, by: str) -> str:
    if p_holm >= LEVEL:
        return f"no clear difference by {YARDSTICKS[by]}"
    return f"{first if difference > 0 else second} is better by {YARDSTICKS[by]}"
