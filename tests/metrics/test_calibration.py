import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve
from statsmodels.stats.proportion import proportion_confint

from fer_core.metrics import calibration
from fer_core.metrics.calibration import apply_temperature, expected_calibration_error, fit_temperature, noise_floor
from fer_core.metrics.core import evaluate
from fer_core.metrics.intervals import Interval


def _top(confidences, rights):
    """Rows whose prediction (happy) has these confidences, and is right or not."""
    proba = np.zeros((len(confidences), 7))
    proba[:, 3] = confidences
    proba[:, 0] = 1 - np.asarray(confidences)
    return np.where(rights, 3, 1), proba


def _drawn(proba, rng):
    """Labels drawn from the rows, by another way than `noise_floor` draws."""
    return (rng.random(len(proba))[:, None] > proba.cumsum(axis=1)).sum(axis=1).clip(0, 6)


def test_hand_worked_in_five_bins():
    labels, proba = _top([0.55, 0.6, 0.65, 0.75, 1.0, 1.0], [1, 0, 1, 1, 1, 0])
    diagram = calibration.reliability(labels, proba, bins=5)
    assert diagram["faces"].tolist() == [0, 0, 2, 2, 2]
    np.testing.assert_allclose(diagram["confidence"], [np.nan, np.nan, 0.575, 0.7, 1])
    np.testing.assert_allclose(diagram["accuracy"], [np.nan, np.nan, 0.5, 1, 0.5])
    assert diagram["low"].isna().tolist() == [True, True, False, False, False]
    assert diagram.loc[3, "low"] < diagram.loc[3, "accuracy"] <= diagram.loc[3, "high"]
    assert expected_calibration_error(labels, proba, bins=5) == pytest.approx((2 * 0.075 + 2 * 0.3 + 2 * 0.5) / 6)


def test_bins_agree_with_scikit_learn(sample):
    labels, proba = sample(900)
    accuracy, confidence = calibration_curve(proba.argmax(axis=1) == labels, proba.max(axis=1), n_bins=10)
    diagram = calibration.reliability(labels, proba, bins=10)
    used = diagram[diagram["faces"] > 0]
    np.testing.assert_allclose(used["accuracy"], accuracy)
    np.testing.assert_allclose(used["confidence"], confidence)
    assert used["faces"].sum() == 900


def test_extremes(degenerate):
    assert expected_calibration_error(*degenerate["certain and right"]) == 0
    assert expected_calibration_error(*degenerate["certain and wrong"]) == 1
    labels, proba = degenerate["all ties"]
    for bins in (1, 15):
        error = expected_calibration_error(labels, proba, bins=bins)
        assert error == pytest.approx(abs((labels == 0).mean() - 1 / 7))
    assert noise_floor(np.eye(7)[[3, 3, 0]]) == (0, Interval(0, 0))
    # right: off by 0.25; wrong, every fourth time: 0.75
    mean, interval = noise_floor([[0.75, 0.25, 0, 0, 0, 0, 0]], draws=4000)
    assert mean == pytest.approx(0.75 * 0.25 + 0.25 * 0.75, abs=0.02)
    assert interval == Interval(0.25, 0.75)


def test_noise_floor_is_the_mean_error_of_labels_drawn_from_the_rows():
    rng = np.random.default_rng(2)
    proba = rng.dirichlet(np.full(7, 0.5), 400)
    errors = [expected_calibration_error(_drawn(proba, rng), proba) for _ in range(400)]
    mean, interval = noise_floor(proba)
    assert mean == pytest.approx(np.mean(errors), rel=0.04)
    assert (interval.low, interval.high) == pytest.approx(np.quantile(errors, [0.025, 0.975]), rel=0.1)
    assert noise_floor(proba) == (mean, interval) != noise_floor(proba, seed=1)


def test_temperature_recovers_what_was_done_to_a_calibrated_model():
    rng = np.random.default_rng(0)
    proba = np.maximum(rng.dirichlet(np.full(7, 0.5), 20_000), 1e-12)
    proba /= proba.sum(axis=1, keepdims=True)
    labels = _drawn(proba, rng)
    assert fit_temperature(labels, proba) == pytest.approx(1, abs=0.03)
    for sharpened in (0.4, 2.5):
        distorted = apply_temperature(proba, sharpened)
        fitted = fit_temperature(labels, distorted)
        assert fitted == pytest.approx(1 / sharpened, rel=0.03)
        scaled = apply_temperature(distorted, fitted)
        assert expected_calibration_error(labels, scaled) < expected_calibration_error(labels, distorted) / 3


def test_fit_on_degenerate_input(degenerate):
    for name, (labels, proba) in degenerate.items():
        fitted = fit_temperature(labels, proba)
        known = {"certain and right": 0.05, "certain and wrong": 20, "all ties": 1}
        assert fitted == pytest.approx(known.get(name, min(max(fitted, 0.05), 20)))
        assert np.isfinite(apply_temperature(proba, fitted)).all()


