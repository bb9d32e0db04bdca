"""Confusion matrices, the rates of each class that follow from them, and the faces behind their cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.labels import EXPRESSIONS
from fer_core.metrics.predictions import FloatArray, IntArray, Predictions, as_pair

SHOWN: Final[tuple[str, ...]] = ("all", "right", "wrong")
"""Predictions that `sample_faces` can draw from."""

HARDEST: Final[dict[str, str]] = {
    "all wrong": "All models are wrong",
    "confident": "Confident and wrong",
    "divided": "Models are divided",
}
"""What `hardest_faces` can look for, each with its title."""


@dataclass(frozen=True, eq=False)
class ClassRates:
    """One-vs-rest rates of each class, arrays of shape `(..., classes)`.

    A rate is NaN, and left out of every mean over classes, where it is undefined: precision and F1 of a class that
    is neither a true nor a predicted label, recall (TPR) of a class without true rows, FPR of a class that all rows
    belong to. A class that occurs but is never predicted has precision 0 and F1 0, and so has a class that is
    predicted but never occurs. Macro F1 therefore equals scikit-learn's `f1_score(average="macro", zero_division=0)`,
    and the mean recall equals `balanced_accuracy_score`. The paper reports both recall and TPR, which are equal.
    `support` is the number of rows of each class.
    """

    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    fpr: FloatArray
    support: FloatArray

    def as_dict(self, classes: tuple[str, ...] = EXPRESSIONS) -> dict[str, dict[str, float | int | None]]:
        """Return the rates of one matrix, laid out as scikit-learn's `classification_report(output_dict=True)`.

        The keys are the classes, "macro avg" and "weighted avg" (means over the classes where a rate is defined). Each
        holds precision, recall, f1, tpr, fpr and support as plain JSON types. Undefined rates are None.
        """
        rates = {"precision": self.precision, "recall": self.recall, "f1": self.f1, "tpr": self.recall, "fpr": self.fpr}
        weights = dict(zip(classes, np.eye(len(classes)), strict=True))
        weights |= {"macro avg": np.ones(len(classes)), "weighted avg": self.support}
        return {
            title: {name: plain(_weighted(values, weight)) for name, values in rates.items()}
            | {"support": int(self.support[weight > 0].sum())}
            for title, weight in weights.items()
        }


def confusion_matrix(y_true: ArrayLike, proba: ArrayLike) -> IntArray:
    """Count the true against the predicted classes; the first of equal probabilities is the prediction.

    Returns:
        `(classes, classes)` int64, true classes in rows and predicted classes in columns.
    """
    labels, values = as_pair(y_true, proba)
    return _counted(labels, values.argmax(axis=1), values.shape[1])


def class_rates(counts: NDArray[np.integer] | NDArray[np.floating]) -> ClassRates:
    """Return the rates of one confusion matrix, or of a stack of them, `(..., 7, 7)`."""
    counts = np.asarray(counts, dtype=np.float64)
    hits = np.einsum("...ii->...i", counts)
    support, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    return ClassRates(
        precision=np.where((support > 0) & (predicted == 0), 0.0, _divide(hits, predicted)),
        recall=_divide(hits, support),
        f1=_divide(2 * hits, support + predicted),
        fpr=_divide(predicted - hits, support.sum(axis=-1, keepdims=True) - support),
        support=support,
    )


def accuracy_of(counts: NDArray[np.integer] | NDArray[np.floating]) -> FloatArray:
    """Return the share on the diagonal of confusion matrices, `(..., 7, 7)` to `(...)`."""
    counts = np.asarray(counts, dtype=np.float64)
    return _divide(np.einsum("...ii->...", counts), counts.sum(axis=(-2, -1)))


def mean_defined(values: FloatArray) -> FloatArray:
    """Return the mean over the last axis without NaN, `(..., 7)` to `(...)`; NaN if nothing is defined."""
    defined = ~np.isnan(values)
    return _divide(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def plain(value: float) -> float | None:
    """Return a number as a plain JSON type; None for NaN."""
    return None if np.isnan(value) else float(value)


def confusion_cells(predictions: Predictions, name: str) -> pd.DataFrame:
    """Return one row for each cell: `actual`, `predicted`, `count`, `rate` (share of the faces of `actual`)."""
    return _cells(confusion_matrix(predictions.labels, predictions.probabilities[name]), predictions.classes)


def difference_cells(predictions: Predictions, first: str, second: str) -> pd.DataFrame:
    """Return the cells of the first model minus those of the second, columns as in `confusion_cells`."""
    table, other = confusion_cells(predictions, first), confusion_cells(predictions, second)
    return table.assign(count=table["count"] - other["count"], rate=table["rate"] - other["rate"])


def label_cells(labels: NDArray[np.int64], plurality: NDArray[np.int64]) -> pd.DataFrame:
    """Return how often each label `(n,)` goes with each plurality of the annotators, columns as in `confusion_cells`.

    Labels are in the column `actual`, pluralities in `predicted`; faces with -1 are left out.
    """
    clear = plurality >= 0
    return _cells(_counted(labels[clear], plurality[clear], len(EXPRESSIONS)), EXPRESSIONS)


def cell_faces(predictions: Predictions, name: str, actual: str, predicted: str) -> pd.DataFrame:
    """Return the faces of one cell, the most confident predictions first.

    Columns `row`, `label` (FER2013's), `actual` (by the yardstick), `predicted`, `confidence`, `source` (title of the
    model), then one column for each model, named by its title, with its prediction as text ("neutral 91 %").
    """
    chosen = predictions.probabilities[name].argmax(axis=1)
    row, column = map(predictions.classes.index, (actual, predicted))
    inside = (predictions.labels == row) & (chosen == column)
    return _most_confident(predictions, name, inside)


def differing_faces(predictions: Predictions, first: str, second: str, actual: str, predicted: str) -> pd.DataFrame:
    """Return the faces that only one of two models puts into a cell, alternating between the models.

    Columns as in `cell_faces`; `source` is the model that does.
    """
    truth, column = predictions.labels == predictions.classes.index(actual), predictions.classes.index(predicted)
    by_first, by_second = (predictions.probabilities[name].argmax(axis=1) == column for name in (first, second))
    only_first = _most_confident(predictions, first, truth & by_first & ~by_second)
    only_second = _most_confident(predictions, second, truth & by_second & ~by_first)
    both = pd.concat([part for part in (only_first, only_second) if len(part)] or [only_first])
    return both.sort_index(kind="stable").reset_index(drop=True)


def sample_faces(predictions: Predictions, name: str, which: str, number: int, seed: int) -> pd.DataFrame:
    """Return a random sample of a model's predictions, `which` is one of `SHOWN`; columns as in `cell_faces`."""
    right = predictions.probabilities[name].argmax(axis=1) == predictions.labels
    pool = np.flatnonzero({"all": np.ones_like(right), "right": right, "wrong": ~right}[which])
    return _faces(predictions, name, np.random.default_rng(seed).permutation(pool)[:number])


