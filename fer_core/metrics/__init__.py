"""Metrics and statistics: `y_true (n,)` of int 0..6 and `proba (n, 7)` in, small frozen results out.

Importing this package needs only NumPy; scikit-learn, SciPy and statsmodels are imported by the functions that use
them. The results of the paper are in `fer_core.metrics.paper`.
"""

from fer_core.metrics.bootstrap import BootstrapIntervals, bootstrap_intervals
from fer_core.metrics.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    noise_floor,
    reliability,
)
from fer_core.metrics.confusion import confusion_matrix, normalized_by_row
from fer_core.metrics.ensembles import accuracies_of, exponential_weights, fit_exponent, weighted_fusion
from fer_core.metrics.intervals import Interval
from fer_core.metrics.metrics import METRICS, Metric, Metrics, evaluate, metric_titles, of_counts
from fer_core.metrics.not_sure import Threshold, lowest_threshold
from fer_core.metrics.proper_scores import brier_score, log_loss
from fer_core.metrics.roc_pr import pr_curves, roc_curves, threshold_metrics
from fer_core.metrics.significance import compare_all

__all__ = [
    "METRICS",
    "BootstrapIntervals",
    "Interval",
    "Metric",
    "Metrics",
    "Threshold",
    "accuracies_of",
    "apply_temperature",
    "bootstrap_intervals",
    "brier_score",
    "compare_all",
    "confusion_matrix",
    "evaluate",
    "expected_calibration_error",
    "exponential_weights",
    "fit_exponent",
    "fit_temperature",
    "log_loss",
    "lowest_threshold",
    "metric_titles",
    "noise_floor",
    "normalized_by_row",
    "of_counts",
    "pr_curves",
    "reliability",
    "roc_curves",
    "threshold_metrics",
    "weighted_fusion",
]
