import math

import numpy as np
import pytest
from scipy.stats import entropy

from fer_core.evaluation import agreement, human_agreement

NONE = np.full(7, np.nan)


def test_hand_worked():
    proba = np.eye(7)[[0, 3, 3, 6]] * 0.3 + 0.1
    votes = np.array([[1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0.6, 0, 0, 0.4], [0, 0, 0, 0, 0.5, 0, 0.5], NONE])
    result = agreement(proba, votes, [0, 3, -1, 6])
    assert result.majority_accuracy == 1
    assert result.n_majority == 3
    assert result.soft_accuracy == pytest.approx((1 + 0.6 + 0) / 3)
    assert result.cross_entropy == pytest.approx(
        -(math.log(0.4) + 0.6 * math.log(0.4) + 0.4 * math.log(0.1) + math.log(0.1)) / 3
    )
    assert result.human.n == 3
    assert result.human.ceiling == pytest.approx((1 + 0.6 + 0.5) / 3)
    assert result.human.pair == pytest.approx((1 + 0.52 + 0.5) / 3)
    assert result.human.unanimous == pytest.approx(1 / 3)
    assert result.human.entropy == pytest.approx((entropy([0.6, 0.4]) + entropy([0.5, 0.5])) / 3)


def test_jensen_shannon_by_its_definition_and_the_bounds():
    rng = np.random.default_rng(0)
    proba, votes = rng.dirichlet(np.ones(7), 50), rng.multinomial(10, np.ones(7) / 7, 50) / 10
    result = agreement(proba, votes, np.full(50, -1))
    middle = (proba + votes) / 2
    halves = [(entropy(p, m, base=2) + entropy(v, m, base=2)) / 2 for p, v, m in zip(proba, votes, middle, strict=True)]
    assert result.jensen_shannon == pytest.approx(np.sqrt(halves).mean())
    assert result.soft_accuracy <= result.human.ceiling
    assert result.cross_entropy >= result.human.entropy
    assert math.isnan(result.majority_accuracy)
    assert result.n_majority == 0


def test_the_annotators_themselves_agree_perfectly():
    rng = np.random.default_rng(0)
    votes = rng.multinomial(10, np.ones(7) / 7, 50) / 10
    kept = votes.copy()
    result = agreement(votes, votes, votes.argmax(axis=1))
    np.testing.assert_array_equal(votes, kept)
    assert result.soft_accuracy == result.human.ceiling
    assert result.cross_entropy == pytest.approx(result.human.entropy)
    assert result.jensen_shannon == pytest.approx(0, abs=1e-7)
    assert result.human == human_agreement(votes)


def test_faces_without_votes():
    result = agreement(np.full((2, 7), 1 / 7), [NONE, NONE], [-1, -1])
    assert result.human.n == result.n_majority == 0
    assert all(math.isnan(v) for v in (result.soft_accuracy, result.cross_entropy, result.jensen_shannon))
    assert math.isnan(result.human.ceiling)


@pytest.mark.parametrize(
    ("votes", "majority", "message"),
    [
        (np.full((3, 7), 1 / 7), [0, 1], "equal length. Received: 2, 3 and 2 rows"),
        (np.full((2, 7), 1 / 7), [0], "Received: 2, 2 and 1 rows"),
        (np.full((2, 6), 1 / 6), [0, 1], r"votes of shape \(n, 7\)"),
        (np.full((2, 7), 0.5), [0, 1], "votes to sum to 1"),
        (np.full((2, 7), -1.0), [0, 1], "no negative number in votes"),
        ([[np.nan, 0.5, 0.5, 0, 0, 0, 0], NONE], [0, 1], "all NaN or not at all.* in row 0"),
        (np.full((2, 7), 1 / 7), [0, 7], "-1..6. Received: values from 0 to 7"),
        (np.full((2, 7), 1 / 7), [0, -2], "-1..6"),
        (np.full((2, 7), 1 / 7), [0.0, 1.0], "integers"),
    ],
)
def test_bad_input(votes, majority, message):
    with pytest.raises(ValueError, match=message):
        agreement(np.full((2, 7), 1 / 7), votes, majority)
