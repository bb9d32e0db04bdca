"""The scoreboard's rows, read from the models' cards: nothing here is computed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fer_core.figures import AccuracyInterval
from fer_core.store import StoredModel

SPLITS = {"public_test": "PublicTest", "private_test": "PrivateTest"}


def scoreboard(models: list[StoredModel]) -> tuple[list[AccuracyInterval], pd.DataFrame, list[str]]:
    """Return what the models' cards say of the plain view.

    Returns:
        One accuracy with interval a model and split, most accurate model first; a table with one row a model in the
        same order; and one sentence for each model whose card holds no usable numbers.
    """
    read: list[tuple[list[AccuracyInterval], dict[str, Any]]] = []
    complaints: list[str] = []
    for model in models:
        try:
            read.append(_read(model))
        except (KeyError, TypeError, ValueError):
            complaints.append(f"The model {model.name} has no score: its card.json lacks measured numbers.")
    read.sort(key=lambda one: -one[0][0].accuracy)
    return [interval for found, _ in read for interval in found], pd.DataFrame([row for _, row in read]), complaints


def _read(model: StoredModel) -> tuple[list[AccuracyInterval], dict[str, Any]]:
    intervals = []
    row: dict[str, Any] = {"Model": model.title}
    for key, split in SPLITS.items():
        numbers = model.card["metrics"][key]["plain"]
        low, high = (float(bound) for bound in numbers["accuracy_interval"])
        intervals.append(AccuracyInterval(model.title, split, float(numbers["accuracy"]), low, high))
        row[f"{split} accuracy"] = f"{intervals[-1].accuracy * 100:.1f} %  ({low * 100:.1f} – {high * 100:.1f})"
        row[f"{split} macro F1"] = float(numbers["macro_f1"])
    parameters = model.card["parameters"]
    row["Parameters"] = None if parameters is None else int(parameters)
    row["Size"] = f"{model.size_bytes / 1e6:.1f} MB" if model.servable else "–"
    return intervals, row
