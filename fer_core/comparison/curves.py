"""Tables of curves: ROC, precision and recall, thresholds, reliability, epochs of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from fer_core.comparison.answers import Answers
from fer_core.evaluation import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    pr_curves,
    reliability,
    roc_curves,
    threshold_metrics,
)
from fer_core.labels import EXPRESSIONS
from fer_core.store import HISTORY, StoredModel

POINTS: Final = 120
"""Points of a drawn curve: more cannot be told apart on a projector."""

_CURVES: Final = ("loss", "accuracy")
_COLUMNS: Final = ["epoch", "value", "what", "faces", "name", "model"]


def curve_points(answers: Answers) -> pd.DataFrame:
    """Return every model's ROC and precision-recall curves, one expression against the rest, and their mean.

    Returns:
        Columns `curve` ("roc" or "pr"), `name`, `model`, `expression` (a name or "macro"), `order`, `x`, `y` (false
        against true positive rate; recall against precision) and `area` (ROC AUC; average precision).
    """
    tables = []
    for name, probabilities in answers.probabilities.items():
        roc = roc_curves(answers.labels, probabilities, POINTS)
        pr = pr_curves(answers.labels, probabilities, POINTS)
        drawn = [("roc", kind, c.fpr, c.tpr, c.auc) for kind, c in roc.items()]
        drawn += [("pr", kind, c.recall, c.precision, c.average_precision) for kind, c in pr.items()]
        for curve, kind, x, y, area in drawn:
            table = pd.DataFrame({"x": x, "y": y}).assign(curve=curve, expression=kind, area=area)
            tables.append(table.assign(order=range(len(table)), name=name, model=answers.titles[name]))
    return pd.concat(tables, ignore_index=True)


def curves_of(points: pd.DataFrame, curve: str, expression: str) -> pd.DataFrame:
    """Return the rows of one kind of curve and one expression."""
    return points[(points["curve"] == curve) & (points["expression"] == expression)]


def thresholds(answers: Answers, expression: str, threshold: float) -> pd.DataFrame:
    """Return what comes of announcing an expression wherever its probability reaches the threshold.

    Returns:
        One row a model: `name`, `model`, `expression`, `threshold`, `precision`, `recall`, `f1`, `tpr`, `fpr` (NaN
        where undefined), and the four counts.
    """
    index = EXPRESSIONS.index(expression)
    rows = []
    for name, probabilities in answers.probabilities.items():
        found = threshold_metrics(answers.labels, probabilities, index, threshold)
        rows.append({"name": name, "model": answers.titles[name], "expression": expression, **found.__dict__})
    return pd.DataFrame(rows)


def reliability_bins(answers: Answers) -> pd.DataFrame:
    """Return the reliability diagrams: one row a model and bin that holds faces.

    Returns:
        Columns `name`, `model`, `confidence`, `accuracy`, `low`, `high`, `faces`, `share` (of all faces), `from`,
        `to` (the bin's edges).
    """
    rows = []
    for name, probabilities in answers.probabilities.items():
        found = reliability(answers.labels, probabilities)
        for index, interval in enumerate(found.intervals):
            if found.counts[index]:
                rows.append(
                    {
                        "name": name,
                        "model": answers.titles[name],
                        "confidence": found.confidence[index],
                        "accuracy": found.accuracy[index],
                        "low": interval.low,
                        "high": interval.high,
                        "faces": int(found.counts[index]),
                        "share": found.counts[index] / len(answers.labels),
                        "from": found.edges[index],
                        "to": found.edges[index + 1],
                    }
                )
    return pd.DataFrame(rows)


def calibration(answers: Answers, other: Answers | None) -> pd.DataFrame:
    """Return how far each model's confidence can be trusted, and what one temperature would mend.

    Args:
        answers: of the split on show.
        other: of the other test split, for fitting the temperature: it must not be fitted on what it is shown on.

    Returns:
        One row a model: `name`, `model`, `ece`, `confidence` (mean), `accuracy`, `temperature` and `ece_scaled` (None
        where the other split lacks the model).
    """
    rows = []
    for name, probabilities in answers.probabilities.items():
        temperature = scaled = None
        if other is not None and name in other.probabilities:
            temperature = fit_temperature(other.labels, other.probabilities[name])
            scaled = expected_calibration_error(answers.labels, apply_temperature(probabilities, temperature))
        rows.append(
            {
                "name": name,
                "model": answers.titles[name],
                "ece": expected_calibration_error(answers.labels, probabilities),
                "confidence": float(probabilities.max(axis=1).mean()),
                "accuracy": float((probabilities.argmax(axis=1) == answers.labels).mean()),
                "temperature": temperature,
                "ece_scaled": scaled,
            }
        )
    return pd.DataFrame(rows)


def histories(
    models: Sequence[StoredModel], titles: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Read the models' curves of training.

    Args:
        models: whose.
        titles: model's name to what people read, where it is not the model's title: `Answers.titles`.

    Returns:
        Columns `name`, `model`, `epoch` (from 1), `what` ("loss" or "accuracy"), `faces` ("training" or "hold-out"),
        `value`; the titles of models without curves; and one sentence for each file that cannot be read.
    """
    tables: list[pd.DataFrame] = []
    without: list[str] = []
    complaints: list[str] = []
    for model in models:
        path = model.folder / HISTORY
        title = (titles or {}).get(model.name, model.title)
        if not path.is_file() or path.stat().st_size < 2:
            without.append(title)
            continue
        try:
            history = model.history()
            curves = training_curves(history, title, model.name)
        except (OSError, ValueError, TypeError) as error:
            reason = str(error).splitlines()[0][:160]
            complaints.append(f"The training curves of {model.name} are left out: its {HISTORY} is damaged ({reason}).")
            continue
        if curves.empty:
            without.append(title)
        else:
            tables.append(curves)
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)
    return table.dropna(), without, complaints


def training_curves(history: pd.DataFrame, title: str, name: str) -> pd.DataFrame:
    """Return one run's curves as `histories` does; no rows where it has none yet.

    Args:
        history: one row an epoch: `epoch` from 0, `loss`, `accuracy`, `val_loss`, `val_accuracy`, or some of them.
        title: what people call it.
        name: what tells it from others.
    """
    epochs = history["epoch"] + 1 if "epoch" in history else history.index + 1
    found = []
    for what in _CURVES:
        for column, faces in ((what, "training"), (f"val_{what}", "hold-out")):
            if column in history:
                table = pd.DataFrame({"epoch": epochs.astype(int), "value": history[column].astype(float)})
                found.append(table.assign(what=what, faces=faces, name=name, model=title))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=_COLUMNS)
