"""ROC and precision-recall curves, one expression against the rest, macro and micro; one point at a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fer_core.evaluation.checks import FloatArray, as_pair, check_count
from fer_core.labels import EXPRESSIONS, NUM_CLASSES

MACRO, MICRO = "macro", "micro"


@dataclass(frozen=True, eq=False)
class RocCurve:
    """False against true positive rate, each `(m,)` rising from 0 to 1.

    Attributes:
        fpr: false positive rates.
        tpr: true positive rates.
        auc: area under the whole curve (before any thinning).
    """

    fpr: FloatArray
    tpr: FloatArray
    auc: float


@dataclass(frozen=True, eq=False)
class PrCurve:
    """Recall against precision, each `(m,)`, recall rising from 0 to 1.

    Attributes:
        recall: recall at falling thresholds.
        precision: precision there.
        average_precision: sum of precision times the step in recall (scikit-learn's `average_precision_score`).
        base_rate: share of the expression: the precision of guessing.
    """

    recall: FloatArray
    precision: FloatArray
    average_precision: float
    base_rate: float


@dataclass(frozen=True)
class ThresholdMetrics:
    """One expression against the rest when it is announced from a probability of `threshold` on; NaN if undefined.

    Precision is undefined when nothing reaches the threshold, TPR and FPR without rows of that kind.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    tpr: float
    fpr: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


def roc_curves(y_true: ArrayLike, proba: ArrayLike, max_points: int | None = None) -> dict[str, RocCurve]:
    """Return ROC curves by expression, then "macro" and "micro", as far as they are defined.

    Macro is the vertical average of the expressions' curves (Fawcett 2006, Pattern Recognition Letters 27:861), its
    `auc` the mean of theirs, as `Metrics.roc_auc`. Micro pools all `7 n` yes-or-no answers into one curve.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`.
        max_points: thin each curve to about this many points for drawing; None keeps all. Areas do not change.

    Returns:
        An expression without rows, or with all of them, has no curve and no key; all rows of one expression leave
        only "micro".

    Raises:
        ValueError: the arrays are not acceptable (see `checks`), or `max_points` is below 1.
    """
    from sklearn.metrics import auc, roc_curve

    curves: dict[str, RocCurve] = {}
    for name, truth, scores in _one_against_rest(y_true, proba):
        fpr, tpr, _ = roc_curve(truth, scores)
        curves[name] = RocCurve(fpr, tpr, float(auc(fpr, tpr)))
    micro = curves.pop(MICRO)
    if curves:
        grid = np.unique(np.concatenate([curve.fpr for curve in curves.values()]))
        heights = np.mean([np.interp(grid, curve.fpr, curve.tpr) for curve in curves.values()], axis=0)
        area = float(np.mean([curve.auc for curve in curves.values()]))
        curves[MACRO] = RocCurve(np.r_[0.0, grid], np.r_[0.0, heights], area)
    curves[MICRO] = micro
    return {name: RocCurve(*_thin(max_points, c.fpr, c.tpr), c.auc) for name, c in curves.items()}


def pr_curves(y_true: ArrayLike, proba: ArrayLike, max_points: int | None = None) -> dict[str, PrCurve]:
    """Return precision-recall curves by expression, then "macro" and "micro", as far as they are defined.

    Macro is the mean precision at each of 1,001 recalls, every expression's precision carried to the left (as its
    average precision counts it); its `average_precision` is the mean of theirs. Micro pools all `7 n` answers.
    Arguments, missing keys and errors as in `roc_curves`.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    curves: dict[str, PrCurve] = {}
    for name, truth, scores in _one_against_rest(y_true, proba):
        precision, recall, _ = precision_recall_curve(truth, scores)
        area = float(average_precision_score(truth, scores))
        curves[name] = PrCurve(recall[::-1], precision[::-1], area, float(truth.mean()))
    micro = curves.pop(MICRO)
    if curves:
        grid = np.linspace(0, 1, 1001)
        steps = [c.precision[np.searchsorted(c.recall, grid - 1e-12)] for c in curves.values()]
        area = float(np.mean([c.average_precision for c in curves.values()]))
        base = float(np.mean([c.base_rate for c in curves.values()]))
        curves[MACRO] = PrCurve(grid, np.mean(steps, axis=0), area, base)
    curves[MICRO] = micro
    return {
        name: PrCurve(*_thin(max_points, c.recall, c.precision), c.average_precision, c.base_rate)
        for name, c in curves.items()
    }


def threshold_metrics(y_true: ArrayLike, proba: ArrayLike, class_index: int, threshold: float) -> ThresholdMetrics:
    """Return the rates of "this expression" said wherever its probability is at least `threshold`.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`.
        class_index: which expression, 0..6.
        threshold: 0 to 1.

    Raises:
        ValueError: the arrays are not acceptable (see `checks`), or class or threshold is out of range.
    """
    labels, values = as_pair(y_true, proba)
    if class_index not in range(NUM_CLASSES):
        raise ValueError(f"Expected class_index in 0..{NUM_CLASSES - 1}. Received: {class_index}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"Expected threshold between 0 and 1. Received: {threshold}")
    truth, said = labels == class_index, values[:, class_index] >= threshold
    tp, fp = int((truth & said).sum()), int((~truth & said).sum())
    fn, tn = int((truth & ~said).sum()), int((~truth & ~said).sum())
    recall = _share(tp, tp + fn)
    return ThresholdMetrics(
        threshold=float(threshold),
        precision=_share(tp, tp + fp),
        recall=recall,
        f1=_share(2 * tp, 2 * tp + fp + fn),
        tpr=recall,
        fpr=_share(fp, fp + tn),
        true_positives=tp,
        false_positives=fp,
        false_negatives=fn,
        true_negatives=tn,
    )


def _one_against_rest(y_true: ArrayLike, proba: ArrayLike) -> list[tuple[str, np.ndarray, FloatArray]]:
    """Return name, truth and scores of every yes-or-no question that has both answers; "micro" always last."""
    labels, values = as_pair(y_true, proba)
    truth = labels[:, None] == np.arange(NUM_CLASSES)  # (n, 7)
    questions = [
        (name, truth[:, index], values[:, index])
        for index, name in enumerate(EXPRESSIONS)
        if 0 < truth[:, index].sum() < len(labels)
    ]
    return [*questions, (MICRO, truth.ravel(), values.ravel())]


def _thin(max_points: int | None, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Keep points evenly spaced along the curve's length, both ends always."""
    if max_points is None or len(x) <= check_count(max_points, "max_points"):
        return x, y
    length = np.r_[0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
    keep = np.searchsorted(length, np.linspace(0, length[-1], max(max_points, 2)))
    keep = np.unique(np.r_[0, np.minimum(keep, len(x) - 1), len(x) - 1])
    return x[keep], y[keep]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
