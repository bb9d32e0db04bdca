"""Scores of models with their 95 % intervals, as dots with whiskers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.theme import (
    ACCENT,
    FONT,
    MUTED,
    axis,
    category_axis,
    chart,
    expression_axis,
    in_lines,
    legend,
    legend_height,
    listed,
    model_styles,
    safe,
)
from fer_core.labels import EXPRESSIONS

ROW: Final = 44
SPLIT_COLORS: Final = ("#7A6FD0", "#2A9D8F")
SPLIT_SYMBOLS: Final = ("circle", "diamond")
"""Of the first and the second split."""

SOURCES: Final = ("reported", "measured here")


@dataclass(frozen=True)
class AccuracyInterval:
    """An accuracy with its 95 % interval.

    Attributes:
        model: title of the model.
        split: name of the split.
        accuracy: 0 to 1.
        low, high: ends of the interval.
    """

    model: str
    split: str
    accuracy: float
    low: float
    high: float


def accuracy_intervals(
    measured: Sequence[AccuracyInterval], references: Mapping[str, float] | None = None
) -> go.Figure:
    """Return a dot and a whisker for each accuracy, with dashed lines at reference values.

    Args:
        measured: one for each model and split; models and splits keep their order.
        references: label to accuracy, a dashed line each.

    Raises:
        ValueError: nothing is measured.
    """
    if not measured:
        raise ValueError("Expected at least one measured accuracy. Received: none")
    table = pd.DataFrame([row.__dict__ for row in measured])
    models, splits = list(dict.fromkeys(table["model"])), list(dict.fromkeys(table["split"]))
    lines = dict(references or {})
    traces = []
    for place, split in enumerate(splits):
        part = table[table["split"] == split]
        traces.append(
            _dots(
                part["accuracy"],
                [models.index(model) + (place - (len(splits) - 1) / 2) * 0.42 for model in part["model"]],
                part["low"],
                part["high"],
                SPLIT_COLORS[place % 2],
            )
            | {"name": safe(split), "hovertemplate": _hover("accuracy", ".1%")}
            | _named(part["model"], part["low"], part["high"])
        )
        traces[-1]["marker"]["symbol"] = SPLIT_SYMBOLS[place % 2]
        traces.append(_values(part["accuracy"], traces[-1]["y"], part["high"], ".1%") | {"legendgroup": safe(split)})
        traces[-2]["legendgroup"] = safe(split)
    ends = [*table["low"], *table["high"], *lines.values()]
    across = axis("Accuracy", range=_room(min(ends), max(ends)))
    rows = axis(
        None,
        range=[len(models) - 0.4, -0.6],
        tickvals=list(range(len(models))),
        ticktext=[in_lines(model) for model in models],
        showgrid=False,
        fixedrange=True,
        automargin=True,
    )
    return chart(
        traces,
        120 + 74 * len(models),
        xaxis=across,
        yaxis=rows,
        showlegend=True,
        legend=legend(columns_fit=False),
        **_references(lines, sum(across["range"]) / 2),
    )


def ranking(table: pd.DataFrame, metric: str, title: str, ascending: bool = False) -> go.Figure:
    """Return a dot and a 95 % whisker for each model, the best on top.

    Args:
        table: columns `model`, the metric, and the metric with `_low` and `_high`.
        metric: name of the column.
        title: of the metric.
        ascending: whether lower is better.
    """
    low, high = f"{metric}_low", f"{metric}_high"
    shown = table[["model", metric, low, high]].sort_values(metric, ascending=ascending, kind="stable")
    models = list(shown["model"])
    dots = _dots(shown[metric], models, shown[low], shown[high], ACCENT) | {"hovertemplate": _hover(title, ".4f")}
    ends = [*shown[low], *shown[high]]
    return chart(
        [dots | _named(shown["model"], shown[low], shown[high]), _values(shown[metric], models, shown[high], ".3f")],
        100 + ROW * len(models),
        xaxis=axis(f"{title} with 95 % interval", tickformat=".2f", range=_room(min(ends), max(ends))),
        yaxis=category_axis(models, ticktext=[in_lines(model) for model in models]),
        uirevision=metric,  # another metric has another range
    )


def class_scores(
    table: pd.DataFrame,
    models: Sequence[str] | None = None,
    front: Collection[str] | None = None,
    narrow: bool = False,
) -> go.Figure:
    """Return F1 by expression as a dot with a 95 % whisker for each model.

    Args:
        table: columns `model`, `expression`, `f1`, `low`, `high` (NaN for none); models keep their order.
        models: titles in the order of their colours; default: those of the table.
        front: models that are shown at first; the others appear on a click in the legend. None for all.
        narrow: whether the screen is as narrow as a phone.
    """
    drawn = list(dict.fromkeys(table["model"]))
    styles = model_styles(drawn, models)
    traces = []
    for model in drawn:
        part = table[table["model"] == model].set_index("expression").reindex(EXPRESSIONS)
        dots = _dots(part["f1"], EXPRESSIONS, part["low"], part["high"], styles[model].color, width=2.5)
        dots["marker"] |= {"symbol": styles[model].symbol, "size": 11}
        traces.append(
            dots
            | {
                "name": safe(model),
                "orientation": "h",
                **listed(model, front),
                "hovertemplate": _hover("F1", ".3f"),
            }
            | _named([model] * len(EXPRESSIONS), part["low"], part["high"])
        )
    at_first = len([trace for trace in traces if trace["visible"] is True])
    bands = [
        {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": row - 0.5, "y1": row + 0.5, "layer": "below",
         "line": {"width": 0}, "fillcolor": MUTED, "opacity": 0.1}
        for row in range(0, len(EXPRESSIONS), 2)
    ]  # fmt: skip
    return chart(
        traces,
        100 + len(EXPRESSIONS) * max(54, 15 * at_first) + legend_height(len(drawn), narrow),
        xaxis=axis("F1 with 95 % interval", tickformat=".1f", range=[0, 1]),
        yaxis=expression_axis(FONT + 1),
        scattermode="group",
        scattergap=0.15,
        shapes=bands,
        showlegend=True,
        legend=legend(),
    )


def paper_chart(marks: pd.DataFrame, metric: str) -> go.Figure:
    """Return the reported and the measured values of one metric for each variant.

    Args:
        marks: columns `title` (of the variant), `source` (one of `SOURCES`), `where`, `value`, `low`, `high` (NaN
            where reported).
        metric: its name for people.
    """
    variants = list(dict.fromkeys(marks["title"]))
    traces = []
    for source, color, symbol in zip(SOURCES, (MUTED, ACCENT), ("circle-open", "diamond"), strict=True):
        part = marks[marks["source"] == source]
        dots = _dots(part["value"], part["title"], part["low"], part["high"], color) | {"name": source}
        dots["marker"] |= {"symbol": symbol, "line": {"width": 3, "color": color}}
        dots["customdata"] = part["where"].map(safe)
        dots["hovertemplate"] = f"%{{y}}: {safe(metric)} %{{x:.4f}}<br>%{{customdata}}<extra></extra>"
        traces.append(dots)
    return chart(
        traces,
        120 + 40 * len(variants),
        xaxis=axis(metric, tickformat=".2f"),
        yaxis=category_axis(variants, ticktext=[in_lines(variant) for variant in variants]),
        showlegend=True,
        legend=legend(columns_fit=False),
        uirevision=metric,
    )


def _dots(values: Any, rows: Any, low: Any, high: Any, color: str, width: float = 4) -> dict[str, Any]:
    """Return dots at `values` with whiskers from `low` to `high`; NaN for none."""
    middle, left, right = (np.asarray(part, dtype=np.float64) for part in (values, low, high))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": middle,
        "y": list(rows),
        "marker": {"color": color, "size": 14},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": np.nan_to_num(right - middle),
            "arrayminus": np.nan_to_num(middle - left),
            "color": color,
            "thickness": width,
            "width": 0,
        },
    }


def _named(models: Any, low: Any, high: Any) -> dict[str, Any]:
    return {"customdata": [(safe(m), a, b) for m, a, b in zip(models, low, high, strict=True)]}


def _hover(title: str, number: str) -> str:
    return (
        f"<b>%{{customdata[0]}}</b><br>{safe(title)} %{{x:{number}}}<br>95 % interval "
        f"%{{customdata[1]:{number}}} to %{{customdata[2]:{number}}}<extra></extra>"
    )


def _values(values: Any, rows: Any, ends: Any, number: str) -> dict[str, Any]:
    """Return the numbers as text to the right of the whiskers."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": list(ends),
        "y": list(rows),
        "text": [f"  <b>{format(value, number).replace('%', ' %')}</b>" for value in values],
        "textposition": "middle right",
        "textfont": {"size": FONT},
        "cliponaxis": False,  # on a phone the last digits may stand in the margin
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _room(low: float, high: float) -> list[float]:
    """Return the range of an axis with space for a number to the right of the last whisker."""
    room = max(0.02, 0.4 * (high - low))
    return [max(0.0, low - room / 4), high + room]


def _references(lines: Mapping[str, float], middle: float) -> dict[str, Any]:
    """Return dashed lines with labels, each label on the side with more room."""
    rules = [
        {"type": "line", "x0": value, "x1": value, "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
         "line": {"color": MUTED, "width": 2, "dash": "dash"}}
        for value in lines.values()
    ]  # fmt: skip
    words = [
        {"text": safe(name), "x": value, "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False,
         "xanchor": "left" if value <= middle else "right", "font": {"size": FONT - 1}}
        for name, value in lines.items()
    ]  # fmt: skip
    return {"shapes": rules, "annotations": words}
