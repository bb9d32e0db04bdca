"""Significance of the differences between models: McNemar's test with Holm's correction, and paired bootstrap.

Both cover which test faces were drawn. They say nothing about training the same network again with another seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.metrics.confusion import accuracy_of, class_rates, confusion_matrix, mean_defined
from fer_core.metrics.intervals import percentile_interval, resample_weights, resampled_counts
from fer_core.metrics.predictions import FloatArray, Predictions, as_models, check_count
from fer_core.types import FerError

EXACT_BELOW: Final[int] = 25
"""Number of discordant faces below which McNemar's test uses the exact binomial distribution."""

LEVEL: Final = 0.05
"""Differences with an adjusted p-value below this are significant."""

Copies = Mapping[str, NDArray[np.floating]]
"""A model's probabilities `(n, 7)` for each copy of the same faces: `clean`, and any degraded ones."""

PARTS: Final = {
    "label": "Accuracy by FER2013's label",
    "plurality": "Accuracy by most annotators",
    "recall": "Mean recall by most annotators",
}
"""The parts of a score, with their titles."""

SCORE_IN_WORDS: Final = (
    "the mean of accuracy by FER2013's label, accuracy by most annotators and mean recall by most annotators, each on "
    "clean and on degraded faces"
)
"""What the score is by which the default model is chosen, see `score_parts`."""


