"""Tables of curves: ROC, precision-recall, thresholds, calibration, training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from fer_core.comparison.answers import Answers
from fer_core.labels import EXPRESSIONS
from fer_core.metrics import (
    apply_temperature,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    noise_floor,
    pr_curves,
    reliability,
    roc_curves,
    threshold_metrics,
)
from fer_core.metrics.intervals import wilson_interval
from fer_core.store.stored_model import HISTORY, StoredModel
from fer_core.types import reason

HALF_A_PIXEL: Final = 0.5 / 1000
"""Curves are thinned so that none moves by more on a plot of 1,000 pixels, as wide as one is in full screen."""

_CURVES: Final = ("loss", "accuracy")
_COLUMNS: Final = ["epoch", "value", "what", "faces", "name", "model"]


def curve_points(answers: Answers, tolerance: float = HALF_A_PIXEL) -> pd.DataFrame:
    """Return the one-vs-rest ROC and precision-recall curves of each model and expression.

    Args:
        answers: of the models.
        tolerance: by how much leaving out points may move a curve.

    Returns:
        Columns `curve` ("roc" or "pr"), `name`, `model`, `expression` (also "macro" and "micro"), `order`, `x`, `y`
        (false and true positive rate; recall and precision), `threshold` (0 to 1; NaN for "macro") and `area` (ROC
        AUC; average precision).
    """
    tables = []
    for name, probabilities in answers.probabilities.items():
        roc = roc_curves(answers.labels, probabilities, tolerance)
        pr = pr_curves(answers.labels, probabilities, tolerance)
        drawn = [("roc", kind, c.fpr, c.tpr, c.thresholds, c.auc) for kind, c in roc.items()]
        drawn += [("pr", kind, c.recall, c.precision, c.thresholds, c.average_precision) for kind, c in pr.items()]
        for curve, kind, x, y, threshold, area in drawn:
            table = pd.DataFrame({"x": x, "y": y, "threshold": np.minimum(threshold, 1.0)}).assign(
                curve=curve, expression=kind, area=area
            )
            tables.append(table.assign(order=range(len(table)), name=name, model=answers.titles[name]))
    return pd.concat(tables, ignore_index=True)


def curves_of(points: pd.DataFrame, curve: str, expression: str) -> pd.DataFrame:
    """Return the rows of `curve_points` about one kind of curve and one expression."""
    return points[(points["curve"] == curve) & (points["expression"] == expression)]


def thresholds(answers: Answers, expression: str, threshold: float) -> pd.DataFrame:
    """Return the rates of predicting an expression wherever its probability is at least the threshold.

    Returns:
        One row for each model: `name`, `model`, `expression`, and the fields of `metrics.roc_pr.ThresholdMetrics`.
    """
    index = EXPRESSIONS.index(expression)
    rows = []
    for name, probabilities in answers.probabilities.items():
        found = threshold_metrics(answers.labels, probabilities, index, threshold)
        rows.append({"name": name, "model": answers.titles[name], "expression": expression, **found.__dict__})
    return pd.DataFrame(rows)


def reliability_bins(answers: Answers) -> pd.DataFrame:
    """Return the reliability diagram of each model, one row for each bin that is not empty.

    Returns:
        Columns `name`, `model`, `confidence`, `accuracy`, `low`, `high`, `faces`, `share` (of all faces), `from`, `to`
        (edges of the bin).
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


def faces_in_bins(bins: pd.DataFrame) -> dict[str, float]:
    """Return how often the faces in some bins of one model's reliability diagram are classified correctly.

    Args:
        bins: rows of `reliability_bins`, at least one.

    Returns:
        `faces`, `share` (of all faces), `confidence` (mean), `accuracy`, and `low` and `high` (Wilson's 95 % interval).
    """
    faces = int(bins["faces"].sum())
    correct = round(float((bins["accuracy"] * bins["faces"]).sum()))
    interval = wilson_interval(correct, faces)
    return {
        "faces": faces,
        "share": float(bins["share"].sum()),
        "confidence": float((bins["confidence"] * bins["faces"]).sum() / faces),
        "accuracy": correct / faces,
        "low": interval.low,
        "high": interval.high,
    }


def calibration(answers: Answers, other: Answers | None) -> pd.DataFrame:
    """Return how well the probabilities of each model agree with how often it is right.

    Models have no stored predictions of the hold-out, so the temperature is fitted on the other test split. It is only
    shown; no model uses it.

    Args:
        answers: predictions of the split that is shown.
        other: predictions of the other test split, on which the temperature is fitted.

    Returns:
        One row for each model: `name`, `model`, `log_loss`, `brier`, `ece`, `floor` (mean of the noise floor of the
        ECE), `floor_low`, `floor_high` (95 % range), `against_floor` (the ECE is "above", "inside" or "below" this
        range), `confidence` (mean), `accuracy`, `temperature`, `fitted_on` (the other split), `log_loss_scaled` and
        `ece_scaled` (with the temperature, on the split that is shown). The last four are None if there are no
        predictions of the other split.
    """
    rows = []
    for name, probabilities in answers.probabilities.items():
        ece, floor = expected_calibration_error(answers.labels, probabilities), noise_floor(probabilities)
        row = {
            "name": name,
            "model": answers.titles[name],
            "log_loss": log_loss(answers.labels, probabilities),
            "brier": brier_score(answers.labels, probabilities),
            "ece": ece,
            "floor": floor.mean,
            "floor_low": floor.interval.low,
            "floor_high": floor.interval.high,
            "against_floor": floor.place(ece),
            "confidence": float(probabilities.max(axis=1).mean()),
            "accuracy": float((probabilities.argmax(axis=1) == answers.labels).mean()),
            **dict.fromkeys(("temperature", "fitted_on", "log_loss_scaled", "ece_scaled")),
        }
        if other is not None and name in other.probabilities:
            temperature = fit_temperature(other.labels, other.probabilities[name])
            scaled = apply_temperature(probabilities, temperature)
            row |= {
                "temperature": temperature,
                "fitted_on": other.split,
                "log_loss_scaled": log_loss(answers.labels, scaled),
                "ece_scaled": expected_calibration_error(answers.labels, scaled),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def histories(
    models: Sequence[StoredModel], titles: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Read the training curves of models.

    Args:
        models: of the store.
        titles: replaces the titles of models, by name.

    Returns:
        A table with the columns `name`, `model`, `epoch` (from 1), `what` ("loss" or "accuracy"), `faces` ("training"
        or "hold-out") and `value`; the titles of models without curves; one sentence for each file that cannot be read.
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
            words = f"The training curves of {model.name} are left out: its {HISTORY} is damaged"
            complaints.append(f"{words} ({reason(error)}).")
            continue
        if curves.empty:
            without.append(title)
        else:
            tables.append(curves)
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)
    return table.dropna(), without, complaints


def training_curves(history: pd.DataFrame, title: str, name: str) -> pd.DataFrame:
    """Return the training curves of one run with the columns of `histories`; empty if there are none yet.

    Args:
        history: one row for each epoch, with some of `epoch` (from 0), `loss`, `accuracy`, `val_loss`, `val_accuracy`.
        title: the name that people read.
        name: unique among the runs.
    """
    epochs = history["epoch"] + 1 if "epoch" in history else history.index + 1
    found = []
    for what in _CURVES:
        for column, faces in ((what, "training"), (f"val_{what}", "hold-out")):
            if column in history:
                table = pd.DataFrame({"epoch": epochs.astype(int), "value": history[column].astype(float)})
                found.append(table.assign(what=what, faces=faces, name=name, model=title))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=_COLUMNS)
