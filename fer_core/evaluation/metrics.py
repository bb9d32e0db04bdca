"""The metrics of one model on one set of faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fer_core.evaluation.calibration import expected_calibration_error
from fer_core.evaluation.checks import FloatArray, IntArray, as_pair
from fer_core.evaluation.confusion import accuracy_of, class_rates, confusion_matrix, mean_defined
from fer_core.evaluation.proper_scores import log_loss
from fer_core.evaluation.roc_pr import macro_auc
from fer_core.labels import EXPRESSIONS

AVERAGED = ("precision", "recall", "f1", "tpr", "fpr")


@dataclass(frozen=True, eq=False)
class PerClass:
    """One-vs-rest rates of each expression, arrays `(7,)` in the order of `labels.EXPRESSIONS`.

    Undefined rates are NaN, see `confusion.ClassRates`. The paper reports both recall and TPR, which are equal.
    """

    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    fpr: FloatArray
    support: IntArray

    @property
    def tpr(self) -> FloatArray:
        """True positive rate, equal to recall."""
        return self.recall

    def macro(self) -> dict[str, float]:
        """Return the mean of each rate over the expressions where it is defined."""
        return {name: float(mean_defined(getattr(self, name))) for name in AVERAGED}

    def weighted(self) -> dict[str, float]:
        """Return the mean of each rate weighted by support, over the expressions where it is defined."""
        return {name: _weighted(getattr(self, name), self.support) for name in AVERAGED}

    def as_dict(self) -> dict[str, dict[str, float | int | None]]:
        """Return plain JSON types, laid out as scikit-learn's `classification_report(output_dict=True)`.

        The keys are the seven expressions, "macro avg" and "weighted avg"; each holds precision, recall, f1, tpr, fpr
        and support. Undefined rates are None.
        """
        rows: dict[str, dict[str, float | int | None]] = {}
        for index, expression in enumerate(EXPRESSIONS):
            rows[expression] = {name: _plain(getattr(self, name)[index]) for name in AVERAGED}
            rows[expression]["support"] = int(self.support[index])
        for title, averages in (("macro avg", self.macro()), ("weighted avg", self.weighted())):
            rows[title] = {name: _plain(value) for name, value in averages.items()}
            rows[title]["support"] = int(self.support.sum())
        return rows


@dataclass(frozen=True, eq=False)
class Metrics:
    """The metrics of one model on one set of faces.

    Attributes:
        accuracy: share of the faces that are classified correctly.
        macro_f1: mean F1 over the expressions.
        roc_auc: mean one-vs-rest ROC AUC over the expressions; NaN if all rows have the same label.
        avg_tpr: mean recall over the expressions that occur.
        avg_fpr: mean over the expressions of FP / (FP + TN), one-vs-rest.
        ece: expected calibration error with 15 bins.
        log_loss: mean of -log(probability of the true class); probabilities are clipped to 2.2e-16 from below.
        n: number of faces.
        per_class: the rates of each expression.
    """

    accuracy: float
    macro_f1: float
    roc_auc: float
    avg_tpr: float
    avg_fpr: float
    ece: float
    log_loss: float
    n: int
    per_class: PerClass

    def as_dict(self) -> dict[str, float | int | None]:
        """Return all but `per_class` as plain JSON types, undefined metrics as None. The keys are stable: model cards
        and `evaluate --json` use them."""
        names = ("accuracy", "macro_f1", "roc_auc", "avg_tpr", "avg_fpr", "ece", "log_loss")
        return {**{name: _plain(getattr(self, name)) for name in names}, "n": self.n}


def evaluate(y_true: ArrayLike, proba: ArrayLike) -> Metrics:
    """Return the metrics of one model.

    The first of equal probabilities is the prediction. An expression without true rows is left out of `avg_tpr` and
    `roc_auc`, and also out of `macro_f1` unless it is predicted (then its F1 is 0).

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`, rows that sum to 1.

    Raises:
        ValueError: the arrays are not valid (see `checks`).

    Example:
        >>> round(evaluate([3, 3, 6], np.eye(7)[[3, 6, 6]]).accuracy, 3)
        0.667
    """
    labels, values = as_pair(y_true, proba)
    counts = confusion_matrix(labels, values)
    rates = class_rates(counts)
    rows = PerClass(rates.precision, rates.recall, rates.f1, rates.fpr, counts.sum(axis=1))
    means = rows.macro()
    return Metrics(
        accuracy=float(accuracy_of(counts)),
        macro_f1=means["f1"],
        roc_auc=macro_auc(labels, values),
        avg_tpr=means["tpr"],
        avg_fpr=means["fpr"],
        ece=expected_calibration_error(labels, values),
        log_loss=log_loss(labels, values),
        n=len(labels),
        per_class=rows,
    )


def _weighted(values: FloatArray, support: IntArray) -> float:
    defined = ~np.isnan(values)
    weight = support[defined].sum()
    return float((values[defined] * support[defined]).sum() / weight) if weight else float("nan")


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
