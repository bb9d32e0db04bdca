"""Tidy tables of the scoreboard and of F1 by expression: one row a mark, plain columns, ready to draw or to save."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from fer_core.columns import METRICS
from fer_core.comparison.answers import Answers
from fer_core.evaluation import BootstrapIntervals, Metrics, bootstrap_intervals, evaluate
from fer_core.labels import EXPRESSIONS
from fer_core.store import StoredModel

Measured = dict[str, tuple[Metrics, BootstrapIntervals]]


def measure(answers: Answers) -> Measured:
    """Return metrics and 95 % intervals of every model; all models see the same resamples."""
    intervals = bootstrap_intervals(answers.labels, dict(answers.probabilities))
    return {name: (evaluate(answers.labels, values), intervals[name]) for name, values in answers.probabilities.items()}


def scoreboard(answers: Answers, measured: Measured, models: Sequence[StoredModel]) -> pd.DataFrame:
    """Return one row a model, the most accurate first.

    Returns:
        Columns `name`, `model`; for each of `METRICS` its value, `…_low` and `…_high` (95 % interval) and
        `…_interval` (the same in words); `ece`, `log_loss`, `size_bytes`, `parameters`, `trained`, `weights_from`,
        `faces`, `split`, `view`.
    """
    known = {model.name: model for model in models}
    rows = []
    for name in answers.names:
        metrics, intervals = measured[name]
        row: dict[str, object] = {"name": name, "model": answers.titles[name]}
        for metric in METRICS:
            interval = getattr(intervals, metric)
            row[metric] = getattr(metrics, metric)
            row[f"{metric}_low"], row[f"{metric}_high"] = interval.low, interval.high
            row[f"{metric}_interval"] = f"{interval.low:.3f} – {interval.high:.3f}"
        row |= {"ece": metrics.ece, "log_loss": metrics.log_loss}
        row |= _about(known.get(name))
        row |= {"faces": metrics.n, "split": answers.split, "view": answers.view}
        rows.append(row)
    return pd.DataFrame(rows).sort_values("accuracy", ascending=False, kind="stable", ignore_index=True)


def class_f1(answers: Answers, measured: Measured) -> pd.DataFrame:
    """Return F1 of each model and expression: columns `name`, `model`, `expression`, `f1`, `low`, `high`, `faces`,
    `precision`, `recall`."""
    rows = []
    for name in answers.names:
        metrics, intervals = measured[name]
        classes = metrics.per_class
        for index, expression in enumerate(EXPRESSIONS):
            rows.append(
                {
                    "name": name,
                    "model": answers.titles[name],
                    "expression": expression,
                    "f1": classes.f1[index],
                    "low": intervals.f1[expression].low,
                    "high": intervals.f1[expression].high,
                    "precision": classes.precision[index],
                    "recall": classes.recall[index],
                    "faces": int(classes.support[index]),
                }
            )
    return pd.DataFrame(rows)


def _about(model: StoredModel | None) -> dict[str, object]:
    if model is None:
        return {"size_bytes": None, "parameters": None, "trained": "fusion of models", "weights_from": "–"}
    card = model.card
    return {
        "size_bytes": model.size_bytes or None,
        "parameters": card.parameters,
        "trained": card.trained_part,
        "weights_from": card.weights_from,
    }
