import math

import numpy as np
import pytest
from sklearn import metrics as reference

from fer_core.evaluation import evaluate, pr_curves, roc_curves, threshold_metrics
from fer_core.evaluation.roc_pr import class_auc
from fer_core.labels import EXPRESSIONS

ALL = [*EXPRESSIONS, "macro", "micro"]


def test_roc_curves_agree_with_scikit_learn(sample):
    labels, proba = sample(500)
    curves = roc_curves(labels, proba)
    assert list(curves) == ALL
    one_hot = np.eye(7)[labels]
    for index, name in enumerate(EXPRESSIONS):
        fpr, tpr, _ = reference.roc_curve(one_hot[:, index], proba[:, index])
        np.testing.assert_array_equal(curves[name].fpr, fpr)
        np.testing.assert_array_equal(curves[name].tpr, tpr)
    np.testing.assert_allclose([curves[name].auc for name in EXPRESSIONS], class_auc(labels, proba))
    assert curves["macro"].auc == pytest.approx(evaluate(labels, proba).roc_auc)
    assert curves["micro"].auc == pytest.approx(reference.roc_auc_score(one_hot, proba, average="micro"))


def test_pr_curves_agree_with_scikit_learn(sample):
    labels, proba = sample(500)
    curves = pr_curves(labels, proba)
    assert list(curves) == ALL
    one_hot = np.eye(7)[labels]
    expected = reference.average_precision_score(one_hot, proba, average=None)
    np.testing.assert_allclose([curves[name].average_precision for name in EXPRESSIONS], expected)
    assert curves["macro"].average_precision == pytest.approx(expected.mean())
    assert curves["micro"].average_precision == pytest.approx(
        reference.average_precision_score(one_hot, proba, average="micro")
    )


def test_macro_curves_enclose_their_areas(sample):
    labels, proba = sample(500)
    roc, pr = roc_curves(labels, proba)["macro"], pr_curves(labels, proba)["macro"]
    assert np.trapezoid(roc.tpr, roc.fpr) == pytest.approx(roc.auc, abs=2e-3)
    assert pr.precision[1:].mean() == pytest.approx(pr.average_precision, abs=2e-3)


@pytest.mark.parametrize("max_points", [None, 1, 2, 50])
def test_curves_rise_from_end_to_end_also_when_thinned(sample, degenerate, max_points):
    for labels, proba in (sample(500), *degenerate.values()):
        for curve in roc_curves(labels, proba, max_points).values():
            assert (curve.fpr[0], curve.tpr[0], curve.fpr[-1], curve.tpr[-1]) == (0, 0, 1, 1)
            assert (np.diff(curve.fpr) >= 0).all()
            assert (np.diff(curve.tpr) >= 0).all()
        for curve in pr_curves(labels, proba, max_points).values():
            assert (curve.recall[0], curve.recall[-1]) == (0, 1)
            assert (np.diff(curve.recall) >= 0).all()
            if max_points:
                assert len(curve.recall) <= max_points + 2


def test_thinning_keeps_shape_and_areas(sample):
    labels, proba = sample(3000)
    whole, thin = roc_curves(labels, proba), roc_curves(labels, proba, 200)
    for name in ALL:
        assert thin[name].auc == whole[name].auc
        assert len(thin[name].fpr) <= 202
        assert np.trapezoid(thin[name].tpr, thin[name].fpr) == pytest.approx(whole[name].auc, abs=2e-3)


def test_classes_without_both_kinds_of_rows_have_no_curve(sample, degenerate):
    assert list(roc_curves(*sample(80, classes=6))) == [*EXPRESSIONS[:6], "macro", "micro"]
    assert list(pr_curves(*degenerate["one class"])) == ["micro"]


@pytest.mark.parametrize("threshold", [0, 0.05, 0.3, 0.9, 1])
def test_threshold_metrics_agree_with_scikit_learn(sample, threshold):
    labels, proba = sample(300)
    for index in range(7):
        truth, said = labels == index, proba[:, index] >= threshold
        point = threshold_metrics(labels, proba, index, threshold)
        tn, fp, fn, tp = reference.confusion_matrix(truth, said, labels=[False, True]).ravel()
        assert (point.true_negatives, point.false_positives, point.false_negatives, point.true_positives) == (
            tn, fp, fn, tp,
        )  # fmt: skip
        assert point.recall == point.tpr == pytest.approx(reference.recall_score(truth, said))
        assert point.f1 == pytest.approx(reference.f1_score(truth, said))
        assert point.fpr == pytest.approx(fp / (fp + tn))
        if said.any():
            assert point.precision == pytest.approx(reference.precision_score(truth, said))
        else:
            assert math.isnan(point.precision)


def test_the_threshold_itself_counts_and_its_point_is_on_the_curve():
    proba = np.full((4, 7), 0.0)
    proba[:, 0], proba[:, 1] = [0.5, 0.5, 0.25, 0.75], [0.5, 0.5, 0.75, 0.25]
    point = threshold_metrics([0, 1, 1, 0], proba, 0, 0.5)
    assert (point.tpr, point.fpr) == (1, 0.5)
    curve = roc_curves([0, 1, 1, 0], proba)["angry"]
    assert (point.fpr, point.tpr) in set(zip(curve.fpr.tolist(), curve.tpr.tolist(), strict=True))


@pytest.mark.parametrize(("index", "threshold"), [(7, 0.5), (-1, 0.5), (0, 1.1), (0, -0.1), (0, math.nan)])
def test_bad_settings(sample, index, threshold):
    with pytest.raises(ValueError, match="Received"):
        threshold_metrics(*sample(10), index, threshold)
    with pytest.raises(ValueError, match="max_points"):
        roc_curves(*sample(100), max_points=0)