def hardest_faces(predictions: Predictions, order: str, name: str) -> pd.DataFrame:
    """Return faces on which models fail, the hardest first, columns as in `cell_faces`.

    Args:
        predictions: of several models.
        order: "all wrong": every model is wrong; lowest mean probability of the right expression first. "confident":
            wrong predictions of one model, most confident first. "divided": most different answers first, by the
            entropy of the models' predicted expressions.
        name: of the model whose prediction the table shows, and that "confident" is about.
    """
    every = np.stack(list(predictions.probabilities.values()))  # (models, n, 7)
    chosen = every.argmax(axis=2)
    if order == "confident":
        wrong = predictions.probabilities[name].argmax(axis=1) != predictions.labels
        return _most_confident(predictions, name, wrong)
    if order == "all wrong":
        places = np.flatnonzero((chosen != predictions.labels).all(axis=0))
        right = every[:, np.arange(len(predictions.labels)), predictions.labels].mean(axis=0)
        places = places[np.argsort(right[places], kind="stable")]
    elif order == "divided":
        shares = (chosen[:, :, None] == np.arange(every.shape[2])).mean(axis=0)
        logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
        places = np.argsort((shares * logs).sum(axis=1), kind="stable")
    else:
        raise ValueError(f"Expected one of {', '.join(HARDEST)}. Received: {order}")
    return _faces(predictions, name, places)


def _counted(truth: IntArray, predicted: IntArray, classes: int) -> IntArray:
    cells = np.bincount(truth * classes + predicted, minlength=classes**2)
    return cells.reshape(classes, classes).astype(np.int64)


def _cells(counts: IntArray, classes: tuple[str, ...]) -> pd.DataFrame:
    grid = pd.MultiIndex.from_product([classes, classes], names=["actual", "predicted"])
    rates = _divide(counts, np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape))
    return pd.DataFrame({"count": counts.ravel(), "rate": rates.ravel()}, index=grid).reset_index()


def _most_confident(predictions: Predictions, name: str, kept: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the faces that a mask keeps, the most confident predictions first."""
    places = np.flatnonzero(kept)
    confidence = predictions.probabilities[name].max(axis=1)[places]
    return _faces(predictions, name, places[np.argsort(-confidence, kind="stable")])


def _faces(predictions: Predictions, name: str, places: NDArray[np.integer]) -> pd.DataFrame:
    names, own = np.array(predictions.classes), predictions.probabilities[name][places]
    table = pd.DataFrame(
        {
            "row": predictions.rows[places],
            "label": names[predictions.given[places]],
            "actual": names[predictions.labels[places]],
            "predicted": names[own.argmax(axis=1)],
            "confidence": own.max(axis=1),
            "source": predictions.titles[name],
        }
    )
    others = {}
    for other, values in predictions.probabilities.items():
        shares = np.char.mod("%.0f %%", 100 * values[places].max(axis=1))
        others[predictions.titles[other]] = np.char.add(np.char.add(names[values[places].argmax(axis=1)], " "), shares)
    return pd.concat([table, pd.DataFrame(others, index=table.index)], axis=1)


def _divide(numerator: NDArray, denominator: NDArray) -> FloatArray:
    """Divide; NaN where the denominator is 0."""
    out = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) > 0)
    return out


def _weighted(values: FloatArray, weights: FloatArray) -> float:
    """Return the weighted mean of the defined values; NaN if they have no weight."""
    defined = ~np.isnan(values)
    return float(_divide((values[defined] * weights[defined]).sum(), weights[defined].sum()))
