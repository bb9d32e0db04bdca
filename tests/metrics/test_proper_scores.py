import numpy as np
import pytest
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as log_loss_of_scikit_learn

from fer_core.metrics.calibration import brier_score, log_loss
from fer_core.metrics.core import evaluate


def test_hand_worked():
    proba = [[0.5, 0.25, 0.25, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1]]
    first = (0.5 - 1) ** 2 + 0.25**2 + 0.25**2
    assert brier_score([0, 6], proba) == pytest.approx(first / 2)
    assert brier_score([3, 0], proba) == pytest.approx((0.5**2 + 2 * 0.25**2 + 1 + 2) / 2)
    assert log_loss([0, 6], proba) == pytest.approx(np.log(2) / 2)


def test_as_scikit_learn(sample):
    labels, proba = sample(500)
    expected = brier_score_loss(labels, proba, labels=range(7), scale_by_half=False)
    assert brier_score(labels, proba) == pytest.approx(expected)
    assert log_loss(labels, proba) == pytest.approx(log_loss_of_scikit_learn(labels, proba, labels=range(7)))
    assert log_loss(labels, proba) == evaluate(labels, proba)["log_loss"]
