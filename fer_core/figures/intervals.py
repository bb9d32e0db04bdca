"""Dot-and-whisker chart of accuracies with their intervals, models below each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from fer_core.figures.models import TITLES_IN_LINES

FONT = 15
INK = "currentColor"  # the page's own text colour, in light and dark
SPLIT_COLORS = ("#7A6FD0", "#2A9D8F")
"""Of the first and the second split: none of the seven expressions' colours; the shapes differ too."""

SHAPES = ("circle", "diamond")


@dataclass(frozen=True)
class AccuracyInterval:
    """One measured accuracy.

    Attributes:
        model: the title that people read.
        split: what it was measured on, in words.
        accuracy: 0 to 1.
        low, high: the 95 % interval.
    """

    model: str
    split: str
    accuracy: float
    low: float
    high: float


def accuracy_intervals(
    measured: Sequence[AccuracyInterval], references: Mapping[str, float] | None = None
) -> alt.LayerChart:
    """Return a dot and a whisker for each measured accuracy, with dashed lines at known results.

    Args:
        measured: one row a model and split; models and splits keep their order.
        references: `{what it is: accuracy}`, each a dashed line with its words.

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
    room = max(0.02, 0.35 * (high - low))  # for the words right of the last whisker
    domain = (max(0.0, low - 0.02), high + room)
    scale = alt.Scale(domain=list(domain), nice=False, zero=False)
    base = alt.Chart(table).encode(
        y=alt.Y(
            "model:N",
            sort=models,
            title=None,
            axis=alt.Axis(labelExpr=TITLES_IN_LINES, labelFontSize=FONT, labelColor=INK, labelLimit=220, ticks=False),
        ),
        yOffset=alt.YOffset("split:N", sort=splits),
        color=alt.Color(
            "split:N",
            scale=alt.Scale(domain=splits, range=list(SPLIT_COLORS[: len(splits)])),
            legend=alt.Legend(title=None, orient="top", columns=1, labelFontSize=FONT, labelColor=INK, symbolSize=140),
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
        format=".0%", title="Accuracy", tickMinStep=0.01, tickCount=6, labelFontSize=FONT, titleFontSize=FONT
    )
    whiskers = base.mark_rule(strokeWidth=4, strokeCap="round").encode(
        x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=190, opacity=1).encode(
        x=alt.X("accuracy:Q", scale=scale),
        shape=alt.Shape("split:N", scale=alt.Scale(domain=splits, range=list(SHAPES[: len(splits)])), legend=None),
    )
    words = base.mark_text(align="left", dx=8, fontSize=FONT, fontWeight="bold").encode(
        x=alt.X("high:Q", scale=scale), text="words:N"
    )
    layers = [*_reference_lines(lines, scale, sum(domain) / 2), whiskers, dots, words]
    return alt.LayerChart(layer=layers, height=174 + 74 * len(models))


def _reference_lines(lines: Mapping[str, float], scale: alt.Scale, middle: float) -> list[alt.Chart]:
    """Dashed lines with words above them, on the side where there is more room."""
    if not lines:
        return []
    table = pd.DataFrame({"what": list(lines), "accuracy": list(lines.values())})
    base = alt.Chart(table).encode(x=alt.X("accuracy:Q", scale=scale))
    rule = base.mark_rule(strokeDash=[6, 5], strokeWidth=2, color="#8A94A0").encode(
        tooltip=[alt.Tooltip("what:N"), alt.Tooltip("accuracy:Q", format=".1%")]
    )
    text: dict[str, Any] = {"dy": -2, "baseline": "bottom", "color": INK, "fontSize": FONT - 2}
    words = [
        base.transform_filter(f"datum.accuracy <= {middle}").mark_text(align="left", dx=6, **text),
        base.transform_filter(f"datum.accuracy > {middle}").mark_text(align="right", dx=-6, **text),
    ]
    words = [part.encode(y=alt.value(0), text="what:N") for part in words]
    return [rule, *words]
