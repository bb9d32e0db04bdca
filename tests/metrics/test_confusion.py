import numpy as np
from sklearn import metrics as reference

from fer_core.metrics.confusion import confusion_matrix, normalized_by_row


def test_counts_and_rates_agree_with_scikit_learn(sample):
    labels, proba = sample(300)
    counts = confusion_matrix(labels, proba)
    expected = reference.confusion_matrix(labels, proba.argmax(axis=1), labels=range(7))
    np.testing.assert_array_equal(counts, expected)
    np.testing.assert_allclose(normalized_by_row(counts), expected / expected.sum(axis=1, keepdims=True))
    assert counts.dtype == np.int64


def test_a_missing_class_has_no_rates(sample):
    rates = normalized_by_row(confusion_matrix(*sample(80, classes=6)))
    assert np.isnan(rates[6]).all()
    assert not np.isnan(rates[:6]).any()
