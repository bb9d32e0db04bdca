"""The table of metrics, and the metrics of models with their bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.columns import percent
from fer_core.metrics.calibration import expected_calibration_error, log_loss
from fer_core.metrics.confusion import ClassRates, accuracy_of, class_rates, confusion_matrix, mean_defined, plain
from fer_core.metrics.curves import class_auc, macro_auc_interval
from fer_core.metrics.intervals import Interval, percentile_interval, resampled_counts
from fer_core.metrics.predictions import (
    FloatArray,
    IntArray,
    Predictions,
    as_models,
    as_pair,
    check_count,
    is_graded,
)


@dataclass(frozen=True, eq=False)
class Metrics:
    """The metrics of one model on `n` faces: those of `METRICS` by key, `ece` and `log_loss`, and the rates of each
    expression."""

    values: dict[str, float]
    n: int
    per_class: ClassRates

    def __getitem__(self, metric: str) -> float:
        return self.values[metric]

    @property
    def accuracy(self) -> float:
        return self["accuracy"]

    def as_dict(self) -> dict[str, float | int | None]:
        """Return all but `per_class` as JSON types, None for NaN. Cards and `evaluate --json` use these keys."""
        return {**{name: plain(value) for name, value in self.values.items()}, "n": self.n}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric with an interval: what it means, and how both are computed.

    Attributes:
        definition, reading, trap: what it is, how to read it, and what not to conclude from it.
        value: from labels `(n,)`, probabilities `(n, classes)` and the confusion matrix; NaN if undefined.
        interval: from labels, probabilities, the confusion matrices of resamples and the confidence.
        example: a sentence that works the value out with the numbers of one model; empty for none.
        higher_is_better: the direction.
    """

    title: str
    definition: str
    reading: str
    trap: str
    value: Callable[[IntArray, FloatArray, IntArray], float]
    interval: Callable[[IntArray, FloatArray, FloatArray, float], Interval]
    example: Callable[[Metrics], str] = lambda _: ""
    higher_is_better: bool = True
    of_probabilities: bool = False  # whether it says nothing of answers without probabilities, see `is_graded`


def of_counts(function: Callable[[NDArray], FloatArray]) -> dict[str, Any]:
    """Return `value` and `interval`, a percentile bootstrap, of a `Metric` that follows from confusion matrices.

    The function turns confusion matrices `(..., classes, classes)` into values `(...)`.
    """
    return {
        "value": lambda *arrays: float(function(arrays[-1])),
        "interval": lambda _labels, _probas, counts, confidence: percentile_interval(function(counts), confidence),
    }


def _mean_of(rates: str, words: str) -> dict[str, Any]:
    def example(metrics: Metrics) -> str:
        values = getattr(metrics.per_class, rates)
        defined = [f"{100 * value:.1f}" for value in values[~np.isnan(values)].tolist()]
        mean = percent(float(mean_defined(values)), ".1%")
        return f"The mean of the {words}: ({' + '.join(defined)}) / {len(defined)} = {mean}."

    return of_counts(lambda counts: mean_defined(getattr(class_rates(counts), rates))) | {"example": example}


METRICS: Final[dict[str, Metric]] = {
    "accuracy": Metric(
        title="Accuracy",
        definition="The share of faces whose expression is predicted correctly.",
        reading="Higher is better. Always answering “happy” already reaches about 25 % on FER2013.",
        trap="It is dominated by frequent expressions: a model that never predicts disgust loses less than 2 points.",
        example=lambda metrics: (
            f"{round(metrics.accuracy * metrics.n):,} of {metrics.n:,} faces are predicted correctly: "
            f"{percent(metrics.accuracy, '.1%')}."
        ),
        **of_counts(accuracy_of),
    ),
    "macro_f1": Metric(
        title="Macro F1",
        definition="The mean of the F1 scores, one for each expression, each with the same weight (macro average).",
        reading="Higher is better. Rare expressions count as much as frequent ones.",
        trap="A few faces of a rare expression such as disgust move it visibly. Look at its interval.",
        **_mean_of("f1", "F1 scores"),
    ),
    "roc_auc": Metric(
        title="ROC AUC",
        definition="The probability that a random face of an expression gets a higher probability for it than a random "
        "face of another expression; the mean over the expressions (macro average).",
        reading="50 % is chance, 100 % is perfect. It judges the order of faces, not the predicted expression.",
        trap="With few positives it can be high although most positive predictions are wrong. See precision and "
        "recall.",
        of_probabilities=True,
        value=lambda labels, probas, _: float(mean_defined(class_auc(labels, probas))),
        interval=lambda labels, probas, _, confidence: macro_auc_interval(labels, probas, confidence),
        example=lambda metrics: (
            f"In about {1000 * metrics['roc_auc']:.0f} of 1,000 such pairs of faces the right one has more probability."
        ),
    ),
    "avg_tpr": Metric(
        title="Avg TPR",
        definition="The mean true positive rate over the expressions: of the faces of an expression, the share "
        "predicted as it. This is also called balanced accuracy, or macro-averaged recall.",
        reading="Higher is better; with seven expressions, 1 in 7 (14 %) is chance.",
        trap="It says nothing about false positives. Read it together with Avg FPR.",
        **_mean_of("recall", "true positive rates"),
    ),
    "avg_fpr": Metric(
        title="Avg FPR",
        definition="The mean false positive rate over the expressions: of the faces of other expressions, the "
        "share predicted as it.",
        reading="Lower is better.",
        trap="Even poor models have low values, because every expression has many more negatives than positives.",
        higher_is_better=False,
        **_mean_of("fpr", "false positive rates"),
    ),
}
"""By key in cards, tables and JSON. A metric that is added here is computed and shown wherever the others are."""


