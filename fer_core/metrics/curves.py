"""ROC and precision-recall curves, one-vs-rest, and the areas under them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fer_core.labels import EXPRESSIONS
from fer_core.metrics.intervals import Interval, normal_quantile
from fer_core.metrics.predictions import FloatArray, IntArray, Predictions, as_pair, as_probabilities, check_fraction

MACRO, MICRO = "macro", "micro"

HALF_A_PIXEL: Final = 0.5 / 1000
"""Curves are thinned so that none moves by more on a plot of 1,000 pixels, as wide as one is in full screen."""


def roc_curves(
    y_true: ArrayLike, proba: ArrayLike, *, tolerance: float | None = None, classes: tuple[str, ...] = EXPRESSIONS
) -> pd.DataFrame:
    """Return the ROC curve of each expression, then "macro" and "micro".

    "macro" is the vertical average of the expressions' curves (Fawcett 2006, Pattern Recognition Letters 27:861) with
    the mean of their areas, equal to metric `roc_auc`. "micro" treats all probabilities as one binary problem.
    Points are left out if the drawn curve then moves by no more than the tolerance, in rates. Areas do not change.

    Returns:
        Columns `expression`, `x` (false positive rate) and `y` (true positive rate), both rising from 0 to 1,
        `threshold` (from which probability a point counts as positive, falling; NaN for "macro") and `area`. An
        expression without positive or negative rows has no curve; if all rows have the same label, there is only
        "micro".
    """
    from sklearn.metrics import auc, roc_curve

    curves = {}
    for name, truth, scores in _one_vs_rest(y_true, proba, classes):
        fpr, tpr, thresholds = roc_curve(truth, scores)
        curves[name] = _curve(fpr, tpr, thresholds, auc(fpr, tpr))
    if single := [curve for name, curve in curves.items() if name != MICRO]:
        grid = np.unique(pd.concat(single)["x"])
        heights = np.mean([np.interp(grid, curve["x"], curve["y"]) for curve in single], axis=0)
        curves[MACRO] = _curve(np.r_[0.0, grid], np.r_[0.0, heights], np.nan, _mean_area(single))
    return _as_table(curves, _enough_of_lines, tolerance, classes)


def pr_curves(
    y_true: ArrayLike, proba: ArrayLike, *, tolerance: float | None = None, classes: tuple[str, ...] = EXPRESSIONS
) -> pd.DataFrame:
    """Return the precision-recall curve of each expression, then "macro" and "micro".

    "macro" is the mean precision at each of 1,001 recalls, interpolated in steps as average precision is, with the
    mean of the expressions' average precisions. Arguments, missing curves and errors are those of `roc_curves`, and so
    are the columns: `x` is recall, `y` precision, and `area` the average precision.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    curves = {}
    for name, truth, scores in _one_vs_rest(y_true, proba, classes):
        precision, recall, thresholds = precision_recall_curve(truth, scores)
        area = average_precision_score(truth, scores)
        curves[name] = _curve(recall[::-1], precision[::-1], np.r_[np.inf, thresholds[::-1]], area)
    if single := [curve for name, curve in curves.items() if name != MICRO]:
        grid = np.linspace(0, 1, 1001)
        steps = [curve["y"].to_numpy()[np.searchsorted(curve["x"], grid - 1e-12)] for curve in single]
        curves[MACRO] = _curve(grid, np.mean(steps, axis=0), np.nan, _mean_area(single))
    return _as_table(curves, _enough_of_steps, tolerance, classes)


def curve_table(predictions: Predictions, tolerance: float = HALF_A_PIXEL) -> pd.DataFrame:
    """Return the one-vs-rest curves of each model and expression, with the columns of `roc_curves`, `curve` ("roc" or
    "pr"), `name`, `model` and `order`."""
    tables = []
    for name, probabilities in predictions.probabilities.items():
        for curve, curves in (("roc", roc_curves), ("pr", pr_curves)):
            table = curves(predictions.labels, probabilities, tolerance=tolerance, classes=predictions.classes)
            order = table.groupby("expression").cumcount()
            tables.append(table.assign(curve=curve, order=order, name=name, model=predictions.titles[name]))
    columns = ["x", "y", "threshold", "curve", "expression", "area", "order", "name", "model"]
    return pd.concat(tables, ignore_index=True)[columns]


