import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from fer_core.metrics.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    noise_floor,
    reliability,
)
from fer_core.metrics.core import evaluate


def _top(confidences, rights):
    """Rows whose prediction (happy) has these confidences, and is right or not."""
    proba = np.zeros((len(confidences), 7))
    proba[:, 3] = confidences
    proba[:, 0] = 1 - np.asarray(confidences)
    return np.where(rights, 3, 1), proba


def test_hand_worked_in_five_bins():
    labels, proba = _top([0.55, 0.6, 0.65, 0.75, 1.0, 1.0], [1, 0, 1, 1, 1, 0])
    diagram = reliability(labels, proba, bins=5)
    assert diagram.counts.tolist() == [0, 0, 2, 2, 2]
    np.testing.assert_allclose(diagram.confidence, [np.nan, np.nan, 0.575, 0.7, 1])
    np.testing.assert_allclose(diagram.accuracy, [np.nan, np.nan, 0.5, 1, 0.5])
    assert diagram.ece == pytest.approx((2 * 0.075 + 2 * 0.3 + 2 * 0.5) / 6)
    assert math.isnan(diagram.intervals[0].low)
    assert diagram.accuracy[3] in diagram.intervals[3]


def test_bins_agree_with_scikit_learn(sample):
    labels, proba = sample(900)
    accuracy, confidence = calibration_curve(proba.argmax(axis=1) == labels, proba.max(axis=1), n_bins=10)
    diagram = reliability(labels, proba, bins=10)
    used = diagram.counts > 0
    np.testing.assert_allclose(diagram.accuracy[used], accuracy)
    np.testing.assert_allclose(diagram.confidence[used], confidence)
    assert diagram.counts.sum() == 900


def test_extremes(degenerate):
    assert expected_calibration_error(*degenerate["certain and right"]) == 0
    assert expected_calibration_error(*degenerate["certain and wrong"]) == 1
    labels, proba = degenerate["all ties"]
    assert expected_calibration_error(labels, proba) == pytest.approx(abs((labels == 0).mean() - 1 / 7))
    assert expected_calibration_error(labels, proba, bins=1) == pytest.approx(abs((labels == 0).mean() - 1 / 7))


def _calibrated(faces, seed):
    """Probabilities, and labels drawn from them by another way than `noise_floor` does."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.full(7, 0.5), faces)
    return np.array([rng.choice(7, p=row) for row in proba]), proba


def test_noise_floor_holds_a_calibrated_model_and_not_an_overconfident_one():
    places = []
    for seed in range(20):
        labels, proba = _calibrated(1000, seed)
        floor = noise_floor(proba, draws=300)
        places.append(floor.place(expected_calibration_error(labels, proba)))
        sharp = apply_temperature(proba, 0.7)
        assert noise_floor(sharp, draws=300).place(expected_calibration_error(labels, sharp)) == "above"
    assert places.count("inside") >= 17  # 19 of 20 expected


def test_noise_floor_is_the_mean_error_of_labels_drawn_from_the_rows():
    _, proba = _calibrated(400, 1)
    rng = np.random.default_rng(2)
    errors = [
        expected_calibration_error((rng.random(400)[:, None] > proba.cumsum(axis=1)).sum(axis=1).clip(0, 6), proba)
        for _ in range(1000)
    ]
    floor = noise_floor(proba)
    assert floor.mean == pytest.approx(np.mean(errors), rel=0.03)
    assert (floor.interval.low, floor.interval.high) == pytest.approx(np.quantile(errors, [0.025, 0.975]), rel=0.1)
    assert noise_floor(proba) == floor
    assert noise_floor(proba, seed=1) != floor


def test_noise_floor_at_the_extremes():
    certain = noise_floor(np.eye(7)[[3, 3, 0]])
    assert (certain.mean, certain.interval.high) == (0, 0)
    one = noise_floor([[0.75, 0.25, 0, 0, 0, 0, 0]], draws=4000)  # right: off by 0.25; wrong, every fourth time: 0.75
    assert one.mean == pytest.approx(0.75 * 0.25 + 0.25 * 0.75, abs=0.02)
    assert (one.interval.low, one.interval.high) == (0.25, 0.75)
    assert (one.place(0.2), one.place(0.25), one.place(0.8)) == ("below", "inside", "above")


def test_temperature_recovers_what_was_done_to_a_calibrated_model():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.full(7, 0.5), 20_000)
    proba = np.maximum(proba, 1e-12)
    proba /= proba.sum(axis=1, keepdims=True)
    labels = (rng.random(20_000)[:, None] > proba.cumsum(axis=1)).sum(axis=1).clip(0, 6)
    assert fit_temperature(labels, proba) == pytest.approx(1, abs=0.03)
    for sharpened in (0.4, 2.5):
        distorted = apply_temperature(proba, sharpened)
        fitted = fit_temperature(labels, distorted)
        assert fitted == pytest.approx(1 / sharpened, rel=0.03)
        scaled = apply_temperature(distorted, fitted)
        assert expected_calibration_error(labels, scaled) < expected_calibration_error(labels, distorted) / 3


def test_the_fit_is_the_best_of_a_grid(sample):
    labels, proba = sample(500, skill=1)
    fitted = fit_temperature(labels, proba)
    best = min(np.geomspace(0.05, 20, 400), key=lambda t: evaluate(labels, apply_temperature(proba, t))["log_loss"])
    assert fitted == pytest.approx(best, rel=0.01)
    assert evaluate(labels, apply_temperature(proba, fitted))["log_loss"] <= evaluate(labels, proba)["log_loss"]


def test_fit_on_degenerate_input(degenerate):
    assert fit_temperature(*degenerate["certain and right"]) == pytest.approx(0.05)
    assert fit_temperature(*degenerate["certain and wrong"]) == pytest.approx(20)
    assert fit_temperature(*degenerate["all ties"]) == 1
    for labels, proba in degenerate.values():
        fitted = fit_temperature(labels, proba)
        assert 0.05 - 1e-9 <= fitted <= 20 + 1e-9
        assert np.isfinite(apply_temperature(proba, fitted)).all()


def test_apply_is_softmax_of_scaled_logits_and_keeps_the_order(sample):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(40, 7)) * 3

    def softmax(x):
        return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)

    for temperature in (0.5, 1, 3):
        applied = apply_temperature(softmax(logits), temperature)
        np.testing.assert_allclose(applied, softmax(logits / temperature), atol=1e-12)
        np.testing.assert_array_equal(applied.argsort(axis=1), logits.argsort(axis=1))


@pytest.mark.parametrize("temperature", [0, -1, math.nan, math.inf])
def test_bad_settings(sample, temperature):
    labels, proba = sample(10)
    with pytest.raises(ValueError, match="positive temperature"):
        apply_temperature(proba, temperature)
    with pytest.raises(ValueError, match="bins"):
        reliability(labels, proba, bins=0)


def test_bad_noise_floor(sample):
    _, proba = sample(10)
    with pytest.raises(ValueError, match=r"draws to be a whole number of at least 1\. Received: 0"):
        noise_floor(proba, draws=0)
    with pytest.raises(ValueError, match="bins"):
        noise_floor(proba, bins=0)
    with pytest.raises(ValueError, match="sum to 1"):
        noise_floor(proba * 2)
