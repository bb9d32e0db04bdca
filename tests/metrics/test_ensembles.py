import numpy as np
import pytest

from fer_core.metrics.core import evaluate
from fer_core.metrics.ensembles import exponential_weights, fit_exponent, fuse, weighted_fusion
from fer_core.metrics.predictions import ENSEMBLE
from tests.made_up_store import noisy


@pytest.fixture(scope="module")
def committee(sample):
    labels = sample(400)[0]
    return labels, [noisy(labels, seed, skill) for seed, skill in enumerate((0.3, 1.0, 1.6))]


def test_weighted_means(committee):
    labels, models = committee
    np.testing.assert_allclose(weighted_fusion(models, [1, 1, 1]), np.mean(models, axis=0))
    np.testing.assert_allclose(weighted_fusion(models[:1], [1]), models[0])
    fused = weighted_fusion(models, [1, 2, 5])
    np.testing.assert_allclose(fused, (models[0] + 2 * models[1] + 5 * models[2]) / 8)
    np.testing.assert_allclose(weighted_fusion(models, [0, 0, 9]), models[2])
    evaluate(labels, fused)


def test_exponential_weights_hand_worked():
    np.testing.assert_allclose(exponential_weights([0.5, 0.25], 2), [0.8, 0.2])
    np.testing.assert_allclose(exponential_weights([0.5, 0.25], 0), [0.5, 0.5])
    np.testing.assert_allclose(exponential_weights([0.5, 0.25], -1), [1 / 3, 2 / 3])
    np.testing.assert_allclose(exponential_weights([0.6, 0.7], 5000), [0, 1], atol=1e-12)


@pytest.mark.parametrize("accuracies", [None, np.linspace(0.3, 0.6, 3)])
def test_fit_exponent_is_as_good_as_a_naive_search(committee, accuracies):
    labels, models = committee
    if accuracies is None:
        accuracies = [evaluate(labels, proba).accuracy for proba in models]
    grid = np.arange(-20, 61, 2)
    scores = [evaluate(labels, weighted_fusion(models, exponential_weights(accuracies, q))).accuracy for q in grid]
    best = grid[np.isclose(scores, max(scores))]
    assert fit_exponent(labels, models, grid, accuracies) == best[np.abs(best).argmin()] > 0


def test_equal_models_get_equal_weights(committee):
    labels, models = committee
    assert fit_exponent(labels, [models[1], models[1]], [-3, 0, 5], [0.5, 0.5]) == 0
    assert fit_exponent(labels, models[:1], [-3, 5], [0.5]) == 0


def test_bad_input(committee):
    labels, models = committee
    for probas, weights, message in (
        ([], [], "at least one model"),
        ([models[0], models[1][:7]], [1, 1], r"equal length. Received: \[400, 7\] rows"),
        ([models[0], models[1] * 2], [1, 1], r"probas\[1\]"),
        *((models, weights, r"weight.*Received") for weights in ([1, 1], [1, -1, 1], [0, 0, 0], [1, np.nan, 1])),
    ):
        with pytest.raises(ValueError, match=message):
            weighted_fusion(probas, weights)
    for accuracies in ([], [0.5, 0], [1.2], [[0.5]], [np.nan]):
        with pytest.raises(ValueError, match="above 0 and at most 1"):
            exponential_weights(accuracies, 1)
    with pytest.raises(ValueError, match="finite exponent"):
        exponential_weights([0.5], np.inf)
    with pytest.raises(ValueError, match="equal length"):
        fit_exponent(labels[:5], models, [0, 1], [0.5, 0.5, 0.5])


def test_the_mean(answers):
    fused = fuse(answers, ["able", "weak"])
    expected = (answers.probabilities["able"] + answers.probabilities["weak"]) / 2
    np.testing.assert_allclose(fused.predictions.probabilities[ENSEMBLE], expected)
    assert fused.predictions.names == ["able", "fair", "weak", ENSEMBLE]
    assert fused.shares == {"able": 0.5, "weak": 0.5}
    assert fused.description == "Every model counts the same. The able one 50 %, The weak one 50 %."


def test_weights_rest_on_the_hold_out_where_every_card_has_it(answers, other):
    fused = fuse(answers, ["able", "weak"], fusion="weighted", holdout={"able": 0.6, "weak": 0.2}, other=other)
    assert fused.shares == pytest.approx({"able": 0.75, "weak": 0.25})
    assert "hold-out" in fused.source
    for there in (fused.predictions, fused.on(other)):  # elsewhere the shares are the same
        expected = 0.75 * there.probabilities["able"] + 0.25 * there.probabilities["weak"]
        np.testing.assert_allclose(there.probabilities[ENSEMBLE], expected)
        assert there.titles[ENSEMBLE] == "Ensemble of 2 (weighted)"
    assert fused.on(other.only(["able", "fair"])).names == ["able", "fair"], "a member has no answers there"


def test_weights_rest_on_the_other_split_otherwise_and_say_so(answers, other):
    holdout = {"able": 0.6, "weak": None}
    fused = fuse(answers, ["able", "weak"], fusion="weighted", holdout=holdout, other=other)
    right = [(other.probabilities[name].argmax(axis=1) == other.labels).mean() for name in ("able", "weak")]
    assert list(fused.shares.values()) == pytest.approx([value / sum(right) for value in right])
    assert "accuracy on PrivateTest" in fused.source
    assert "not from the faces shown" in fused.description


def test_the_best_exponent_is_that_of_the_weights_in_use(answers, other):
    """The card says that the weak one is better: then only a negative exponent trusts the able one."""
    holdout = {"able": 0.2, "weak": 0.6}
    misled = fuse(answers, ["able", "weak"], fusion="exponential", holdout=holdout, other=other)
    assert misled.best_exponent < 0 < fuse(answers, ["able", "weak"], fusion="exponential", other=other).best_exponent


@pytest.mark.parametrize(
    ("members", "fusion", "words"),
    [
        (["able", "unknown"], "mean", "at least two"),
        (["able", "weak"], "magic", "Expected fusion"),
        (["able", "weak"], "weighted", "cannot be weighted"),
    ],
)
def test_what_cannot_be_fused_says_so(answers, members, fusion, words):
    with pytest.raises(ValueError, match=words):
        fuse(answers, members, fusion=fusion)
