import math

import numpy as np
import pytest
from sklearn import metrics as reference

from fer_core.labels import EXPRESSIONS
from fer_core.metrics.core import evaluate
from fer_core.metrics.curves import class_auc, pr_curves, roc_curves, threshold_metrics

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
    assert curves["macro"].auc == pytest.approx(evaluate(labels, proba)["roc_auc"])
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


@pytest.mark.parametrize("tolerance", [None, 0.0005, 0.02, 0.5])
def test_curves_rise_from_end_to_end_also_when_thinned(sample, degenerate, tolerance):
    for labels, proba in (sample(500), *degenerate.values()):
        for curve in roc_curves(labels, proba, tolerance).values():
            assert (curve.fpr[0], curve.tpr[0], curve.fpr[-1], curve.tpr[-1]) == (0, 0, 1, 1)
            assert (np.diff(curve.fpr) >= 0).all()
            assert (np.diff(curve.tpr) >= 0).all()
        for curve in pr_curves(labels, proba, tolerance).values():
            assert (curve.recall[0], curve.recall[-1]) == (0, 1)
            assert (np.diff(curve.recall) >= 0).all()


def test_every_point_is_the_model_at_its_threshold_also_when_thinned(sample):
    labels, proba = sample(400)
    roc, pr = roc_curves(labels, proba, 0.01)["sad"], pr_curves(labels, proba, 0.01)["sad"]
    index = EXPRESSIONS.index("sad")
    assert roc.thresholds[0] == pr.thresholds[0] == np.inf
    for fpr, tpr, threshold in zip(roc.fpr[1:], roc.tpr[1:], roc.thresholds[1:], strict=True):
        point = threshold_metrics(labels, proba, index, threshold)
        assert (point.fpr, point.tpr) == (fpr, tpr)
    for recall, precision, threshold in zip(pr.recall[1:], pr.precision[1:], pr.thresholds[1:], strict=True):
        point = threshold_metrics(labels, proba, index, threshold)
        assert (point.recall, point.precision) == pytest.approx((recall, precision))
    assert np.isnan(roc_curves(labels, proba)["macro"].thresholds).all()


def distance_to_lines(x, y, px, py):
    """Return how far each of the points (px, py) lies from the nearest of the lines that join (x, y)."""
    a, b = np.column_stack([x[:-1], y[:-1]]), np.column_stack([x[1:], y[1:]])
    along = b - a
    points = np.column_stack([px, py])[:, None]
    share = ((points - a) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-18)
    nearest = a + np.clip(share, 0, 1)[..., None] * along
    return np.linalg.norm(points - nearest, axis=-1).min(axis=1)


def steps(x, y):
    """Return the corners of the drawn steps: from each point first up or down, then to the right."""
    return np.r_[x[0], np.column_stack([x[:-1], x[1:]]).ravel()], np.r_[y[0], np.repeat(y[1:], 2)]


@pytest.mark.parametrize("tolerance", [0.0005, 0.01])
def test_no_point_moves_by_more_than_the_tolerance(sample, tolerance):
    labels, proba = sample(3000)
    for name in ALL[:-1]:
        whole, thin = (roc_curves(labels, proba, t)[name] for t in (None, tolerance))
        assert thin.auc == whole.auc
        assert distance_to_lines(thin.fpr, thin.tpr, whole.fpr, whole.tpr).max() <= tolerance * 1.001
    whole, thin = (pr_curves(labels, proba, t)["sad"] for t in (None, tolerance))
    assert thin.average_precision == whole.average_precision
    corners = steps(whole.recall, whole.precision)
    assert distance_to_lines(*steps(thin.recall, thin.precision), *corners).max() <= tolerance * 1.001
    assert len(pr_curves(labels, proba, 0.01)["micro"].recall) < 300 < len(pr_curves(labels, proba)["micro"].recall)


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
    with pytest.raises(ValueError, match="tolerance"):
        roc_curves(*sample(100), tolerance=0)
