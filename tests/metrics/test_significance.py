import numpy as np
import pytest
from scipy.stats import binomtest, chi2

from fer_core.metrics.core import evaluate
from fer_core.metrics.intervals import resample_weights
from fer_core.metrics.significance import compare_all


def _compare(labels, first, second, **settings):
    (result,) = compare_all(labels, {"first": first, "second": second}, **settings)
    return result


def _models(both: int, only_a: int, only_b: int, neither: int):
    labels = np.zeros(both + only_a + only_b + neither, dtype=int)
    right_a = np.repeat([1, 1, 0, 0], [both, only_a, only_b, neither])
    right_b = np.repeat([1, 0, 1, 0], [both, only_a, only_b, neither])
    return labels, np.eye(7)[1 - right_a], np.eye(7)[1 - right_b]


@pytest.mark.parametrize(("only_a", "only_b"), [(3, 9), (0, 5), (12, 12), (24, 0), (1, 0)])
def test_few_discordant_pairs_are_tested_exactly(only_a, only_b):
    test = _compare(*_models(50, only_a, only_b, 20), n_resamples=5).mcnemar
    assert (test.only_first, test.only_second) == (only_a, only_b)
    assert test.exact
    assert test.p_value == pytest.approx(binomtest(only_a, only_a + only_b).pvalue)


@pytest.mark.parametrize(("only_a", "only_b"), [(25, 0), (40, 20), (200, 260), (13, 12)])
def test_many_by_chi_square_with_continuity_correction(only_a, only_b):
    test = _compare(*_models(50, only_a, only_b, 20), n_resamples=5).mcnemar
    statistic = (abs(only_a - only_b) - 1) ** 2 / (only_a + only_b)
    assert not test.exact
    assert test.p_value == pytest.approx(chi2.sf(statistic, 1))


def test_equal_models_do_not_differ(sample):
    labels, proba = sample(50)
    same = _compare(labels, proba, proba, n_resamples=50)
    assert same.mcnemar.p_value == 1
    difference = same.difference
    assert (difference.accuracy, difference.accuracy_interval.low, difference.macro_f1_interval.high) == (0, 0, 0)


def test_paired_bootstrap_equals_a_naive_loop(sample):
    labels, first = sample(90, seed=1)
    second = sample(90, seed=2, skill=1)[1]
    result = _compare(labels, first, second, n_resamples=40, seed=7).difference
    whole = evaluate(labels, first), evaluate(labels, second)
    assert result.accuracy == pytest.approx(whole[0].accuracy - whole[1].accuracy)
    assert result.macro_f1 == pytest.approx(whole[0]["macro_f1"] - whole[1]["macro_f1"])
    accuracy, macro_f1 = [], []
    for weights in np.concatenate(list(resample_weights(90, 40, 7))).astype(int):
        rows = np.repeat(np.arange(90), weights)
        one, two = evaluate(labels[rows], first[rows]), evaluate(labels[rows], second[rows])
        accuracy.append(one.accuracy - two.accuracy)
        macro_f1.append(one["macro_f1"] - two["macro_f1"])
    for interval, values in ((result.accuracy_interval, accuracy), (result.macro_f1_interval, macro_f1)):
        assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=1e-12)


def test_pairing_narrows_the_interval(sample):
    labels, first = sample(500, seed=1)
    second = 0.95 * first + 0.05 * sample(500, seed=2)[1]
    difference = _compare(labels, first, second, n_resamples=300).difference
    shuffled = second[np.random.default_rng(0).permutation(500)]
    apart = _compare(labels, first, shuffled, n_resamples=300).difference
    assert difference.accuracy_interval.half_width < apart.accuracy_interval.half_width / 2


def test_compare_all_adjusts_by_holm_and_keeps_the_order(sample):
    labels = sample(400)[0]
    probas = {}
    for seed, (name, skill) in enumerate({"weak": 0.5, "fair": 1.0, "good": 1.3, "best": 2.5}.items()):
        rng = np.random.default_rng(seed)
        logits = rng.normal(size=(400, 7))
        logits[np.arange(400), labels] += skill
        probas[name] = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    results = compare_all(labels, probas, n_resamples=100, seed=3)
    assert [(one.first, one.second) for one in results] == [
        ("weak", "fair"), ("weak", "good"), ("weak", "best"), ("fair", "good"), ("fair", "best"), ("good", "best"),
    ]  # fmt: skip
    raw = np.array([one.mcnemar.p_value for one in results])
    order, running = np.argsort(raw), 0.0
    for rank, place in enumerate(order):
        running = max(running, min(1.0, (len(raw) - rank) * raw[place]))
        assert results[place].p_holm == pytest.approx(running)
    alone = _compare(labels, probas["fair"], probas["best"], n_resamples=100, seed=3)
    assert (results[4].difference, results[4].mcnemar) == (alone.difference, alone.mcnemar)
    assert results[2].p_holm < 0.001


def test_bad_settings(sample):
    labels, proba = sample(20)
    with pytest.raises(ValueError, match=r"at least two models\. Received: 1"):
        compare_all(labels, {"a": proba})
    with pytest.raises(ValueError, match="confidence"):
        _compare(labels, proba, proba, confidence=2)
    with pytest.raises(ValueError, match="n_resamples"):
        compare_all(labels, {"a": proba, "b": proba}, n_resamples=0)
    with pytest.raises(ValueError, match="second"):
        _compare(labels, proba, proba[:3])
