"""Is one model really better than another: McNemar's test, paired bootstrap, all pairs with Holm's correction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from fer_core.evaluation.bootstrap import checked_models
from fer_core.evaluation.checks import FloatArray, IntArray, check_count, check_fraction
from fer_core.evaluation.intervals import Interval, percentile_interval
from fer_core.evaluation.rates import accuracy_of, class_rates, mean_defined
from fer_core.evaluation.resampling import resampled_counts

EXACT_BELOW: Final[int] = 25
"""Discordant pairs below which McNemar's test is the exact binomial one: the chi-square is poor there."""


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two models on the same faces.

    Attributes:
        table: ((both right, only the first right), (only the second right, neither right)).
        statistic: chi-square with continuity correction; the smaller of the two discordant counts if `exact`.
        p_value: two-sided; 1 when the models never differ in being right.
        exact: whether the binomial distribution was used.
    """

    table: tuple[tuple[int, int], tuple[int, int]]
    statistic: float
    p_value: float
    exact: bool

    @property
    def discordant(self) -> int:
        """How many faces exactly one of the two models gets right."""
        return self.table[0][1] + self.table[1][0]


@dataclass(frozen=True)
class PairedDifference:
    """First model minus second, with percentile intervals over shared resamples."""

    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval


@dataclass(frozen=True)
class Comparison:
    """Two named models compared.

    Attributes:
        first, second: their names.
        difference: first minus second.
        mcnemar: the test of equal accuracy.
        p_holm: its p-value adjusted for all pairs compared (Holm 1979, Scand. J. Statist. 6:65).
    """

    first: str
    second: str
    difference: PairedDifference
    mcnemar: McNemar
    p_holm: float


def mcnemar(y_true: ArrayLike, proba_a: ArrayLike, proba_b: ArrayLike) -> McNemar:
    """Test whether two models are right equally often on the same faces (McNemar 1947, Psychometrika 12:153).

    Exact binomial with fewer than `EXACT_BELOW` discordant faces, otherwise chi-square with Edwards' continuity
    correction; both by statsmodels.

    Args:
        y_true: `(n,)` int 0..6.
        proba_a: `(n, 7)` of the first model.
        proba_b: `(n, 7)` of the second.

    Raises:
        ValueError: the arrays are not acceptable (see `checks`).
    """
    labels, probas = checked_models(y_true, {"proba_a": proba_a, "proba_b": proba_b})
    return _mcnemar(_right(labels, probas["proba_a"]), _right(labels, probas["proba_b"]))


def paired_bootstrap(
    y_true: ArrayLike,
    proba_a: ArrayLike,
    proba_b: ArrayLike,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> PairedDifference:
    """Return the first model's accuracy and macro F1 minus the second's, with intervals.

    Both models see the same resamples, so what is hard for both cancels out (Efron and Tibshirani 1993).
    Arguments as in `mcnemar` and `bootstrap_intervals`.

    Raises:
        ValueError: the arrays are not acceptable (see `checks`), or a setting is out of range.
    """
    labels, probas = checked_models(y_true, {"proba_a": proba_a, "proba_b": proba_b})
    scores = _scores(labels, probas, n_resamples, seed)
    return _difference(scores["proba_a"], scores["proba_b"], confidence)


def compare_all(
    y_true: ArrayLike,
    probas: Mapping[str, ArrayLike],
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[Comparison, ...]:
    """Compare every pair of models, p-values adjusted over all pairs by Holm's method.

    Args:
        y_true: `(n,)` int 0..6.
        probas: name to `(n, 7)`, at least two.
        n_resamples: for the intervals of the differences.
        seed: of the resamples.
        confidence: of the intervals, each by itself (not adjusted).

    Returns:
        One `Comparison` a pair, in the mapping's order.

    Raises:
        ValueError: the arrays are not acceptable (see `checks`), fewer than two models, or a setting out of range.
    """
    from statsmodels.stats.multitest import multipletests

    if len(probas) < 2:
        raise ValueError(f"Expected at least two models. Received: {len(probas)}")
    labels, checked = checked_models(y_true, probas)
    scores = _scores(labels, checked, n_resamples, seed)
    right = {name: _right(labels, values) for name, values in checked.items()}
    pairs = list(combinations(checked, 2))
    tests = [_mcnemar(right[a], right[b]) for a, b in pairs]
    adjusted = multipletests([test.p_value for test in tests], method="holm")[1]
    return tuple(
        Comparison(a, b, _difference(scores[a], scores[b], confidence), test, float(p))
        for (a, b), test, p in zip(pairs, tests, adjusted, strict=True)
    )


def _right(labels: IntArray, values: FloatArray) -> np.ndarray:
    return values.argmax(axis=1) == labels


def _mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> McNemar:
    from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

    only_a, only_b = int((right_a & ~right_b).sum()), int((~right_a & right_b).sum())
    table = ((int((right_a & right_b).sum()), only_a), (only_b, int((~right_a & ~right_b).sum())))
    exact = only_a + only_b < EXACT_BELOW
    result = statsmodels_mcnemar(table, exact=exact, correction=True)
    return McNemar(table, float(result.statistic), float(min(result.pvalue, 1.0)), exact)


def _scores(
    labels: IntArray, probas: Mapping[str, FloatArray], n_resamples: int, seed: int
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return each model's accuracy and macro F1, `(1 + n_resamples,)`: on all faces first, then on each resample."""
    resamples = resampled_counts(labels, probas, check_count(n_resamples, "n_resamples"), seed)
    scores = {}
    for name, values in probas.items():
        whole = np.zeros((1, 7, 7))
        np.add.at(whole[0], (labels, values.argmax(axis=1)), 1)
        counts = np.concatenate([whole, resamples[name]])
        scores[name] = accuracy_of(counts), mean_defined(class_rates(counts).f1)
    return scores


def _difference(
    first: tuple[FloatArray, FloatArray], second: tuple[FloatArray, FloatArray], confidence: float
) -> PairedDifference:
    check_fraction(confidence, "confidence")
    accuracy, macro_f1 = first[0] - second[0], first[1] - second[1]
    return PairedDifference(
        accuracy=float(accuracy[0]),
        accuracy_interval=percentile_interval(accuracy[1:], confidence),
        macro_f1=float(macro_f1[0]),
        macro_f1_interval=percentile_interval(macro_f1[1:], confidence),
    )
