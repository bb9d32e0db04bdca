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

from fer_core.columns import YARDSTICKS
from fer_core.labels import NUM_CLASSES
from fer_core.metrics.checks import FloatArray, IntArray, check_count, check_fraction
from fer_core.metrics.confusion import accuracy_of, class_rates, confusion_matrix, mean_defined
from fer_core.metrics.intervals import checked_models, percentile_interval, resample_weights, resampled_counts
from fer_core.metrics.predictions import Predictions
from fer_core.types import FerError

EXACT_BELOW: Final[int] = 25
"""Number of discordant faces below which McNemar's test uses the exact binomial distribution."""

LEVEL: Final = 0.05
"""Differences with an adjusted p-value below this are significant."""

Copies = Mapping[str, NDArray[np.floating]]
"""A model's probabilities `(n, 7)` for each copy of the same faces: `clean`, and any degraded ones."""

PARTS = {
    "label": "Accuracy by FER2013's label",
    "plurality": "Accuracy by most annotators",
    "recall": "Mean recall by most annotators",
}
"""The parts of a score, with their titles."""


def compare_all(
    y_true: ArrayLike,
    probas: Mapping[str, ArrayLike],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compare every pair of models by McNemar's test (1947, Psychometrika 12:153) and paired bootstrap.

    All models share the resamples, so that faces which are hard for both models cancel out.

    Args:
        y_true: `(n,)` int 0..6.
        probas: name to `(n, 7)`, at least two.
        n_resamples: number of resamples for the intervals of the differences.
        seed: of the resamples.
        confidence: of each interval, not adjusted.

    Returns:
        One row for each pair, in the order of the mapping: `first`, `second` (names), `difference` (of their
        accuracies), `low`, `high` (its percentile interval), `only_first`, `only_second` (faces that only this model
        classifies correctly), `p` (two-sided; 1 if there are no such faces), `p_holm` (adjusted for all pairs: Holm
        1979, Scand. J. Statist. 6:65), `test` ("exact": binomial; or "chi-square", with Edwards' continuity
        correction), `macro_f1_difference`, `macro_f1_low` and `macro_f1_high`.

    Raises:
        ValueError: the arrays are not valid (see `checks`), there are fewer than two models, or a setting is out of
            range.
    """
    from statsmodels.stats.multitest import multipletests

    if len(probas) < 2:
        raise ValueError(f"Expected at least two models. Received: {len(probas)}")
    check_fraction(confidence, "confidence")
    labels, checked = checked_models(y_true, probas)
    scores = _scores(labels, checked, n_resamples, seed)
    right = {name: values.argmax(axis=1) == labels for name, values in checked.items()}
    rows = []
    for first, second in combinations(checked, 2):
        only_first, only_second = (int((right[a] & ~right[b]).sum()) for a, b in ((first, second), (second, first)))
        accuracy, macro_f1 = (a - b for a, b in zip(scores[first], scores[second], strict=True))
        interval, f1_interval = (percentile_interval(values[1:], confidence) for values in (accuracy, macro_f1))
        exact = only_first + only_second < EXACT_BELOW
        rows.append(
            {
                "first": first,
                "second": second,
                "difference": float(accuracy[0]),
                "low": interval.low,
                "high": interval.high,
                "only_first": only_first,
                "only_second": only_second,
                "p": _mcnemar(only_first, only_second, exact),
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
    """Compare every pair of models.

    Returns:
        The columns of `compare_all`, with titles as `first` and `second`, the more accurate model first, and the
        `verdict` as text. Empty for fewer than two models.
    """
    if len(predictions.names) < 2:
        return pd.DataFrame(columns=["first", "second", "difference", "p_holm", "verdict"])
    table = compare_all(predictions.labels, _best_first(predictions))
    table = table.assign(first=table["first"].map(predictions.titles), second=table["second"].map(predictions.titles))
    by = YARDSTICKS[predictions.by]
    better = table["first"].where(table["difference"] > 0, table["second"]) + f" is better by {by}"
    return table.assign(verdict=better.where(table["p_holm"] < LEVEL, f"no clear difference by {by}"))


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


def _best_first(predictions: Predictions) -> dict[str, ArrayLike]:
    """Return the probabilities, the most accurate model first, so that no difference is negative."""
    right = {name: (p.argmax(axis=1) == predictions.labels).mean() for name, p in predictions.probabilities.items()}
    return {name: predictions.probabilities[name] for name in sorted(right, key=lambda name: -right[name])}


def _scores(
    labels: IntArray, probas: Mapping[str, FloatArray], n_resamples: int, seed: int
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return accuracy and macro F1 of each model, `(1 + n_resamples,)`: on all faces, then on each resample."""
    resamples = resampled_counts(labels, probas, check_count(n_resamples, "n_resamples"), seed)
    scores = {}
    for name, values in probas.items():
        counts = np.concatenate([confusion_matrix(labels, values)[None], resamples[name]])
        scores[name] = accuracy_of(counts), mean_defined(class_rates(counts).f1)
    return scores


def _mcnemar(only_first: int, only_second: int, exact: bool) -> float:
    """Return the p-value of McNemar's test, which uses only the faces that one of two models classifies correctly."""
    from statsmodels.stats.contingency_tables import mcnemar

    result = mcnemar([[0, only_first], [only_second, 0]], exact=exact, correction=True)
    return float(min(result.pvalue, 1.0))


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
        first: the models of one way of training, one for each seed.
        second: those of the other.
        labels: `(n,)` FER2013's labels.
        plurality: `(n,)` what most annotators say, -1 where they have no clear answer.
        n_resamples: number of resamples.
        seed: of the resamples.

    Returns:
        One row for each of `PARTS` on the clean copy, one for each on the mean of the degraded copies if there are any,
        and last `score`, their mean, which chooses the default model on the hold-out. Columns `part` (with `_degraded`
        at its end), `first`, `second` (means over the models), `difference`, `low`, `high` (95 % interval).

    Raises:
        FerError: no face has a plurality, or a side has no models.
    """
    if not (plurality >= 0).any() or not first or not second:
        raise FerError("A comparison needs models on both sides, and faces with FER+'s votes.")
    weights = np.concatenate([np.ones((1, len(labels)), np.float32), *resample_weights(len(labels), n_resamples, seed)])
    sides = [_mean([_parts(copies, labels, plurality, weights) for copies in models]) for models in (first, second)]
    rows = []
    for part in sides[0]:
        ours, theirs = (side[part] for side in sides)
        interval = percentile_interval((ours - theirs)[1:], 0.95)
        rows.append((part, ours[0], theirs[0], ours[0] - theirs[0], interval.low, interval.high))
    return pd.DataFrame(rows, columns=["part", "first", "second", "difference", "low", "high"])


def _mean(models: list[dict[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    return {part: np.mean([model[part] for model in models], axis=0) for part in models[0]}


def _parts(
    copies: Copies, labels: NDArray[np.int64], plurality: NDArray[np.int64], weights: NDArray[np.float32]
) -> dict[str, NDArray[np.float64]]:
    """Return each part of a model's score with each row of weights, `(resamples,)`."""
    clear = plurality >= 0
    classes = np.eye(NUM_CLASSES, dtype=np.float32)[plurality] * clear[:, None]
    by_copy: dict[str, dict[str, NDArray[np.float64]]] = {part: {} for part in PARTS}
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
