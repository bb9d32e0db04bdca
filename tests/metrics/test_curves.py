import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn import metrics as reference

from fer_core.labels import EXPRESSIONS
from fer_core.metrics.core import evaluate
from fer_core.metrics.curves import class_auc, curve_table, curves_of, pr_curves, roc_curves, threshold_table
from fer_core.metrics.predictions import Predictions

ALL = [*EXPRESSIONS, "macro", "micro"]


def by_name(table):
    """The curves of `roc_curves` or `pr_curves` by expression, and their areas."""
    return dict(iter(table.groupby("expression", sort=False))), table.groupby("expression", sort=False)["area"].first()


def at_threshold(labels, proba, expression, threshold):
    labels = np.asarray(labels)
    made_up = Predictions("PublicTest", "plain", "label", labels, labels, labels, len(labels), {"a": proba}, {"a": "A"})
    return threshold_table(made_up, expression, threshold).iloc[0]


def test_roc_curves_agree_with_scikit_learn(sample):
    labels, proba = sample(500)
    curves, areas = by_name(roc_curves(labels, proba))
    assert list(curves) == ALL
    one_hot = np.eye(7)[labels]
    for index, name in enumerate(EXPRESSIONS):
        fpr, tpr, _ = reference.roc_curve(one_hot[:, index], proba[:, index])
        np.testing.assert_array_equal(curves[name][["x", "y"]].T, [fpr, tpr])
    np.testing.assert_allclose(areas[list(EXPRESSIONS)], class_auc(labels, proba))
    assert areas["macro"] == pytest.approx(evaluate(labels, proba)["roc_auc"])
    assert areas["micro"] == pytest.approx(reference.roc_auc_score(one_hot, proba, average="micro"))
    assert np.trapezoid(curves["macro"]["y"], curves["macro"]["x"]) == pytest.approx(areas["macro"], abs=2e-3)
    assert curves["macro"]["threshold"].isna().all()


def test_pr_curves_agree_with_scikit_learn(sample):
    labels, proba = sample(500)
    curves, areas = by_name(pr_curves(labels, proba))
    assert list(curves) == ALL
    one_hot = np.eye(7)[labels]
    expected = reference.average_precision_score(one_hot, proba, average=None)
    np.testing.assert_allclose(areas[list(EXPRESSIONS)], expected)
    assert areas["macro"] == pytest.approx(expected.mean())
    assert areas["micro"] == pytest.approx(reference.average_precision_score(one_hot, proba, average="micro"))
    assert curves["macro"]["y"][1:].mean() == pytest.approx(areas["macro"], abs=2e-3)


@pytest.mark.parametrize("tolerance", [None, 0.01])
def test_curves_rise_from_end_to_end_also_when_thinned(sample, degenerate, tolerance):
    for labels, proba in (sample(500), *degenerate.values()):
        for curve in by_name(roc_curves(labels, proba, tolerance=tolerance))[0].values():
            assert curve[["x", "y"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
            assert (np.diff(curve[["x", "y"]], axis=0) >= 0).all()
        for curve in by_name(pr_curves(labels, proba, tolerance=tolerance))[0].values():
            assert curve["x"].iloc[[0, -1]].tolist() == [0, 1]
            assert (np.diff(curve["x"]) >= 0).all()


def test_every_point_is_the_model_at_its_threshold_also_when_thinned(sample):
    labels, proba = sample(400)
    for curves, x, y in ((roc_curves, "fpr", "tpr"), (pr_curves, "recall", "precision")):
        curve = by_name(curves(labels, proba, tolerance=0.01))[0]["sad"]
        assert curve["threshold"].iloc[0] == 1
        for row in curve[1:].itertuples():
            point = at_threshold(labels, proba, "sad", row.threshold)
            assert (point[x], point[y]) == pytest.approx((row.x, row.y))


def steps(curve):
    """Return the corners of the drawn steps: from each point first up or down, then to the right."""
    x, y = curve["x"].to_numpy(), curve["y"].to_numpy()
    return np.column_stack([np.r_[x[0], np.column_stack([x[:-1], x[1:]]).ravel()], np.r_[y[0], np.repeat(y[1:], 2)]])


def farthest(points, lines):
    """Return how far points lie from the lines that join other points, at most; both `(n, 2)`."""
    drawn = np.concatenate([np.linspace(a, b, 500) for a, b in pairwise(np.asarray(lines))])
    return cKDTree(drawn).query(points)[0].max()


def test_no_point_moves_by_more_than_the_tolerance(sample):
    (labels, proba), tolerance = sample(1500), 0.01
    (whole, areas), (thin, same) = (by_name(roc_curves(labels, proba, tolerance=t)) for t in (None, tolerance))
    assert areas.equals(same)
    for name in ALL[:-1]:
        assert farthest(whole[name][["x", "y"]], thin[name][["x", "y"]]) <= tolerance * 1.01
    (whole, areas), (thin, same) = (by_name(pr_curves(labels, proba, tolerance=t)) for t in (None, tolerance))
    assert areas.equals(same)
    assert farthest(steps(whole["sad"]), steps(thin["sad"])) <= tolerance * 1.01
    assert len(thin["micro"]) < 300 < len(whole["micro"])


def test_curves_hold_every_model_and_expression_with_both_kinds_of_rows(answers, sample, degenerate):
    assert list(by_name(roc_curves(*sample(80, classes=6)))[0]) == [*EXPRESSIONS[:6], "macro", "micro"]
    assert list(by_name(pr_curves(*degenerate["one class"]))[0]) == ["micro"]
    points = curve_table(answers)
    happy = curves_of(points, "roc", "happy")
    assert set(happy["name"]) == set(answers.names)
    assert happy[happy["name"] == "weak"]["order"].tolist() == list(range((happy["name"] == "weak").sum()))
    area = happy[happy["name"] == "weak"]["area"].iloc[0]
    assert area == pytest.approx(reference.roc_auc_score(answers.labels == 3, answers.probabilities["weak"][:, 3]))
    assert set(points["expression"]) == {*EXPRESSIONS, "macro", "micro"}


@pytest.mark.parametrize("threshold", [0, 0.05, 0.3, 0.9, 1])
def test_rates_at_a_threshold_agree_with_scikit_learn(sample, threshold):
    labels, proba = sample(300)
    for index, expression in enumerate(EXPRESSIONS):
        truth, predicted = labels == index, proba[:, index] >= threshold
        point = at_threshold(labels, proba, expression, threshold)
        tn, fp, fn, tp = reference.confusion_matrix(truth, predicted, labels=[False, True]).ravel()
        counts = ["true_negatives", "false_positives", "false_negatives", "true_positives"]
        assert point[counts].tolist() == [tn, fp, fn, tp]
        assert point["recall"] == point["tpr"] == pytest.approx(reference.recall_score(truth, predicted))
        assert point["f1"] == pytest.approx(reference.f1_score(truth, predicted))
        assert point["fpr"] == pytest.approx(fp / (fp + tn))
        precision = reference.precision_score(truth, predicted) if predicted.any() else math.nan
        assert point["precision"] == pytest.approx(precision, nan_ok=True)


def test_bad_settings(sample):
    for threshold in (1.1, -0.1, math.nan):
        with pytest.raises(ValueError, match="Received"):
            at_threshold(*sample(10), "happy", threshold)
    with pytest.raises(ValueError, match="tolerance"):
        roc_curves(*sample(100), tolerance=0)
