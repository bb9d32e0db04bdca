"""Worked examples say how a metric follows from its parts; scikit-learn computes the same."""

import re

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from fer_core.comparison import worked_example
from fer_core.evaluation import evaluate


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(1)
    labels = np.r_[np.arange(7), rng.integers(0, 7, 300)]
    probabilities = rng.dirichlet(np.ones(7), len(labels))
    probabilities[np.arange(200), labels[:200]] += 1
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return labels, probabilities


def numbers(sentence):
    return [float(found) for found in re.findall(r"0\.\d{3}", sentence)]


def test_accuracy_is_a_count_of_faces(drawn):
    labels, probabilities = drawn
    right = int(accuracy_score(labels, probabilities.argmax(axis=1), normalize=False))
    words = worked_example("accuracy", evaluate(*drawn))
    assert words == f"{right} of 307 faces are predicted correctly: {right / 307:.3f}."


def test_means_list_the_seven_expressions(drawn):
    labels, probabilities = drawn
    predicted = probabilities.argmax(axis=1)
    table = confusion_matrix(labels, predicted)
    off = table.sum(axis=0) - table.diagonal()
    expected = {
        "macro_f1": f1_score(labels, predicted, average=None),
        "avg_tpr": recall_score(labels, predicted, average=None),
        "avg_fpr": off / (table.sum() - table.sum(axis=1)),
    }
    for metric, rates in expected.items():
        words = worked_example(metric, evaluate(*drawn))
        np.testing.assert_allclose(numbers(words), [*rates, rates.mean()], atol=5.1e-4)
        assert "/ 7 =" in words


def test_expressions_without_faces_are_left_out(drawn):
    labels, probabilities = drawn
    some = labels < 3
    assert "/ 3 =" in worked_example("avg_tpr", evaluate(labels[some], probabilities[some]))


def test_other_metrics_are_refused(drawn):
    with pytest.raises(ValueError, match="Received: beauty"):
        worked_example("beauty", evaluate(*drawn))
