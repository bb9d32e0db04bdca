"""The threshold of "not sure", by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.metrics.calibration import MINIMUM, Threshold, lowest_threshold


def answers(confidences, rights):
    """Rows that predict happy with these confidences, and whether each is right."""
    proba = np.zeros((len(confidences), 7))
    proba[:, 3] = confidences
    proba[:, 0] = 1 - np.asarray(confidences)
    return np.where(rights, 3, 1), proba


def test_hand_worked():
    labels, proba = answers([0.55, 0.605, 0.7, 0.85, 0.9], [0, 1, 0, 1, 1])
    assert lowest_threshold(labels, proba, 0.6, 1) == Threshold(0.0, pytest.approx(0.6), 1.0, 5)  # 3 of 5 are right
    assert lowest_threshold(labels, proba, 0.75, 1) == Threshold(0.56, pytest.approx(0.75), 0.8, 5)  # 3 of 4
    assert lowest_threshold(labels, proba, 0.9, 1) == Threshold(0.71, 1.0, 0.4, 5)  # without the wrong one at 0.7
    assert lowest_threshold(labels, proba, 0.9, 3) is None  # 2 of 2 are too few


def test_few_right_answers_say_little():
    right, wrong = MINIMUM - 1, 100
    labels, proba = answers([0.9] * right + [0.6] * wrong, [1] * right + [0] * wrong)
    assert lowest_threshold(labels, proba) is None
    labels, proba = answers([0.9] * MINIMUM + [0.6] * wrong, [1] * MINIMUM + [0] * wrong)
    assert lowest_threshold(labels, proba).below == 0.61
    assert lowest_threshold(labels, proba).accuracy == 1


def test_bad_input():
    with pytest.raises(ValueError, match="Received"):
        lowest_threshold([9], np.full((1, 7), 1 / 7))
