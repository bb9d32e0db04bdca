"""What the paper's own numbers imply: section 4.5 recomputed, and which metrics its F1 tables leave possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fer_core.evaluation.intervals import Interval
from fer_core.evaluation.paper.tables import FINAL, ReportedOverall, reported

Metric = Literal["accuracy", "avg_tpr", "avg_fpr"]


@dataclass(frozen=True)
class Recomputed:
    """`VGG16_modified` recomputed from section 4.5's classification report, beside what the paper reports.

    Attributes:
        true_positives: by expression: recall times support, whole numbers.
        predicted: by expression: true positives divided by precision, whole numbers that sum to 3,589.
        accuracy, macro_f1, avg_tpr, avg_fpr: from these counts.
        reported: the rows of figures 11, 13 and 15 about the model.
        reported_accuracy: the two accuracies of section 4.5: its first line, and in the classification report.
    """

    true_positives: tuple[int, ...]
    predicted: tuple[int, ...]
    accuracy: float
    macro_f1: float
    avg_tpr: float
    avg_fpr: float
    reported: tuple[ReportedOverall, ...]
    reported_accuracy: tuple[float, float]


def recompute_vgg16_modified() -> Recomputed:
    """Recompute macro F1, Avg TPR and Avg FPR from section 4.5's precision, recall and support.

    The report's fractions determine the counts: each recall times support, and each true positive count divided by
    precision, is a whole number, and the predicted counts sum to the 3,589 faces.
    """
    support = np.array(FINAL.support)
    hits = np.rint(np.array(FINAL.recall) * support).astype(int)
    predicted = np.rint(hits / np.array(FINAL.precision)).astype(int)
    false_positives = predicted - hits
    return Recomputed(
        true_positives=tuple(int(value) for value in hits),
        predicted=tuple(int(value) for value in predicted),
        accuracy=float(hits.sum() / support.sum()),
        macro_f1=float((2 * hits / (support + predicted)).mean()),
        avg_tpr=float((hits / support).mean()),
        avg_fpr=float((false_positives / (support.sum() - support)).mean()),
        reported=reported("vgg16_modified"),
        reported_accuracy=(FINAL.accuracy, FINAL.report_accuracy),
    )


def possible_range(
    metric: Metric,
    f1: Sequence[float],
    accuracy: float | None = None,
    support: Sequence[int] = FINAL.support,
    rounding: float = 5e-5,
) -> Interval | None:
    """Return between which values a metric must lie if these F1 (and this accuracy) are true of one confusion table.

    True positives and predicted counts of each class are the unknowns of a linear program: F1 and accuracy within
    rounding, predicted counts that sum to all faces, no class with more hits than rows or predictions, no more false
    positives than the other classes have misses. Fractions of faces are allowed, so the range is never too narrow:
    a reported value outside it cannot come from the same predictions on the same faces.

    Args:
        metric: what to bound.
        f1: F1 of each expression, as printed.
        accuracy: as printed, if it is to hold too.
        support: faces of each expression; PublicTest's unless given.
        rounding: half a unit of the last printed digit.

    Returns:
        The range, or None if no table at all has these F1 and this accuracy.
    """
    from scipy.optimize import linprog

    rows = np.array(support, dtype=float)
    n, k, same = rows.sum(), len(rows), np.eye(len(rows))
    printed, zero = np.array(f1, dtype=float), np.zeros(len(rows))
    high, low = printed + rounding, printed - rounding
    others = n - rows
    above = [  # columns: hits (k), predicted (k)
        np.c_[2 * same, -np.diag(high)],  # 2 hits <= high (rows + predicted)
        np.c_[-2 * same, np.diag(low)],  # 2 hits >= low (rows + predicted)
        np.c_[same, -same],  # hits <= predicted
        np.c_[(1 - same) - same, same],  # predicted - hits <= sum over the others of (rows - hits)
    ]
    limits = [high * rows, -low * rows, zero, others]
    if accuracy is not None:
        share = np.r_[np.ones(k) / n, zero]
        above += [share[None], -share[None]]
        limits += [np.array([accuracy + rounding]), np.array([rounding - accuracy])]
    objective = {
        "accuracy": np.r_[np.ones(k) / n, zero],
        "avg_tpr": np.r_[1 / rows / k, zero],
        "avg_fpr": np.r_[-1 / others / k, 1 / others / k],
    }[metric]
    bounds = [(0, size) for size in rows] + [(0, n)] * k
    ends = []
    for sign in (1, -1):
        found = linprog(
            sign * objective,
            A_ub=np.concatenate(above),
            b_ub=np.concatenate(limits),
            A_eq=[np.r_[zero, np.ones(k)]],
            b_eq=[n],
            bounds=bounds,
        )
        if not found.success:
            return None
        ends.append(sign * float(found.fun))
    return Interval(*ends)
