"""Ensembles: the arithmetic, and weights that never come from the faces on show."""

import numpy as np
import pytest

from fer_core.metrics.ensembles import fuse
from fer_core.metrics.predictions import ENSEMBLE


def test_the_mean(answers):
    fused = fuse(answers, ["able", "weak"])
    expected = (answers.probabilities["able"] + answers.probabilities["weak"]) / 2
    np.testing.assert_allclose(fused.answers.probabilities[ENSEMBLE], expected)
    assert fused.answers.names == ["able", "fair", "weak", ENSEMBLE]
    assert fused.weights == {"The able one": 0.5, "The weak one": 0.5}
    assert "Every model counts the same" in fused.description


def test_weights_rest_on_the_hold_out_where_every_card_has_it(answers, other):
    holdout = {"able": 0.6, "weak": 0.2}
    fused = fuse(answers, ["able", "weak"], "weighted", holdout=holdout, other=other)
    assert fused.weights == pytest.approx({"The able one": 0.75, "The weak one": 0.25})
    assert "hold-out" in fused.source
    expected = 0.75 * answers.probabilities["able"] + 0.25 * answers.probabilities["weak"]
    np.testing.assert_allclose(fused.answers.probabilities[ENSEMBLE], expected)


def test_weights_rest_on_the_other_split_otherwise_and_say_so(answers, other):
    holdout = {"able": 0.6, "weak": None}
    fused = fuse(answers, ["able", "weak"], "weighted", holdout=holdout, other=other)
    right = [(other.probabilities[name].argmax(axis=1) == other.labels).mean() for name in ("able", "weak")]
    assert list(fused.weights.values()) == pytest.approx([value / sum(right) for value in right])
    assert "accuracy on PrivateTest" in fused.source
    assert "not from the faces shown" in fused.description


def test_a_large_exponent_trusts_the_best_alone(answers, other):
    fused = fuse(answers, answers.names, "exponential", 150, other=other)
    assert max(fused.weights, key=fused.weights.get) == "The able one"
    assert fused.weights["The able one"] > 0.99
    assert fused.best_exponent is not None
    assert "On PrivateTest, q = " in fused.description


def test_elsewhere_the_shares_are_the_same(answers, other):
    fused = fuse(answers, ["able", "weak"], "weighted", other=other)
    there = fused.on(other)
    share = fused.weights["The able one"]
    expected = share * other.probabilities["able"] + (1 - share) * other.probabilities["weak"]
    np.testing.assert_allclose(there.probabilities[ENSEMBLE], expected)
    assert there.titles[ENSEMBLE] == fused.answers.titles[ENSEMBLE]
    assert fused.on(other.only(["able", "fair"])).names == ["able", "fair"], "a member has no answers there"


def test_the_best_exponent_is_that_of_the_weights_in_use(answers, other):
    """The card says that the weak one is better: then only a negative exponent trusts the able one."""
    holdout = {"able": 0.2, "weak": 0.6}
    misled = fuse(answers, ["able", "weak"], "exponential", holdout=holdout, other=other)
    assert misled.best_exponent < 0 < fuse(answers, ["able", "weak"], "exponential", other=other).best_exponent


def test_what_cannot_be_fused_says_so(answers):
    with pytest.raises(ValueError, match="at least two"):
        fuse(answers, ["able", "unknown"])
    with pytest.raises(ValueError, match="Expected fusion"):
        fuse(answers, answers.names, "magic")
    with pytest.raises(ValueError, match="cannot be weighted"):
        fuse(answers, answers.names, "weighted")
