"""The scoreboard's rows, read from the models' cards: nothing here is computed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fer_core.columns import TEST_SPLITS
from fer_core.figures import AccuracyInterval
from fer_core.store import StoredModel


def scoreboard(models: list[StoredModel]) -> tuple[list[AccuracyInterval], pd.DataFrame, list[str]]:
    """Return what the models' cards say of the plain view.

    Returns:
        One accuracy with interval a model and split, most accurate model first; a table with one row a model in the
        same order; and one sentence for each model whose card holds no usable numbers.
    """
    read: list[tuple[list[AccuracyInterval], dict[str, Any]]] = []
    complaints: list[str] = []
    for model in models:
        if (row := _read(model)) is not None:
            read.append(row)
        else:
            complaints.append(f"The model {model.name} has no score: its card.json lacks measured numbers.")
    read.sort(key=lambda one: -one[0][0].accuracy)
    return [interval for found, _ in read for interval in found], pd.DataFrame([row for _, row in read]), complaints


def _read(model: StoredModel) -> tuple[list[AccuracyInterval], dict[str, Any]] | None:
    intervals = []
    row: dict[str, Any] = {"Model": model.title}
    for split, key in TEST_SPLITS.items():
        score = model.card.score(key)
        if score is None:
            return None
        interval = score.interval("accuracy")
        intervals.append(AccuracyInterval(model.title, split, score.accuracy, interval.low, interval.high))
        percents = (f"{100 * value:.1f}" for value in (score.accuracy, interval.low, interval.high))
        row[f"{split} accuracy"] = "{} %  ({} – {})".format(*percents)
        row[f"{split} macro F1"] = score.macro_f1
    row["Parameters"] = model.card.parameters
    row["Size"] = f"{model.size_bytes / 1e6:.1f} MB" if model.servable else "–"
    return intervals, row
