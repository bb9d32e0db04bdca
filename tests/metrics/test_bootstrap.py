import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from fer_core.labels import EXPRESSIONS
from fer_core.metrics import intervals
from fer_core.metrics.checks import as_labels, as_probabilities
from fer_core.metrics.core import METRICS, bootstrap_intervals, evaluate
from fer_core.metrics.intervals import (
    Interval,
    percentile_interval,
    resample_weights,
    resampled_counts,
    wilson_interval,
)


def test_vectorised_equals_a_naive_loop_over_the_same_resamples(sample):
    labels, first = sample(120, seed=1)
    second = sample(120, seed=2)[1]
    result = bootstrap_intervals(labels, {"a": first, "b": second}, n_resamples=60, seed=5)
    weights = np.concatenate(list(resample_weights(120, 60, 5))).astype(int)
    assert (weights.sum(axis=1) == 120).all()
    for name, proba in (("a", first), ("b", second)):
        draws = [np.repeat(np.arange(120), row) for row in weights]
        naive = [evaluate(labels[rows], proba[rows]) for rows in draws]
        for metric in ("accuracy", "macro_f1", "avg_tpr", "avg_fpr"):
            low, high = np.quantile([one[metric] for one in naive], [0.025, 0.975])
            interval = result[name][metric]
            assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-12)
        for index, expression in enumerate(EXPRESSIONS):
            scores = [one.per_class.f1[index] for one in naive]
            low, high = np.quantile(scores, [0.025, 0.975])
            assert (result[name].f1[expression].low, result[name].f1[expression].high) == pytest.approx((low, high))


def test_blocks_change_nothing(sample, monkeypatch):
    labels, proba = sample(100)
    arguments = as_labels(labels), {"a": as_probabilities(proba)}, 50, 3
    whole = resampled_counts(*arguments)["a"]
    monkeypatch.setattr(intervals, "DRAWS_AT_ONCE", 700)
    np.testing.assert_array_equal(resampled_counts(*arguments)["a"], whole)
    assert whole.shape == (50, 7, 7)
    assert (whole.sum(axis=(1, 2)) == 100).all()


def test_one_model_equals_the_same_in_a_mapping_and_the_seed_decides(sample):
    labels, proba = sample(150)
    alone = bootstrap_intervals(labels, proba, n_resamples=200, seed=1)
    assert alone == bootstrap_intervals(labels, {"x": proba, "y": proba[::-1]}, n_resamples=200, seed=1)["x"]
    assert alone != bootstrap_intervals(labels, proba, n_resamples=200, seed=2)


def test_intervals_hold_the_truth_about_95_times_in_100():
    """Test sets from a known world: a model right with probability 0.6, whatever the class."""
    rng = np.random.default_rng(0)
    covered = {"bootstrap": 0, "wilson": 0, "avg_tpr": 0}
    for repeat in range(150):
        labels = rng.integers(0, 7, 200)
        wrong = (labels + rng.integers(1, 7, 200)) % 7
        proba = np.eye(7)[np.where(rng.random(200) < 0.6, labels, wrong)]
        result = bootstrap_intervals(labels, proba, n_resamples=200, seed=repeat)
        covered["bootstrap"] += 0.6 in result["accuracy"]
        covered["wilson"] += 0.6 in wilson_interval(int((proba.argmax(axis=1) == labels).sum()), 200)
        covered["avg_tpr"] += 0.6 in result["avg_tpr"]
    assert all(134 <= hits <= 150 for hits in covered.values()), covered


def test_estimates_lie_inside_and_more_confidence_is_wider(sample):
    labels, proba = sample(400)
    result, metrics = bootstrap_intervals(labels, proba), evaluate(labels, proba)
    for name in METRICS:
        assert metrics[name] in result[name]
    wide = bootstrap_intervals(labels, proba, confidence=0.99)
    assert wide["macro_f1"].half_width > result["macro_f1"].half_width


def test_a_test_split_of_3589_gives_about_one_and_a_half_points(sample):
    labels, proba = sample(3589, skill=1.6)
    assert bootstrap_intervals(labels, proba, n_resamples=500)["accuracy"].half_width == pytest.approx(0.016, abs=0.002)


def test_degenerate_input_has_intervals(degenerate):
    for labels, proba in degenerate.values():
        result = bootstrap_intervals(labels, proba, n_resamples=50)
        assert 0 <= result["accuracy"].low <= result["accuracy"].high <= 1
    missing = bootstrap_intervals([0, 0, 1, 1], np.eye(7)[[0, 0, 1, 1]], n_resamples=50)
    assert missing.f1["happy"].low != missing.f1["happy"].low
    assert missing["accuracy"] == Interval(1, 1)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_is_statsmodels(confidence):
    for successes, n in ((0, 1), (0, 30), (7, 30), (30, 30), (2096, 3589)):
        expected = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
        interval = wilson_interval(successes, n, confidence)
        assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-12)


def test_nothing_counted_has_no_interval():
    assert math.isnan(wilson_interval(0, 0).low)
    assert math.isnan(percentile_interval(np.array([np.nan])).high)


def test_bad_settings(sample):
    labels, proba = sample(20)
    for settings in ({"n_resamples": 0}, {"n_resamples": 1.5}, {"confidence": 1.0}, {"confidence": 95}):
        with pytest.raises(ValueError, match="Received"):
            bootstrap_intervals(labels, proba, **settings)
    with pytest.raises(ValueError, match="at least one model"):
        bootstrap_intervals(labels, {})
    with pytest.raises(ValueError, match="y_true and short of equal length"):
        bootstrap_intervals(labels, {"good": proba, "short": proba[:5]})
    with pytest.raises(ValueError, match="0 <= successes <= n"):
        wilson_interval(4, 3)
    with pytest.raises(ValueError, match="low <= high"):
        Interval(1, 0)