@pytest.mark.parametrize("temperature", [0.5, 1, 3])
def test_apply_is_softmax_of_scaled_logits_and_keeps_the_order(temperature):
    logits = np.random.default_rng(0).normal(size=(40, 7)) * 3

    def softmax(x):
        return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)

    applied = apply_temperature(softmax(logits), temperature)
    np.testing.assert_allclose(applied, softmax(logits / temperature), atol=1e-12)
    np.testing.assert_array_equal(applied.argsort(axis=1), logits.argsort(axis=1))


def test_bad_settings(sample):
    labels, proba = sample(10)
    for refused, message in (
        *((lambda t=t: apply_temperature(proba, t), "positive temperature") for t in (0, -1, math.nan, math.inf)),
        (lambda: calibration.reliability(labels, proba, bins=0), "bins"),
        (lambda: noise_floor(proba, draws=0), r"draws to be a whole number of at least 1\. Received: 0"),
        (lambda: noise_floor(proba, bins=0), "bins"),
        (lambda: noise_floor(proba * 2), "sum to 1"),
        (lambda: calibration.lowest_threshold([9], proba[:1]), "Received"),
    ):
        with pytest.raises(ValueError, match=message):
            refused()


def test_faces_in_bins_are_counted_together(answers):
    bins = calibration.reliability_table(answers)
    own = bins[(bins["name"] == "fair") & (bins["from"] > 0.4)]
    together = calibration.faces_in_bins(own)
    proba = answers.probabilities["fair"]
    chosen = proba.max(axis=1) > own["from"].min()
    right = (proba.argmax(axis=1) == answers.labels)[chosen]
    assert together["faces"] == chosen.sum()
    assert together["accuracy"] == pytest.approx(right.mean())
    assert together["confidence"] == pytest.approx(proba.max(axis=1)[chosen].mean())
    low, high = proportion_confint(right.sum(), len(right), method="wilson")
    assert (together["low"], together["high"]) == pytest.approx((low, high))


def _log_loss(answers, name, temperature):
    powers = answers.probabilities[name] ** (1 / temperature)
    return reference.log_loss(answers.labels, powers / powers.sum(axis=1, keepdims=True))


def test_temperature_is_fitted_on_the_other_split(answers, other):
    table = calibration.calibration_table(answers, other).set_index("name")
    assert table["temperature"].between(0.05, 20).all()
    assert set(table["fitted_on"]) == {other.split} != {answers.split}
    fitted = minimize_scalar(lambda t: _log_loss(other, "fair", t), bounds=(0.05, 20), method="bounded")
    assert table.loc["fair", "temperature"] == pytest.approx(fitted.x, rel=0.01)
    assert table.loc["fair", "log_loss"] == pytest.approx(_log_loss(answers, "fair", 1))
    scaled = _log_loss(answers, "fair", table.loc["fair", "temperature"])
    assert table.loc["fair", "log_loss_scaled"] == pytest.approx(scaled)
    some = calibration.calibration_table(answers, other.only(["able", "weak"])).set_index("name")
    assert some["fitted_on"].isna().to_dict() == {"able": False, "fair": True, "weak": False}
    assert some["ece_scaled"].isna().tolist() == some["fitted_on"].isna().tolist()


def test_calibration_is_compared_with_its_noise_floor(answers):
    table = calibration.calibration_table(answers, None)
    expected = np.where(table["ece"] > table["floor_high"], "above", "inside")
    expected = np.where(table["ece"] < table["floor_low"], "below", expected)
    assert table["against_floor"].tolist() == expected.tolist()
    assert table[["temperature", "fitted_on", "log_loss_scaled", "ece_scaled"]].isna().all(axis=None)


def test_proper_scores_by_hand_and_by_scikit_learn(sample):
    proba = [[0.5, 0.25, 0.25, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1]]
    first = (0.5 - 1) ** 2 + 0.25**2 + 0.25**2
    assert calibration.brier_score([0, 6], proba) == pytest.approx(first / 2)
    assert calibration.brier_score([3, 0], proba) == pytest.approx((0.5**2 + 2 * 0.25**2 + 1 + 2) / 2)
    assert calibration.log_loss([0, 6], proba) == pytest.approx(np.log(2) / 2)
    labels, proba = sample(500)
    expected = reference.brier_score_loss(labels, proba, labels=range(7), scale_by_half=False)
    assert calibration.brier_score(labels, proba) == pytest.approx(expected)
    expected = reference.log_loss(labels, proba, labels=range(7))
    assert calibration.log_loss(labels, proba) == evaluate(labels, proba)["log_loss"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("wanted", "minimum", "threshold"),
    [
        (0.6, 1, (0.0, 3 / 5, 1.0, 5)),
        (0.75, 1, (0.56, 3 / 4, 0.8, 5)),
        (0.9, 1, (0.71, 1.0, 0.4, 5)),  # without the wrong one at 0.7
        (0.9, 3, None),  # 2 of 2 are too few
    ],
)
def test_threshold_by_hand(wanted, minimum, threshold):
    labels, proba = _top([0.55, 0.605, 0.7, 0.85, 0.9], [0, 1, 0, 1, 1])
    found = calibration.lowest_threshold(labels, proba, wanted=wanted, minimum=minimum)
    assert found == (threshold and calibration.Threshold(*threshold))
