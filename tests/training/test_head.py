"""The head on cached features, against scikit-learn's solution of the same convex problem."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fer_core.training.head import HeadRecipe, fit_head


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    labels = np.arange(700) % 7
    centers = rng.normal(0, 1, (7, 12))
    return (centers[labels] + rng.normal(0, 1.5, (700, 12))).astype(np.float16), labels


def split(features):
    x, y = features
    return (x[:500], y[:500]), (x[500:], y[500:])


def probabilities(weights, x):
    logits = x.astype(np.float64) @ weights[0] + weights[1]
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def test_agrees_with_logistic_regression(features):
    training, holdout = split(features)
    penalty = 0.01
    recipe = HeadRecipe(epochs=150, batch_size=50, peak_learning_rate=0.02, penalties=(penalty,))
    fitted = fit_head(training, holdout, recipe)
    same = LogisticRegression(C=1 / (2 * len(training[0]) * penalty), max_iter=1000)
    same.fit(training[0].astype(np.float64), training[1])
    expected = same.predict_proba(holdout[0].astype(np.float64))
    np.testing.assert_allclose(probabilities(fitted.weights, holdout[0]), expected, atol=0.01)


def test_holdout_chooses_the_penalty(features):
    training, holdout = split(features)
    fitted = fit_head(training, holdout, HeadRecipe(epochs=8, batch_size=50, penalties=(10.0, 0.001, 1.0)))
    accuracies = [trial["holdout_accuracy"] for trial in fitted.tried]
    assert [trial["penalty"] for trial in fitted.tried] == [10.0, 0.001, 1.0]
    assert fitted.penalty == fitted.tried[int(np.argmax(accuracies))]["penalty"]
    predicted = probabilities(fitted.weights, holdout[0]).argmax(axis=1)
    assert (predicted == holdout[1]).mean() == pytest.approx(max(accuracies))
    assert fitted.history["val_accuracy"][-1] == max(accuracies)
    assert {len(curve) for curve in fitted.history.values()} == {8}


def test_nonsense_is_refused(features):
    training, holdout = split(features)
    nothing = (np.zeros((0, 12), np.float16), np.zeros(0, np.int64))
    with pytest.raises(ValueError, match="at least one, in the training part"):
        fit_head(nothing, holdout, HeadRecipe(epochs=1))
    with pytest.raises(ValueError, match="at least one, in the hold-out part"):
        fit_head(training, (holdout[0], holdout[1][:3]), HeadRecipe(epochs=1))
    with pytest.raises(ValueError, match="one penalty"):
        HeadRecipe(epochs=1, penalties=())
