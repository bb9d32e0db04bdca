import json
import math
import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from statsmodels.stats.proportion import proportion_confint

from fer_core.labels import EXPRESSIONS
from fer_core.metrics import intervals
from fer_core.metrics.core import METRICS, bootstrap_all, bootstrap_intervals, evaluate
from fer_core.metrics.curves import class_auc, macro_auc_interval
from fer_core.metrics.intervals import Interval, percentile_interval, resample_weights, wilson_interval

KEYS = ["accuracy", "macro_f1", "roc_auc", "avg_tpr", "avg_fpr", "ece", "log_loss", "n"]


def _agrees(labels, proba):
    """Everything against scikit-learn (or, for FPR, the plain definition)."""
    result, predicted = evaluate(labels, proba), proba.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert result.accuracy == pytest.approx(reference.accuracy_score(labels, predicted))
        f1 = reference.f1_score(labels, predicted, average="macro", zero_division=0)
        assert result["macro_f1"] == pytest.approx(f1)
        assert result["avg_tpr"] == pytest.approx(reference.balanced_accuracy_score(labels, predicted))
        assert result["log_loss"] == pytest.approx(reference.log_loss(labels, proba, labels=range(7)))
        fpr, auc = [], []
        for index in range(7):
            others = labels != index
            if others.any():
                fpr.append((predicted[others] == index).mean())
            if others.any() and not others.all():
                auc.append(reference.roc_auc_score(~others, proba[:, index]))
    assert result["avg_fpr"] == pytest.approx(np.mean(fpr))
    assert result["roc_auc"] == pytest.approx(np.mean(auc) if auc else math.nan, nan_ok=True)
    assert result.n == len(labels)


@given(n=st.integers(1, 80), seed=st.integers(0, 10**6), classes=st.integers(1, 7), skill=st.floats(-1, 5))
@settings(max_examples=60, deadline=None)
def test_every_metric_agrees_with_scikit_learn(sample, n, seed, classes, skill):
    _agrees(*sample(n, seed, skill, classes))


def test_report_agrees_with_classification_report(sample):
    labels, proba = sample(700)
    expected = reference.classification_report(labels, proba.argmax(axis=1), target_names=EXPRESSIONS, output_dict=True)
    report = evaluate(labels, proba).per_class.as_dict()
    for title in (*EXPRESSIONS, "macro avg", "weighted avg"):
        for ours, theirs in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert report[title][ours] == pytest.approx(expected[title][theirs])
        assert report[title]["support"] == expected[title]["support"]
        assert report[title]["tpr"] == report[title]["recall"]


def test_hand_worked():
    """4 angry (3 right, 1 as fear), 2 fear (1 right, 1 as angry), 2 happy (both as fear)."""
    labels, predicted = [0, 0, 0, 0, 2, 2, 3, 3], [0, 0, 0, 2, 2, 0, 2, 2]
    result = evaluate(labels, np.eye(7)[predicted])
    rows = result.per_class
    assert result.accuracy == 4 / 8
    np.testing.assert_allclose(rows.precision, [3 / 4, np.nan, 1 / 4, 0, np.nan, np.nan, np.nan])
    np.testing.assert_allclose(rows.recall, [3 / 4, np.nan, 1 / 2, 0, np.nan, np.nan, np.nan])
    np.testing.assert_allclose(rows.f1, [3 / 4, np.nan, 1 / 3, 0, np.nan, np.nan, np.nan])
    np.testing.assert_allclose(rows.fpr, [1 / 4, 0, 3 / 6, 0, 0, 0, 0])
    assert rows.support.tolist() == [4, 0, 2, 2, 0, 0, 0]
    assert result["macro_f1"] == pytest.approx((3 / 4 + 1 / 3 + 0) / 3)
    assert result["avg_tpr"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert result["avg_fpr"] == pytest.approx((1 / 4 + 3 / 6) / 7)
    assert rows.as_dict()["weighted avg"]["recall"] == pytest.approx(result.accuracy)
    assert result["ece"] == pytest.approx(1 / 2)


def test_degenerate_input(degenerate):
    for labels, proba in degenerate.values():
        _agrees(labels, proba)
        result = evaluate(labels, proba)
        assert list(result.as_dict()) == KEYS
        assert list(result.per_class.as_dict()) == [*EXPRESSIONS, "macro avg", "weighted avg"]
        json.dumps([result.as_dict(), result.per_class.as_dict()], allow_nan=False)
        accuracy = bootstrap_intervals(labels, proba, n_resamples=50)["accuracy"]
        assert 0 <= accuracy.low <= accuracy.high <= 1
    assert evaluate([3, 3], np.full((2, 7), 1 / 7)).as_dict()["roc_auc"] is None
    missing = bootstrap_intervals([0, 0, 1, 1], np.eye(7)[[0, 0, 1, 1]], n_resamples=50)
    assert math.isnan(missing.f1[3].low)
    assert missing["accuracy"] == Interval(1, 1)
    assert macro_auc_interval(*degenerate["certain and right"]) == Interval(1, 1)
    assert math.isnan(macro_auc_interval(*degenerate["one class"]).low)
    assert np.isnan(class_auc(*degenerate["class missing"])).tolist() == [False] * 6 + [True]


def test_auc_interval_is_as_wide_as_a_bootstrap(sample):
    labels, proba = sample(600, seed=2, skill=0.8)
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, len(labels), len(labels)) for _ in range(400)]
    resampled = [np.mean(class_auc(labels[rows], proba[rows])) for rows in drawn]
    low, high = np.quantile(resampled, [0.025, 0.975])
    interval = macro_auc_interval(labels, proba)
    assert evaluate(labels, proba)["roc_auc"] in interval
    assert interval.high - interval.low == pytest.approx(high - low, rel=0.12)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.004)