def curves_of(points: pd.DataFrame, curve: str, expression: str) -> pd.DataFrame:
    """Return the rows of `curve_table` about one kind of curve and one expression."""
    return points[(points["curve"] == curve) & (points["expression"] == expression)]


def threshold_table(predictions: Predictions, expression: str, threshold: float) -> pd.DataFrame:
    """Return the rates of predicting an expression wherever its probability is at least the threshold, 0 to 1.

    Returns:
        One row for each model: `name`, `model`, `expression`, `threshold`, `precision` (NaN if no face reaches the
        threshold), `recall`, `f1`, `tpr` (equal to recall), `fpr` (these NaN without positive or negative faces),
        `true_positives`, `false_positives`, `false_negatives` and `true_negatives`.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"Expected threshold between 0 and 1. Received: {threshold}")
    index = predictions.classes.index(expression)
    truth, rows = predictions.labels == index, []
    for name, probabilities in predictions.probabilities.items():
        predicted = as_probabilities(probabilities)[:, index] >= threshold
        tp, fp = int((truth & predicted).sum()), int((~truth & predicted).sum())
        fn, tn = int((truth & ~predicted).sum()), int((~truth & ~predicted).sum())
        recall = _share(tp, tp + fn)
        rows.append(
            {
                "name": name,
                "model": predictions.titles[name],
                "expression": expression,
                "threshold": float(threshold),
                "precision": _share(tp, tp + fp),
                "recall": recall,
                "f1": _share(2 * tp, 2 * tp + fp + fn),
                "tpr": recall,
                "fpr": _share(fp, fp + tn),
                "true_positives": tp,
                "false_positives": fp,
                "false_negatives": fn,
                "true_negatives": tn,
            }
        )
    return pd.DataFrame(rows)


def class_auc(y_true: ArrayLike, proba: ArrayLike) -> FloatArray:
    """Return the one-vs-rest ROC AUC of each class, `(classes,)`; NaN for a class without positive or negative rows.

    Computed from midranks as the Mann–Whitney statistic, equal to scikit-learn's `roc_auc_score`.
    """
    return np.array([auc for auc, _ in _auc_by_class(*as_pair(y_true, proba))])


def macro_auc_interval(y_true: ArrayLike, proba: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the confidence interval of the mean of `class_auc` over the classes where it is defined.

    It is computed from the structural components of DeLong, DeLong and Clarke-Pearson (1988, Biometrics 44:837) with
    the midranks of Sun and Xu (2014, IEEE SPL 21:1389), in milliseconds; a bootstrap would take seconds. The influence
    of each row is averaged over the classes, which accounts for their correlation; class sizes are random, as in a
    bootstrap of rows. The interval is normal on the logit scale, so it stays within 0..1. A perfect or completely wrong
    ranking has an interval of width 0.
    """
    labels, values = as_pair(y_true, proba)
    z, n = normal_quantile(confidence), len(labels)
    defined = [(auc, influence) for auc, influence in _auc_by_class(labels, values) if not math.isnan(auc)]
    if not defined:
        return Interval()
    auc = float(np.mean([auc for auc, _ in defined]))
    if auc <= 0 or auc >= 1:
        return Interval(auc, auc)
    influence = np.mean([influence for _, influence in defined], axis=0)  # (n,)
    error = math.sqrt(float(influence @ influence)) / n
    logit, half = math.log(auc / (1 - auc)), z * error / (auc * (1 - auc))
    return Interval(_logistic(logit - half), _logistic(logit + half))


