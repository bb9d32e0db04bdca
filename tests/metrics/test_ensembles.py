import numpy as np
import pytest

from fer_core.metrics.core import evaluate
from fer_core.metrics.ensembles import exponential_weights, fit_exponent, fuse, weighted_fusion
from fer_core.metrics.predictions import ENSEMBLE


@pytest.fixture
def committee(sample):
    labels = sample(400)[0]
    models = []
    for seed, skill in enumerate((0.3, 1.0, 1.6)):
        logits = np.random.default_rng(seed).normal(size=(400, 7))
        logits[np.arange(400), labels] += skill
        models.append(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    return labels, models


def test_mean_and_weighted(committee):
    _, models = committee
    np.testing.assert_allclose(weighted_fusion(models, [1, 1, 1]), np.mean(models, axis=0))
    np.testing.assert_allclose(weighted_fusion(models[:1], [1]), models[0])
    expected = (models[0] + 2 * models[1] + 5 * models[2]) / 8
    np.testing.assert_allclose(weighted_fusion(models, [1, 2, 5]), expected)
    np.testing.assert_allclose(weighted_fusion(models, [0, 0, 9]), models[2])


def test_exponential_weights_hand_worked():
    np.testing.assert_allclose(exponential_weights([0.5, 0.25], 2), [0.8, 0.2])
    np.testing.assert_allclose(exponential_weights([0.5, 0.25], 0), [0.5, 0.5])
    np.testing.assert_allclose(exponential_weights([0.5, 0.25], -1), [1 / 3, 2 / 3])
    np.testing.assert_allclose(exponential_weights([0.6, 0.7], 5000), [0, 1], atol=1e-12)


def test_every_fusion_is_a_distribution_that_evaluate_takes(committee):
    labels, models = committee
    for fused in (weighted_fusion(models, [1, 1, 1]), weighted_fusion(models, [1, 0, 3])):
        assert fused.shape == (400, 7)
        np.testing.assert_allclose(fused.sum(axis=1), 1)
        evaluate(labels, fused)


def test_fit_exponent_is_as_good_as_a_naive_search(committee):
    labels, models = committee
    accuracies = [(proba.argmax(axis=1) == labels).mean() for proba in models]
    np.testing.assert_allclose(accuracies, [evaluate(labels, m).accuracy for m in models])
    grid = np.arange(-20, 60.5, 0.5)
    scores = [evaluate(labels, weighted_fusion(models, exponential_weights(accuracies, q))).accuracy for q in grid]
    fitted = fit_exponent(labels, models, grid, accuracies)
    best = grid[np.isclose(scores, max(scores))]
    assert fitted == best[np.abs(best).argmin()]
    assert fitted > 0


def test_fit_exponent_of_given_accuracies(committee):
    labels, models = committee
    given, grid = np.linspace(0.3, 0.6, len(models)), np.arange(-20, 21)
    scores = [evaluate(labels, weighted_fusion(models, exponential_weights(given, q))).accuracy for q in grid]
    best = grid[np.isclose(scores, max(scores))]
    assert abs(fit_exponent(labels, models, grid, given)) == np.abs(best).min()


def test_equal_models_get_equal_weights(committee):
    labels, models = committee
    assert fit_exponent(labels, [models[1], models[1]], [-3, 0, 5], [0.5, 0.5]) == 0
    assert fit_exponent(labels, models[:1], [-3, 5], [0.5]) == 0


def test_bad_input(committee):
    labels, models = committee
    with pytest.raises(ValueError, match="at least one model"):
        weighted_fusion([], [])
    with pytest.raises(ValueError, match=r"equal length. Received: \[400, 7\] rows"):
        weighted_fusion([models[0], models[1][:7]], [1, 1])
    with pytest.raises(ValueError, match=r"probas\[1\]"):
        weighted_fusion([models[0], models[1] * 2], [1, 1])
    for weights in ([1, 1], [1, -1, 1], [0, 0, 0], [1, np.nan, 1]):
        with pytest.raises(ValueError, match=r"weight.*Received"):
            weighted_fusion(models, weights)
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
    assert fused.weights == {"The able one": 0.5, "The weak one": 0.5}
    assert "Every model counts the same" in fused.description


def test_weights_rest_on_the_hold_out_where_every_card_has_it(answers, other):
    holdout = {"able": 0.6, "weak": 0.2}
    fused = fuse(answers, ["able", "weak"], fusion="weighted", holdout=holdout, other=other)
    assert fused.weights == pytest.approx({"The able one": 0.75, "The weak one": 0.25})
    assert "hold-out" in fused.source
    expected = 0.75 * answers.probabilities["able"] + 0.25 * answers.probabilities["weak"]
    np.testing.assert_allclose(fused.predictions.probabilities[ENSEMBLE], expected)


def test_weights_rest_on_the_other_split_otherwise_and_say_so(answers, other):
    holdout = {"able": 0.6, "weak": None}
    fused = fuse(answers, ["able", "weak"], fusion="weighted", holdout=holdout, other=other)
    right = [(other.probabilities[name].argmax(axis=1) == other.labels).mean() for name in ("able", "weak")]
    assert list(fused.weights.values()) == pytest.approx([value / sum(right) for value in right])
    assert "accuracy on PrivateTest" in fused.source
    assert "not from the faces shown" in fused.description


def test_a_large_exponent_trusts_the_best_alone(answers, other):
    fused = fuse(answers, answers.names, fusion="exponential", exponent=150, other=other)
    assert max(fused.weights, key=fused.weights.get) == "The able one"
    assert fused.weights["The able one"] > 0.99
    assert fused.best_exponent is not None
    assert "On PrivateTest, q = " in fused.description


def test_elsewhere_the_shares_are_the_same(answers, other):
    fused = fuse(answers, ["able", "weak"], fusion="weighted", other=other)
    there = fused.on(other)
    share = fused.weights["The able one"]
    expected = share * other.probabilities["able"] + (1 - share) * other.probabilities["weak"]
    np.testing.assert_allclose(there.probabilities[ENSEMBLE], expected)
    assert there.titles[ENSEMBLE] == fused.predictions.titles[ENSEMBLE]
    assert fused.on(other.only(["able", "fair"])).names == ["able", "fair"], "a member has no answers there"


def test_the_best_exponent_is_that_of_the_weights_in_use(answers, other):
    """The card says that the weak one is better: then only a negative exponent trusts the able one."""
    holdout = {"able": 0.2, "weak": 0.6}
    misled = fuse(answers, ["able", "weak"], fusion="exponential", holdout=holdout, other=other)
    assert misled.best_exponent < 0 < fuse(answers, ["able", "weak"], fusion="exponential", other=other).best_exponent


def test_what_cannot_be_fused_says_so(answers):
    with pytest.raises(ValueError, match="at least two"):
        fuse(answers, ["able", "unknown"])
    with pytest.raises(ValueError, match="Expected fusion"):
        fuse(answers, answers.names, fusion="magic")
    with pytest.raises(ValueError, match="cannot be weighted"):
        fuse(answers, answers.names, fusion="weighted")