def test_worked_examples(sample):
    labels, proba = sample(307)
    predicted = proba.argmax(axis=1)
    right = int(reference.accuracy_score(labels, predicted, normalize=False))
    words = METRICS["accuracy"].example(evaluate(labels, proba))
    assert words == f"{right} of 307 faces are predicted correctly: {100 * right / 307:.1f} %."
    table = reference.confusion_matrix(labels, predicted)
    off = table.sum(axis=0) - table.diagonal()
    expected = {
        "macro_f1": reference.f1_score(labels, predicted, average=None),
        "avg_tpr": reference.recall_score(labels, predicted, average=None),
        "avg_fpr": off / (table.sum() - table.sum(axis=1)),
    }
    for metric, rates in expected.items():
        words = METRICS[metric].example(evaluate(labels, proba))
        numbers = [float(number) / 100 for number in re.findall(r"\d+\.\d", words)]
        np.testing.assert_allclose(numbers, [*rates, rates.mean()], atol=5.1e-4)
        assert "/ 7 =" in words
    some = labels < 3
    assert "/ 3 =" in METRICS["avg_tpr"].example(evaluate(labels[some], proba[some]))


def test_vectorised_equals_a_naive_loop_over_the_same_resamples(sample, monkeypatch):
    monkeypatch.setattr(intervals, "DRAWS_AT_ONCE", 700)  # so that there are several blocks
    labels, first = sample(120, seed=1)
    second = sample(120, seed=2)[1]
    result = bootstrap_all(labels, {"a": first, "b": second}, n_resamples=60, seed=5)
    weights = np.concatenate(list(resample_weights(120, 60, 5))).astype(int)
    assert (weights.sum(axis=1) == 120).all()
    for name, proba in (("a", first), ("b", second)):
        draws = [np.repeat(np.arange(120), row) for row in weights]
        naive = [evaluate(labels[rows], proba[rows]) for rows in draws]
        for metric in ("accuracy", "macro_f1", "avg_tpr", "avg_fpr"):
            low, high = np.quantile([metrics[metric] for metrics in naive], [0.025, 0.975])
            interval = result[name][metric]
            assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-12)
        expected = np.quantile([metrics.per_class.f1 for metrics in naive], [0.025, 0.975], axis=0).T
        assert [(ends.low, ends.high) for ends in result[name].f1] == [pytest.approx(e) for e in expected]


def test_one_model_equals_the_same_in_a_mapping_and_the_seed_decides(sample):
    labels, proba = sample(150)
    alone = bootstrap_intervals(labels, proba, n_resamples=200, seed=1)
    assert alone == bootstrap_all(labels, {"x": proba, "y": proba[::-1]}, n_resamples=200, seed=1)["x"]
    assert alone != bootstrap_intervals(labels, proba, n_resamples=200, seed=2)


def test_estimates_lie_inside_and_more_confidence_is_wider(sample):
    labels, proba = sample(400)
    result, metrics = bootstrap_intervals(labels, proba), evaluate(labels, proba)
    wide = bootstrap_intervals(labels, proba, confidence=0.99)
    for name in METRICS:
        assert metrics[name] in result[name]
        assert wide[name].low < result[name].low
        assert result[name].high < wide[name].high


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_is_statsmodels(confidence):
    for successes, n in ((0, 1), (0, 30), (7, 30), (30, 30), (2096, 3589)):
        expected = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
        interval = wilson_interval(successes, n, confidence)
        assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-12)


def test_nothing_counted_has_no_interval_and_bad_settings_are_refused(sample):
    assert math.isnan(wilson_interval(0, 0).low)
    assert math.isnan(percentile_interval(np.array([np.nan])).high)
    labels, proba = sample(20)
    for bad in ({"n_resamples": 0}, {"n_resamples": 1.5}, {"confidence": 1.0}, {"confidence": 95}):
        with pytest.raises(ValueError, match="Received"):
            bootstrap_intervals(labels, proba, **bad)
    with pytest.raises(ValueError, match="at least one model"):
        bootstrap_all(labels, {})
    with pytest.raises(ValueError, match="y_true and short of equal length"):
        bootstrap_all(labels, {"good": proba, "short": proba[:5]})
    with pytest.raises(ValueError, match="0 <= successes <= n"):
        wilson_interval(4, 3)
    with pytest.raises(ValueError, match="low <= high"):
        Interval(1, 0)
