"""Every number that the scoreboard shows for one model on one split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fer_core.evaluation.auc import macro_auc
from fer_core.evaluation.calibration import expected_calibration_error
from fer_core.evaluation.checks import FloatArray, IntArray, as_pair
from fer_core.evaluation.confusion import Confusion, confusion
from fer_core.evaluation.rates import accuracy_of, class_rates, mean_defined
from fer_core.labels import EXPRESSIONS

AVERAGED = ("precision", "recall", "f1", "tpr", "fpr")


@dataclass(frozen=True, eq=False)
class PerClass:
    """Rates of each expression against the rest, arrays `(7,)` in `EXPRESSIONS`' order; NaN where undefined.

    `rates.ClassRates` says when a rate is undefined. TPR and recall are the same number under two names: the paper
    prints both.
    """

    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    fpr: FloatArray
    support: IntArray

    @property
    def tpr(self) -> FloatArray:
        """True positive rate: recall."""
        return self.recall

    def macro(self) -> dict[str, float]:
        """Return each rate's plain mean over the expressions where it is defined."""
        return {name: float(mean_defined(getattr(self, name))) for name in AVERAGED}

    def weighted(self) -> dict[str, float]:
        """Return each rate's mean weighted by support, over the expressions where it is defined."""
        return {name: _weighted(getattr(self, name), self.support) for name in AVERAGED}

    def as_dict(self) -> dict[str, dict[str, float | int | None]]:
        """Return plain JSON types in the form of scikit-learn's `classification_report(output_dict=True)`.

        Keys: the seven names, then "macro avg" and "weighted avg"; under each precision, recall, f1, tpr, fpr,
        support. Undefined is None.
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
    """One model on one set of faces.

    Attributes:
        accuracy: share predicted rightly.
        macro_f1: mean F1 over expressions.
        roc_auc: mean over expressions of the one-against-the-rest ROC AUC; NaN if all rows share one label.
        avg_tpr: mean recall over the expressions that occur.
        avg_fpr: mean over expressions of FP / (FP + TN), one against the rest.
        ece: expected calibration error, 15 bins.
        log_loss: mean of -log(probability of the true class), probabilities below 2.2e-16 raised to that.
        n: how many faces.
        per_class: the same by expression.
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
        """Return accuracy, macro_f1, roc_auc, avg_tpr, avg_fpr, ece, log_loss, n as plain JSON types; these keys
        stay. Undefined is None."""
        names = ("accuracy", "macro_f1", "roc_auc", "avg_tpr", "avg_fpr", "ece", "log_loss")
        return {**{name: _plain(getattr(self, name)) for name in names}, "n": self.n}


def evaluate(y_true: ArrayLike, proba: ArrayLike) -> Metrics:
    """Return every metric of one model.

    Degenerate input has a defined answer: of equal probabilities the first expression is the prediction; an
    expression without true rows is left out of `avg_tpr` and `roc_auc`, and out of `macro_f1` too unless it is
    predicted, where it counts 0. For accuracy without faces that also stand in Training pass the other rows:
    `evaluate(y_true[~leaked], proba[~leaked])`.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`, rows that sum to 1.

    Raises:
        ValueError: the arrays are not acceptable (see `checks`).

    Example:
        >>> round(evaluate([3, 3, 6], np.eye(7)[[3, 6, 6]]).accuracy, 3)
        0.667
    """
    labels, values = as_pair(y_true, proba)
    table = confusion(labels, values)
    rows = per_class_of(table)
    means = rows.macro()
    return Metrics(
        accuracy=float(accuracy_of(table.counts)),
        macro_f1=means["f1"],
        roc_auc=macro_auc(labels, values),
        avg_tpr=means["tpr"],
        avg_fpr=means["fpr"],
        ece=expected_calibration_error(labels, values),
        log_loss=log_loss(labels, values),
        n=len(labels),
        per_class=rows,
    )


def per_class(y_true: ArrayLike, proba: ArrayLike) -> PerClass:
    """Return precision, recall, F1, TPR, FPR and support of each expression.

    Raises:
        ValueError: the arrays are not acceptable (see `checks`).
    """
    return per_class_of(confusion(y_true, proba))


def per_class_of(table: Confusion) -> PerClass:
    """Return the rates of a confusion table."""
    rates = class_rates(table.counts)
    return PerClass(rates.precision, rates.recall, rates.f1, rates.fpr, table.counts.sum(axis=1))


def log_loss(y_true: ArrayLike, proba: ArrayLike) -> float:
    """Return the mean of -log(probability of the true class), as scikit-learn's `log_loss` of float64.

    Raises:
        ValueError: the arrays are not acceptable (see `checks`).
    """
    labels, values = as_pair(y_true, proba)
    likelihood = values[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(likelihood, np.finfo(np.float64).eps)).mean())


def _weighted(values: FloatArray, support: IntArray) -> float:
    defined = ~np.isnan(values)
    weight = support[defined].sum()
    return float((values[defined] * support[defined]).sum() / weight) if weight else float("nan")


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
