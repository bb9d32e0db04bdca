"""Scores of models with their 95 % intervals, as dots with whiskers or as bars."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt
import pandas as pd

from fer_core.figures.style import (
    ACCENT,
    FONT,
    INK,
    MUTED,
    PLOT_HEIGHT,
    TITLES_IN_LINES,
    axis,
    model_axis,
    model_color,
)
from fer_core.labels import EXPRESSIONS

ROW: Final = 40
BAR: Final = 13
LARGE: Final = FONT + 1

SPLIT_COLORS: Final = ("#7A6FD0", "#2A9D8F")
SHAPES: Final = ("circle", "diamond")
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
) -> alt.LayerChart:
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
    table["words"] = [f"{row.accuracy:.1%}".replace("%", " %") for row in measured]
    models, splits = list(dict.fromkeys(table["model"])), list(dict.fromkeys(table["split"]))
    lines = dict(references or {})
    low = min([row.low for row in measured] + list(lines.values()))
    high = max([row.high for row in measured] + list(lines.values()))
    room = max(0.02, 0.35 * (high - low))  # for the text to the right of the last whisker
    domain = (max(0.0, low - 0.02), high + room)
    scale = alt.Scale(domain=list(domain), nice=False, zero=False)
    base = alt.Chart(table).encode(
        y=alt.Y(
            "model:N",
            sort=models,
            title=None,
            axis=alt.Axis(labelExpr=TITLES_IN_LINES, labelFontSize=LARGE, labelColor=INK, labelLimit=220, ticks=False),
        ),
        yOffset=alt.YOffset("split:N", sort=splits),
        color=alt.Color(
            "split:N",
            scale=alt.Scale(domain=splits, range=list(SPLIT_COLORS[: len(splits)])),
            legend=alt.Legend(title=None, orient="top", columns=1, labelFontSize=LARGE, labelColor=INK, symbolSize=140),
        ),
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("split:N"),
            alt.Tooltip("accuracy:Q", format=".1%"),
            alt.Tooltip("low:Q", format=".1%", title="95 % interval from"),
            alt.Tooltip("high:Q", format=".1%", title="to"),
        ],
    )
    axis = alt.Axis(
        format=".0%", title="Accuracy", tickMinStep=0.01, tickCount=6, labelFontSize=LARGE, titleFontSize=LARGE
    )
    whiskers = base.mark_rule(strokeWidth=4, strokeCap="round").encode(
        x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=190, opacity=1).encode(
        x=alt.X("accuracy:Q", scale=scale),
        shape=alt.Shape("split:N", scale=alt.Scale(domain=splits, range=list(SHAPES[: len(splits)])), legend=None),
    )
    words = base.mark_text(align="left", dx=8, fontSize=LARGE, fontWeight="bold").encode(
        x=alt.X("high:Q", scale=scale), text="words:N"
    )
    layers = [*_reference_lines(lines, scale, sum(domain) / 2), whiskers, dots, words]
    return alt.LayerChart(layer=layers, height=174 + 74 * len(models))


def ranking(table: pd.DataFrame, metric: str, title: str, ascending: bool = False) -> alt.LayerChart:
    """Return a dot and a 95 % whisker for each model, the best on top.

    Args:
        table: columns `model`, the metric, and the metric with `_low` and `_high`.
        metric: name of the column.
        title: of the metric.
        ascending: whether lower is better.
    """
    low, high = f"{metric}_low", f"{metric}_high"
    shown = table[["model", metric, low, high]].sort_values(metric, ascending=ascending, kind="stable")
    shown = shown.assign(words=[f"{value:.3f}" for value in shown[metric]])
    room = 0.25 * float(shown[high].max() - shown[low].min()) + 0.005
    scale = alt.Scale(
        domain=[max(0.0, float(shown[low].min()) - room / 3), min(1.0, float(shown[high].max()) + room)],
        nice=False,
        zero=False,
    )
    rows = alt.Y("model:N", sort=list(shown["model"]), axis=model_axis())
    base = alt.Chart().encode(y=rows, tooltip=_tooltip(metric, title, low, high))
    across = alt.X(f"{low}:Q", scale=scale, axis=alt.Axis(
        title=f"{title} with 95 % interval", format=".2f", labelFontSize=FONT, titleFontSize=FONT, tickCount=6
    ))  # fmt: skip
    whiskers = base.mark_rule(strokeWidth=4, strokeCap="round", color=ACCENT, opacity=0.55).encode(
        x=across, x2=f"{high}:Q"
    )
    dots = base.mark_point(filled=True, size=170, opacity=1, color=ACCENT).encode(x=alt.X(f"{metric}:Q", scale=scale))
    words = base.mark_text(align="left", dx=8, fontSize=FONT, fontWeight="bold", color=ACCENT).encode(
        x=alt.X(f"{high}:Q", scale=scale), text="words:N"
    )
    return alt.LayerChart(layer=[whiskers, dots, words], data=shown, height=60 + ROW * len(shown))


def class_bars(table: pd.DataFrame, height: int = BAR) -> alt.LayerChart:
    """Return F1 by expression as groups of bars, one bar for each model, with 95 % whiskers.

    Args:
        table: columns `model`, `expression`, `f1`, `low`, `high` (NaN for none); models keep their order.
        height: of a bar in pixels.
    """
    models = list(dict.fromkeys(table["model"]))
    # Each bar has a band of its own, because a whisker in a band with an offset is not centred on its bar.
    places = [[f"{expression}|{k}" for k in range(len(models))] for expression in EXPRESSIONS]
    middles = [group[(len(models) - 1) // 2] for group in places if group]
    rows = alt.Y(
        "place:N",
        scale=alt.Scale(
            domain=[place for group in places for place in [*group, f"{group[0]}|after"]], paddingInner=0.12
        ),
        axis=alt.Axis(
            title=None,
            labelExpr=f"indexof({json.dumps(middles)}, datum.value) < 0 ? '' : split(datum.value, '|')[0]",
            labelFontSize=FONT + 1,
            labelOverlap=False,
            ticks=False,
            domain=False,
            labelPadding=8,
        ),
    )
    table = table.assign(place=[f"{e}|{models.index(m)}" for e, m in zip(table.expression, table.model, strict=True)])
    tooltip = [
        alt.Tooltip("model:N"),
        alt.Tooltip("expression:N"),
        alt.Tooltip("f1:Q", format=".3f", title="F1"),
        alt.Tooltip("low:Q", format=".3f", title="95 % interval from"),
        alt.Tooltip("high:Q", format=".3f", title="to"),
    ]
    unit = alt.Scale(domain=[0, 1])
    base = alt.Chart().encode(y=rows, tooltip=tooltip)
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        x=alt.X("f1:Q", scale=unit, axis=axis("F1 with 95 % interval", percent=False)),
        color=model_color(models),
    )
    whiskers = (
        base.mark_rule(strokeWidth=2, color=MUTED)
        .transform_filter("isValid(datum.low)")
        .encode(x=alt.X("low:Q", scale=unit), x2="high:Q")
    )
    total = (height + 2) * (len(models) + 1) * len(EXPRESSIONS)
    return alt.LayerChart(layer=[bars, whiskers], data=table, height=total, autosize=PLOT_HEIGHT)


def paper_chart(marks: pd.DataFrame, title: str) -> alt.LayerChart:
    """Return the reported and the measured values of one metric for each variant.

    Args:
        marks: columns `variant`, `source` (one of `SOURCES`), `where`, `value`, `low`, `high` (NaN where reported).
        title: of the metric.
    """
    variants = list(dict.fromkeys(marks["variant"]))
    base = alt.Chart().encode(
        y=alt.Y("variant:N", sort=variants, axis=model_axis()),
        tooltip=[
            alt.Tooltip("variant:N"),
            alt.Tooltip("where:N", title="source"),
            alt.Tooltip("value:Q", format=".4f", title=title),
        ],
    )
    across = alt.X(
        "value:Q",
        scale=alt.Scale(zero=False, padding=16),
        axis=alt.Axis(title=title, format=".2f", labelFontSize=FONT, titleFontSize=FONT, tickCount=6),
    )
    color = alt.Color(
        "source:N",
        scale=alt.Scale(domain=list(SOURCES), range=[MUTED, ACCENT]),
        legend=alt.Legend(title=None, orient="top", labelFontSize=FONT, symbolSize=140),
    )
    whiskers = (
        base.mark_rule(strokeWidth=4, strokeCap="round", opacity=0.55)
        .transform_filter("isValid(datum.low)")
        .encode(x=alt.X("low:Q", scale=alt.Scale(zero=False, padding=16)), x2="high:Q", color=color)
    )
    dots = base.mark_point(size=170, strokeWidth=3, opacity=1).encode(
        x=across,
        color=color,
        shape=alt.Shape("source:N", scale=alt.Scale(domain=list(SOURCES), range=["circle", "diamond"])),
        fill=alt.when(alt.datum.source == SOURCES[1]).then(alt.value(ACCENT)).otherwise(alt.value("transparent")),
    )
    return alt.LayerChart(layer=[whiskers, dots], data=marks, height=70 + 36 * len(variants))


def _reference_lines(lines: Mapping[str, float], scale: alt.Scale, middle: float) -> list[alt.Chart]:
    """Return dashed lines with labels, each on the side with more room."""
    if not lines:
        return []
    table = pd.DataFrame({"what": list(lines), "accuracy": list(lines.values())})
    base = alt.Chart(table).encode(x=alt.X("accuracy:Q", scale=scale))
    rule = base.mark_rule(strokeDash=[6, 5], strokeWidth=2, color=MUTED).encode(
        tooltip=[alt.Tooltip("what:N"), alt.Tooltip("accuracy:Q", format=".1%")]
    )
    text: dict[str, Any] = {"dy": -2, "baseline": "bottom", "color": INK, "fontSize": LARGE - 2}
    words = [
        base.transform_filter(f"datum.accuracy <= {middle}").mark_text(align="left", dx=6, **text),
        base.transform_filter(f"datum.accuracy > {middle}").mark_text(align="right", dx=-6, **text),
    ]
    words = [part.encode(y=alt.value(0), text="what:N") for part in words]
    return [rule, *words]


def _tooltip(metric: str, title: str, low: str, high: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("model:N"),
        alt.Tooltip(f"{metric}:Q", format=".4f", title=title),
        alt.Tooltip(f"{low}:Q", format=".4f", title="95 % interval from"),
        alt.Tooltip(f"{high}:Q", format=".4f", title="to"),
    ]