def metric_titles() -> dict[str, str]:
    return {key: metric.title for key, metric in METRICS.items()}


def evaluate(y_true: ArrayLike, proba: ArrayLike) -> Metrics:
    """Return the metrics of one model, from labels `(n,)` and probabilities `(n, classes)`, rows that sum to 1.

    The first of equal probabilities is the prediction. An expression without true rows is left out of `avg_tpr` and
    `roc_auc`, and also out of `macro_f1` unless it is predicted (then its F1 is 0).

    Example:
        >>> round(evaluate([3, 3, 6], np.eye(7)[[3, 6, 6]]).accuracy, 3)
        0.667
    """
    labels, values = as_pair(y_true, proba)
    counts = confusion_matrix(labels, values)
    numbers = {key: metric.value(labels, values, counts) for key, metric in METRICS.items()}
    numbers |= {"ece": expected_calibration_error(labels, values), "log_loss": log_loss(labels, values)}
    return Metrics(numbers, len(labels), class_rates(counts))


@dataclass(frozen=True)
class BootstrapIntervals:
    """Confidence intervals of one model: of the metrics by key of `METRICS`, and of F1 of each class."""

    values: dict[str, Interval]
    f1: tuple[Interval, ...]

    def __getitem__(self, metric: str) -> Interval:
        return self.values[metric]


def bootstrap_intervals(y_true: ArrayLike, proba: ArrayLike, **settings: Any) -> BootstrapIntervals:
    """Return the intervals of one model, `proba (n, classes)`; the rest is as in `bootstrap_all`."""
    return bootstrap_all(y_true, {"proba": proba}, **settings)["proba"]


def bootstrap_all(
    y_true: ArrayLike,
    probas: Mapping[str, ArrayLike],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> dict[str, BootstrapIntervals]:
    """Return percentile bootstrap intervals (Efron and Tibshirani 1993) of several models, by name.

    Faces are drawn with replacement; all models share the draws. The intervals describe how the metrics vary with the
    test faces, not with the training run. That of the ROC AUC is not resampled, see `curves.macro_auc_interval`.
    With 1,000 resamples the ends vary by about a tenth of the half-width.
    """
    labels, models = as_models(y_true, probas)
    resamples = resampled_counts(labels, models, check_count(n_resamples, "n_resamples"), seed)
    result = {}
    for name, values in models.items():
        counts = resamples[name]
        intervals = {key: metric.interval(labels, values, counts, confidence) for key, metric in METRICS.items()}
        f1 = [percentile_interval(column, confidence) for column in class_rates(counts).f1.T]
        result[name] = BootstrapIntervals(intervals, tuple(f1))
    return result


Measured = dict[str, tuple[Metrics, BootstrapIntervals]]
"""Metrics and intervals by name of the model."""


def measure_models(predictions: Predictions) -> Measured:
    """Return metrics and 95 % intervals of each model; all models share the resamples."""
    labels, probabilities = predictions.labels, predictions.probabilities
    intervals = bootstrap_all(labels, probabilities)
    return {name: measured(labels, values, intervals[name]) for name, values in probabilities.items()}


def measured(
    y_true: ArrayLike, proba: ArrayLike, intervals: BootstrapIntervals | None = None
) -> tuple[Metrics, BootstrapIntervals]:
    """Return the metrics of a model and its intervals, which are computed if they are not given.

    Answers without probabilities (see `predictions.is_graded`) have no ROC AUC, ECE and log loss: these are NaN.
    """
    metrics, ends = evaluate(y_true, proba), intervals or bootstrap_intervals(y_true, proba)
    if is_graded(np.asarray(proba)):
        return metrics, ends
    missing = [key for key, metric in METRICS.items() if metric.of_probabilities]
    numbers = metrics.values | dict.fromkeys([*missing, "ece", "log_loss"], math.nan)  # noqa: PD011
    none = dict.fromkeys(missing, Interval(math.nan, math.nan))
    return replace(metrics, values=numbers), replace(ends, values=ends.values | none)  # noqa: PD011


REPORTED: Final = ("precision", "recall", "f1", "tpr", "fpr", "support")
"""Columns of a classification report: rates of each expression against the rest, and its number of faces."""


def report_table(predictions: Predictions, measured: Measured) -> pd.DataFrame:
    """Return the classification report of each model, as scikit-learn's, with true and false positive rates.

    The columns are `name`, `model`, `expression` (the seven, then "macro avg" and "weighted avg") and those of
    `REPORTED`. TPR is the same number as recall; the paper prints both.
    """
    rows = [
        {"name": name, "model": predictions.titles[name], "expression": expression, **rates}
        for name in predictions.names
        for expression, rates in measured[name][0].per_class.as_dict(predictions.classes).items()
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys(REPORTED[:-1], float))


def f1_table(predictions: Predictions, measured: Measured) -> pd.DataFrame:
    """Return F1 of each model and expression: columns `name`, `model`, `expression`, `f1`, `low`, `high`, `precision`,
    `recall`, `faces`."""
    tables = []
    for name in predictions.names:
        metrics, intervals = measured[name]
        rates, ends = metrics.per_class, intervals.f1
        columns = {
            "name": name,
            "model": predictions.titles[name],
            "expression": predictions.classes,
            "f1": rates.f1,
            "low": [interval.low for interval in ends],
            "high": [interval.high for interval in ends],
            "precision": rates.precision,
            "recall": rates.recall,
            "faces": rates.support.astype(int),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
