"""Significance of the differences between models: McNemar's test with Holm's correction, and paired bootstrap.

Both cover which test faces were drawn. They say nothing about training the same network again with another seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from fer_core.metrics.bootstrap import checked_models, resampled_counts
from fer_core.metrics.checks import FloatArray, IntArray, check_count, check_fraction
from fer_core.metrics.confusion import accuracy_of, class_rates, mean_defined
from fer_core.metrics.intervals import Interval, percentile_interval

EXACT_BELOW: Final[int] = 25
"""Number of discordant faces below which McNemar's test uses the exact binomial distribution."""


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two models on the same faces (McNemar 1947, Psychometrika 12:153).

    Attributes:
        only_first, only_second: numbers of faces that only this model classifies correctly.
        p_value: two-sided; 1 if there are no such faces.
        exact: whether the binomial distribution was used; otherwise chi-square with Edwards' continuity correction.
    """

    only_first: int
    only_second: int
    p_value: float
    exact: bool


@dataclass(frozen=True)
class PairedDifference:
    """Metrics of the first model minus the second, with percentile intervals over shared resamples."""

    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval


@dataclass(frozen=True)
class Comparison:
    """The comparison of two models.

    Attributes:
        first, second: names of the models.
        difference: first minus second.
        mcnemar: test of equal accuracy.
        p_holm: p-value of the test, adjusted for all pairs that were compared (Holm 1979, Scand. J. Statist. 6:65).
    """

    first: str
    second: str
    difference: PairedDifference
    mcnemar: McNemar
    p_holm: float


def compare_all(
    y_true: ArrayLike,
    probas: Mapping[str, ArrayLike],
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[Comparison, ...]:
    """Compare every pair of models; p-values are adjusted over all pairs by Holm's method.

    All models share the resamples, so that faces which are hard for both models cancel out.

    Args:
        y_true: `(n,)` int 0..6.
        probas: name to `(n, 7)`, at least two.
        n_resamples: number of resamples for the intervals of the differences.
        seed: of the resamples.
        confidence: of each interval, not adjusted.

    Returns:
        One `Comparison` per pair, in the order of the mapping.

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
    pairs = list(combinations(checked, 2))
    tests = [_mcnemar(right[a], right[b]) for a, b in pairs]
    adjusted = multipletests([test.p_value for test in tests], method="holm")[1]
    return tuple(
        Comparison(a, b, _difference(scores[a], scores[b], confidence), test, float(p))
        for (a, b), test, p in zip(pairs, tests, adjusted, strict=True)
    )


def _mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> McNemar:
    from statsmodels.stats.contingency_tables import mcnemar

    only_a, only_b = int((right_a & ~right_b).sum()), int((~right_a & right_b).sum())
    exact = only_a + only_b < EXACT_BELOW
    result = mcnemar([[0, only_a], [only_b, 0]], exact=exact, correction=True)  # uses the discordant faces only
    return McNemar(only_a, only_b, float(min(result.pvalue, 1.0)), exact)


def _scores(
    labels: IntArray, probas: Mapping[str, FloatArray], n_resamples: int, seed: int
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return accuracy and macro F1 of each model, `(1 + n_resamples,)`: on all faces, then on each resample."""
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
    accuracy, macro_f1 = first[0] - second[0], first[1] - second[1]
    return PairedDifference(
        accuracy=float(accuracy[0]),
        accuracy_interval=percentile_interval(accuracy[1:], confidence),
        macro_f1=float(macro_f1[0]),
        macro_f1_interval=percentile_interval(macro_f1[1:], confidence),
    )