def _one_vs_rest(
    y_true: ArrayLike, proba: ArrayLike, classes: tuple[str, ...]
) -> list[tuple[str, np.ndarray, FloatArray]]:
    """Return name, truth and scores of each binary problem that has positive and negative rows; "micro" comes last."""
    labels, values = as_pair(y_true, proba)
    truth = labels[:, None] == np.arange(len(classes))  # (n, classes)
    problems = [
        (name, truth[:, index], values[:, index])
        for index, name in enumerate(classes)
        if 0 < truth[:, index].sum() < len(labels)
    ]
    return [*problems, (MICRO, truth.ravel(), values.ravel())]


def _curve(x: FloatArray, y: FloatArray, thresholds: ArrayLike, area: float) -> pd.DataFrame:
    return pd.DataFrame({"x": x, "y": y, "threshold": np.minimum(thresholds, 1), "area": area})


def _mean_area(curves: Sequence[pd.DataFrame]) -> float:
    return float(np.mean([curve["area"].iloc[0] for curve in curves]))


def _as_table(
    curves: Mapping[str, pd.DataFrame],
    enough: Callable[[FloatArray, FloatArray, float], IntArray],
    tolerance: float | None,
    classes: tuple[str, ...],
) -> pd.DataFrame:
    """Return curves in the order of their names as `roc_curves` does; `enough` chooses points by a tolerance."""
    tables = []
    for name in (name for name in (*classes, MACRO, MICRO) if name in curves):
        table = curves[name]
        if tolerance is not None:
            points = table["x"].to_numpy(), table["y"].to_numpy()
            table = table.iloc[enough(*points, check_fraction(tolerance, "tolerance"))]
        tables.append(table.assign(expression=name))
    return pd.concat(tables, ignore_index=True)[["expression", "x", "y", "threshold", "area"]]


def _enough_of_lines(x: FloatArray, y: FloatArray, tolerance: float) -> IntArray:
    """Return the points of a rising curve that suffice if straight lines join them (Douglas and Peucker 1973)."""
    import cv2

    points = np.column_stack([x, y]).astype(np.float32)
    kept = cv2.approxPolyDP(points, tolerance / 2, closed=False)[:, 0]  # its last step may double the distance
    return np.unique(np.searchsorted(points.sum(axis=1, dtype=np.float64), kept.sum(axis=1, dtype=np.float64)))


def _enough_of_steps(x: FloatArray, y: FloatArray, tolerance: float) -> IntArray:
    """Return the points that suffice if steps join them: from each point first up or down, then to the right.

    A step replaces several if each lies within the tolerance of its height, or all within the tolerance in width.
    """
    kept = [0]
    start, low, high = 0, np.inf, -np.inf
    for place in range(1, len(x)):
        low, high = min(low, y[place]), max(high, y[place])
        level = max(high - y[place], y[place] - low) <= tolerance
        if not level and x[place] - x[start] > tolerance:
            if place - 1 > start:
                kept.append(place - 1)
            start, low, high = kept[-1], y[place], y[place]
    return np.unique([*kept, len(x) - 1])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _auc_by_class(labels: IntArray, values: FloatArray) -> list[tuple[float, FloatArray]]:
    return [_auc_and_influence(labels == index, values[:, index]) for index in range(values.shape[1])]


def _auc_and_influence(positive: np.ndarray, scores: FloatArray) -> tuple[float, FloatArray]:
    """Return the AUC of one class and each row's influence on it, `(n,)`."""
    n, n_positive = len(scores), int(positive.sum())
    if n_positive in (0, n):
        return float("nan"), np.full(n, np.nan)
    ranks = _midranks(scores)
    won = np.empty(n)  # share of the opposite rows that each row is ranked correctly against
    won[positive] = (ranks[positive] - _midranks(scores[positive])) / (n - n_positive)
    won[~positive] = 1 - (ranks[~positive] - _midranks(scores[~positive])) / n_positive
    auc = float(won[positive].mean())
    influence = (won - auc) * np.where(positive, n / n_positive, n / (n - n_positive))
    return auc, influence


def _midranks(scores: FloatArray) -> FloatArray:
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle: FloatArray = np.cumsum(counts) - (counts - 1) / 2
    return middle[place]


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
