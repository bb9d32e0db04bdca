"""The charts of a report: each with a name, a description, and a figure for wide and for narrow screens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fer_core import figures
from fer_core.columns import YARDSTICKS
from fer_core.faces import DEGRADATIONS
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.robustness import robustness_curves
from fer_core.metrics.curves import curves_of
from fer_core.metrics.paper import paper_marks
from fer_core.metrics.significance import LEVEL, both_ways
from fer_core.report.contents import Report


@dataclass(frozen=True, eq=False)
class Chart:
    """One chart of a report.

    Attributes:
        name: what it shows, of letters, digits, `_` and `-`; unique in a report. Its pictures have this name.
        description: alternative text.
        draw: returns the figure, for a phone with `narrow=True` if the chart adapts.
        adapts: whether the figure for narrow screens is another one.
        heading: above the chart; empty for none.
        width: of a picture in pixels.
    """

    name: str
    description: str
    draw: Callable[..., go.Figure]
    adapts: bool = True
    heading: str = ""
    width: int = 1040


def all_charts(report: Report) -> list[Chart]:
    """Return every chart of a report in its order."""
    parts = (ranking, by_expression, roc_and_pr, reliability, robustness, significance, confusion, training, paper)
    return [chart for part in parts for chart in part(report)]


def ranking(report: Report) -> Iterator[Chart]:
    """Yield the accuracy of every model."""
    board = report.tables["scoreboard"]
    best, by = board.iloc[0], YARDSTICKS[report.answers.by]
    yield Chart(
        "accuracy",
        f"Accuracy of {len(board)} models with 95 % intervals; best by {by}: {best['model']}, {best['accuracy']:.3f}",
        partial(figures.ranking, board, "accuracy", "Accuracy"),
        adapts=False,
    )


def by_expression(report: Report) -> Iterator[Chart]:
    """Yield F1 of every model and expression."""
    table = report.tables["class_f1"]
    hardest = table.groupby("expression")["f1"].mean().idxmin()
    yield Chart(
        "f1-by-expression",
        f"F1 by expression of each model with 95 % intervals; lowest for {hardest}",
        partial(figures.class_scores, table, **_models(report, table)),
    )


def roc_and_pr(report: Report) -> Iterator[Chart]:
    """Yield the curves of each expression that has them."""
    points, curves = report.tables["thresholds"], report.tables["curves"]
    for expression in EXPRESSIONS:
        roc, pr = curves_of(curves, "roc", expression), curves_of(curves, "pr", expression)
        if roc.empty or pr.empty:
            continue
        at = points[(points["expression"] == expression) & (points["threshold"] == 0.5)]
        yield Chart(
            f"roc-pr-{expression}",
            f"ROC and precision-recall curves for {expression}; areas {_range(roc['area'])} and {_range(pr['area'])}",
            partial(figures.roc_pr_chart, roc, pr, at, **_models(report, roc)),
            heading=expression.capitalize(),
        )


def reliability(report: Report) -> Iterator[Chart]:
    """Yield the reliability diagram of every model."""
    bins, table = report.tables["reliability"], report.tables["calibration"]
    yield Chart(
        "reliability",
        f"Reliability diagram of each model; calibration errors {_range(table['ece'])}",
        partial(figures.reliability_chart, bins, **_models(report, bins)),
    )


def robustness(report: Report) -> Iterator[Chart]:
    """Yield the accuracy on degraded faces, if it was measured."""
    table = report.tables["robustness"]
    if table.empty:
        return
    kinds = {kind: one.title for kind, one in DEGRADATIONS.items()}
    yield Chart(
        "robustness",
        f"Accuracy of {table['model'].nunique()} models on degraded faces: {', '.join(kinds.values()).lower()}",
        partial(
            figures.robustness_chart,
            {kind: robustness_curves(table, kind) for kind in DEGRADATIONS},
            {kind: (one.title, one.unit) for kind, one in DEGRADATIONS.items()},
            **_models(report, table),
        ),
    )


def significance(report: Report) -> Iterator[Chart]:
    """Yield the differences of all pairs, if there are two models."""
    table = report.tables["pairs"]
    if table.empty:
        return
    significant = int((table["p_holm"] < LEVEL).sum())
    yield Chart(
        "significance",
        f"Differences in accuracy of every pair; {significant} of {len(table)} significant",
        partial(figures.pair_matrix, both_ways(table), report.ranked),
    )


def confusion(report: Report) -> Iterator[Chart]:
    """Yield the confusion matrix of each model."""
    table, board = report.tables["confusion"], report.tables["scoreboard"]
    for name, model in zip(board["name"], board["model"], strict=True):
        cells = table[table["name"] == name]
        wrong = cells[cells["actual"] != cells["predicted"]].sort_values("rate", na_position="first").iloc[-1]
        yield Chart(
            "confusion-" + re.sub(r"[^a-z0-9_-]", "", name),
            f"Confusion of {model}; most often, {wrong['actual']} is taken for {wrong['predicted']}: "
            f"{wrong['rate']:.0%} of its faces",
            partial(figures.confusion_chart, cells, "rates"),
            adapts=False,
            heading=model,
            width=560,
        )


def training(report: Report) -> Iterator[Chart]:
    """Yield the training curves, if there are some."""
    table = report.tables["training"]
    if table.empty:
        return
    yield Chart(
        "training",
        f"Accuracy and loss over the epochs of training of {table['model'].nunique()} models",
        partial(figures.training_chart, table, **_models(report, table)),
    )


def paper(report: Report) -> Iterator[Chart]:
    """Yield the paper's accuracies beside ours."""
    table = report.tables["paper"]
    measured = table.dropna(subset=["accuracy_measured"])["variant"].nunique()
    yield Chart(
        "paper-accuracy",
        f"Accuracy of the paper’s {table['variant'].nunique()} variants as reported; {measured} of them measured here",
        partial(figures.paper_chart, paper_marks(table, "accuracy"), "Accuracy"),
        adapts=False,
    )


def _models(report: Report, table: pd.DataFrame) -> dict[str, Any]:
    """Return the order of the models' colours, and those of the table to show at first; None for all."""
    front = [model for model in report.front if model in set(table["model"])]
    return {"models": report.titles, "front": front or None}


def _range(values: Iterable[float]) -> str:
    values = list(values)
    return f"{min(values):.3f} to {max(values):.3f}"
