import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from fer_core.evaluation import Confusion, confusion, confusion_difference, confusion_from_labels


def test_counts_and_rates_agree_with_scikit_learn(sample):
    labels, proba = sample(300)
    table = confusion(labels, proba)
    predicted = proba.argmax(axis=1)
    np.testing.assert_array_equal(table.counts, confusion_matrix(labels, predicted, labels=range(7)))
    np.testing.assert_allclose(table.rates, confusion_matrix(labels, predicted, labels=range(7), normalize="true"))
    np.testing.assert_array_equal(confusion_from_labels(labels, predicted).counts, table.counts)
    assert table.n == 300
    assert table.counts.dtype == np.int64


def test_a_missing_class_has_no_rates(sample):
    rates = confusion(*sample(80, classes=6)).rates
    assert np.isnan(rates[6]).all()
    assert not np.isnan(rates[:6]).any()


def test_difference(sample):
    labels, first = sample(200, seed=1)
    second = sample(200, seed=2)[1]
    one, two = confusion(labels, first), confusion(labels, second)
    difference = confusion_difference(one, two)
    np.testing.assert_array_equal(difference.counts.sum(axis=1), 0)
    np.testing.assert_allclose(difference.rates, one.rates - two.rates)


def test_bad_tables():
    with pytest.raises(ValueError, match=r"shape \(7, 7\)"):
        Confusion(np.zeros((7, 6), dtype=np.int64))
    with pytest.raises(ValueError, match="no negative count"):
        Confusion(np.full((7, 7), -1))
    with pytest.raises(ValueError, match=r"Received: 2 and 1 labels"):
        confusion_from_labels([0, 1], [0])
    with pytest.raises(ValueError, match=r"y_pred in 0\.\.6"):
        confusion_from_labels([0, 1], [0, 9])