def compare_all(
    y_true: ArrayLike,
    probas: Mapping[str, ArrayLike],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compare every pair of models by McNemar's test (1947, Psychometrika 12:153) and paired bootstrap.

    All models share the resamples, so that faces which are hard for both models cancel out. The confidence is that of
    each interval, not adjusted.

    Returns:
        One row for each pair, in the order of the mapping: `first`, `second` (names), `difference` (of their
        accuracies), `low`, `high` (its percentile interval), `only_first`, `only_second` (faces that only this model
        classifies correctly), `p` (two-sided; 1 if there are no such faces), `p_holm` (adjusted for all pairs: Holm
        1979, Scand. J. Statist. 6:65), `test` ("exact": binomial; or "chi-square", with Edwards' continuity
        correction), `macro_f1_difference`, `macro_f1_low` and `macro_f1_high`.
    """
    from statsmodels.stats.contingency_tables import mcnemar
    from statsmodels.stats.multitest import multipletests

    if len(probas) < 2:
        raise ValueError(f"Expected at least two models. Received: {len(probas)}")
    labels, checked = as_models(y_true, probas)
    resamples = resampled_counts(labels, checked, check_count(n_resamples, "n_resamples"), seed)
    scores = {}
    for name, values in checked.items():  # on all faces, then on each resample: (1 + n_resamples,)
        counts = np.concatenate([confusion_matrix(labels, values)[None], resamples[name]])
        scores[name] = accuracy_of(counts), mean_defined(class_rates(counts).f1)
    right = {name: values.argmax(axis=1) == labels for name, values in checked.items()}
    rows = []
    for first, second in combinations(checked, 2):
        only_first, only_second = (int((right[a] & ~right[b]).sum()) for a, b in ((first, second), (second, first)))
        accuracy, macro_f1 = (a - b for a, b in zip(scores[first], scores[second], strict=True))
        interval, f1_interval = (percentile_interval(values[1:], confidence) for values in (accuracy, macro_f1))
        exact = only_first + only_second < EXACT_BELOW
        test = mcnemar([[0, only_first], [only_second, 0]], exact=exact, correction=True)
        rows.append(
            {
                "first": first,
                "second": second,
                "difference": float(accuracy[0]),
                "low": interval.low,
                "high": interval.high,
                "only_first": only_first,
                "only_second": only_second,
                "p": float(min(test.pvalue, 1.0)),
                "p_holm": np.nan,
                "test": "exact" if exact else "chi-square",
                "macro_f1_difference": float(macro_f1[0]),
                "macro_f1_low": f1_interval.low,
                "macro_f1_high": f1_interval.high,
            }
        )
    table = pd.DataFrame(rows)
    return table.assign(p_holm=multipletests(table["p"], method="holm")[1])


def pair_table(predictions: Predictions) -> pd.DataFrame:
    """Compare every pair of models: the columns of `compare_all`, with titles as `first` and `second`, the more
    accurate model first, and the `verdict` as text. Empty for fewer than two models."""
    if len(predictions.names) < 2:
        return pd.DataFrame(columns=["first", "second", "difference", "p_holm", "verdict"])
    right = {name: (p.argmax(axis=1) == predictions.labels).mean() for name, p in predictions.probabilities.items()}
    best_first = sorted(right, key=lambda name: -right[name])  # so that no difference is negative
    table = compare_all(predictions.labels, {name: predictions.probabilities[name] for name in best_first})
    table = table.assign(first=table["first"].map(predictions.titles), second=table["second"].map(predictions.titles))
    by = predictions.judge
    better = table["first"].where(table["difference"] > 0, table["second"]) + f" is better by {by}"
    return table.assign(verdict=better.where(table["p_holm"] < LEVEL, f"no clear difference by {by}"))


def both_ways(table: pd.DataFrame) -> pd.DataFrame:
    """Return each pair in both orders, for a square matrix of models."""
    opposite = {"first": "second", "low": "high", "only_first": "only_second", "macro_f1_low": "macro_f1_high"}
    swapped = table.rename(columns=opposite | {new: old for old, new in opposite.items()})
    negative = ["difference", "low", "high", "macro_f1_difference", "macro_f1_low", "macro_f1_high"]
    swapped[negative] = -swapped[negative]
    both = pd.concat([table, swapped], ignore_index=True)
    points = [f"{round(100 * value, 1) + 0.0:+.1f}" for value in both["difference"]]  # + 0.0: no minus before zero
    clear = both["p_holm"] < LEVEL
    return both.assign(clear=clear, words=[p if c else f"({p})" for p, c in zip(points, clear, strict=True)])


def gains(
    first: Sequence[Copies],
    second: Sequence[Copies],
    *,
    labels: NDArray[np.int64],
    plurality: NDArray[np.int64],
    n_resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the mean of some models with the mean of others on the same faces.

    All models share the resamples of the faces (paired bootstrap), so that faces which are hard for all cancel out. The
    intervals cover which faces were drawn; what another seed would change is seen from the single models.

    Args:
        first, second: the models of one way of training, one for each seed; and those of the other.
        labels: `(n,)` FER2013's labels.
        plurality: `(n,)` what most annotators say, -1 where they have no clear answer.

    Returns:
        One row for each part of `score_parts`. Columns `part`, `first`, `second` (means over the models), `difference`,
        `low`, `high` (95 % interval).

    Raises:
        FerError: no face has a plurality, or a side has no models.
    """
    if not (plurality >= 0).any() or not first or not second:
        raise FerError("A comparison needs models on both sides, and faces with FER+'s votes.")
    weights = np.concatenate([np.ones((1, len(labels)), np.float32), *resample_weights(len(labels), n_resamples, seed)])
    sides = []
    for models in (first, second):
        scores = [score_parts(copies, labels, plurality, weights) for copies in models]
        sides.append({part: np.mean([score[part] for score in scores], axis=0) for part in scores[0]})
    rows = []
    for part in sides[0]:
        ours, theirs = (side[part] for side in sides)
        interval = percentile_interval((ours - theirs)[1:], 0.95)
        rows.append((part, ours[0], theirs[0], ours[0] - theirs[0], interval.low, interval.high))
    return pd.DataFrame(rows, columns=["part", "first", "second", "difference", "low", "high"])


def score_parts(
    copies: Copies, labels: NDArray[np.int64], plurality: NDArray[np.int64], weights: NDArray[np.floating]
) -> dict[str, FloatArray]:
    """Return each part of the score by which the default model is chosen on the hold-out, `(resamples,)`.

    Labels and plurality are those of `gains`; some face has a plurality. Weights `(resamples, n)` are how often each
    face counts.

    Returns:
        Each of `PARTS` on the clean copy; with `_degraded` at the end of the name its mean over the degraded copies, if
        there are any; and `score`, the mean of these.
    """
    clear = plurality >= 0
    known = next(iter(copies.values())).shape[1]
    classes = np.eye(known, dtype=np.float32)[plurality] * clear[:, None]
    by_copy: dict[str, dict[str, FloatArray]] = {part: {} for part in PARTS}
    totals = weights @ classes
    for name, probabilities in copies.items():
        predicted = probabilities.argmax(axis=1)
        by_copy["label"][name] = weights @ (predicted == labels) / weights.sum(axis=1)
        hits = weights @ (classes * (predicted == plurality)[:, None])
        by_copy["plurality"][name] = hits.sum(axis=1) / totals.sum(axis=1)
        with np.errstate(invalid="ignore"):
            by_copy["recall"][name] = np.nanmean(hits / totals, axis=1)  # over the expressions that occur
    clean = {part: values.pop("clean") for part, values in by_copy.items()}
    degraded = {f"{part}_degraded": np.mean([*values.values()], axis=0) for part, values in by_copy.items() if values}
    parts = {**clean, **degraded}
    return {**parts, "score": np.mean([*parts.values()], axis=0)}
