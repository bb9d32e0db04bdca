"""Honest evaluation: arrays in (`y_true (n,)` int 0..6, `proba (n, 7)`), small frozen results out.

Needs NumPy only to import; scikit-learn, SciPy and statsmodels are loaded by the functions that use them.
The paper's results are in `fer_core.evaluation.paper`.
"""

from fer_core.evaluation.agreement import Agreement, HumanAgreement, agreement, human_agreement
from fer_core.evaluation.auc import class_auc, macro_auc, macro_auc_interval
from fer_core.evaluation.bootstrap import BootstrapIntervals, bootstrap_intervals
from fer_core.evaluation.calibration import (
    Reliability,
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability,
)
from fer_core.evaluation.confusion import (
    Confusion,
    ConfusionDifference,
    confusion,
    confusion_difference,
    confusion_from_labels,
)
from fer_core.evaluation.curves import PrCurve, RocCurve, ThresholdMetrics, pr_curves, roc_curves, threshold_metrics
from fer_core.evaluation.ensembles import (
    exponential_weights,
    fit_exponent,
    majority_vote,
    mean_fusion,
    validation_accuracies,
    weighted_fusion,
)
from fer_core.evaluation.intervals import Interval, wilson_interval
from fer_core.evaluation.metrics import Metrics, PerClass, evaluate, log_loss, per_class
from fer_core.evaluation.significance import (
    Comparison,
    McNemar,
    PairedDifference,
    compare_all,
    mcnemar,
    paired_bootstrap,
)

__all__ = [
    "Agreement",
    "BootstrapIntervals",
    "Comparison",
    "Confusion",
    "ConfusionDifference",
    "HumanAgreement",
    "Interval",
    "McNemar",
    "Metrics",
    "PairedDifference",
    "PerClass",
    "PrCurve",
    "Reliability",
    "RocCurve",
    "ThresholdMetrics",
    "agreement",
    "apply_temperature",
    "bootstrap_intervals",
    "class_auc",
    "compare_all",
    "confusion",
    "confusion_difference",
    "confusion_from_labels",
    "evaluate",
    "expected_calibration_error",
    "exponential_weights",
    "fit_exponent",
    "fit_temperature",
    "human_agreement",
    "log_loss",
    "macro_auc",
    "macro_auc_interval",
    "majority_vote",
    "mcnemar",
    "mean_fusion",
    "paired_bootstrap",
    "per_class",
    "pr_curves",
    "reliability",
    "roc_curves",
    "threshold_metrics",
    "validation_accuracies",
    "weighted_fusion",
    "wilson_interval",
]
