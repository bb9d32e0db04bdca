"""Metrics worked out: how a value follows from counts of faces, or from the seven expressions."""

from __future__ import annotations

from math import isnan
from typing import Final

from fer_core.columns import METRICS
from fer_core.evaluation import Metrics

_MEANS: Final = {
    "macro_f1": ("F1 scores", "f1"),
    "avg_tpr": ("true positive rates", "recall"),
    "avg_fpr": ("false positive rates", "fpr"),
}


def worked_example(metric: str, metrics: Metrics) -> str:
    """Return a sentence that works out a metric of one model with its own numbers.

    Args:
        metric: one of `columns.METRICS`.
        metrics: of the model.

    Raises:
        ValueError: there is no such metric.
    """
    if metric == "accuracy":
        right = round(metrics.accuracy * metrics.n)
        return f"{right:,} of {metrics.n:,} faces are predicted correctly: {metrics.accuracy:.3f}."
    if metric == "roc_auc":
        return f"In about {1000 * metrics.roc_auc:.0f} of 1,000 such pairs of faces the right one has more probability."
    if metric not in _MEANS:
        raise ValueError(f"Expected one of {', '.join(METRICS)}. Received: {metric}")
    words, rates = _MEANS[metric]
    defined = [f"{rate:.3f}" for rate in getattr(metrics.per_class, rates).tolist() if not isnan(rate)]
    total = " + ".join(defined)
    return f"The mean of the {words}: ({total}) / {len(defined)} = {getattr(metrics, metric):.3f}."
