"""Colours of models: none of the seven expressions' colours, and legible on light and on dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

MODEL_COLORS: Final[tuple[str, ...]] = (
    "#7A6FD0", "#2A9D8F", "#C2577E", "#8C9A2B", "#B0703C", "#4C8BD6",
    "#5FA85B", "#9B59A6", "#D98C5F", "#5B8A99", "#C7A63C", "#A34A4A",
    "#CC9090", "#547854", "#A89C6C", "#786C9C",
)  # fmt: skip
"""By order, again from the start after sixteen; charts say the name too."""

FONT: Final = 14

ACCENT: Final = "#7A6FD0"
"""Of what is shown alone: legible on light and on dark, none of the expressions' colours."""

MUTED: Final = "#8A94A0"
"""Of guides and of what stands back: grey that shows on light and on dark."""

NAME_ROOM: Final = 260
"""Pixels for a model's name in a legend."""

TITLES_IN_LINES: Final = "split(replace(datum.label, ' (', '|('), '|')"
"""For axes of models: what stands in brackets behind a title goes below it, so that phones have room for the data."""


def model_color(models: Sequence[str], legend: bool = True, shown: Sequence[str] | None = None) -> alt.Color:
    """Return the colour encoding of a chart's field `model`, one colour a model in their order.

    Args:
        models: in the order of their colours.
        legend: whether the chart names them.
        shown: those that it names; default: all.
    """
    colors = [MODEL_COLORS[index % len(MODEL_COLORS)] for index in range(len(models))]
    return alt.Color(
        "model:N",
        scale=alt.Scale(domain=list(models), range=colors),
        sort=list(models),
        legend=model_legend(models if shown is None else shown) if legend else None,
    )


def model_legend(models: Sequence[str]) -> alt.Legend:
    """Return a legend above the chart, in as many columns as long names have room for: one on a phone."""
    columns = f"max(1, floor(width / {NAME_ROOM}))"
    return alt.Legend(
        title=None,
        values=list(models),
        orient="top",
        columns=alt.ExprRef(columns),
        labelFontSize=FONT,
        labelLimit=alt.ExprRef(f"max({NAME_ROOM}, width / {columns}) - 20"),
        symbolSize=90,
        rowPadding=3,
        symbolType="circle",
    )


PLOT_HEIGHT: Final = alt.AutoSizeParams(type="fit-x", contains="padding")
"""Sizing of charts with a `model_legend`: their height is the plot's alone, however long the legend grows."""


def model_key(models: Sequence[str], shown: Sequence[str] | None = None) -> alt.Chart:
    """Return the models' colours and names alone: one legend for charts that stand beside one another.

    Args:
        models: in the order of their colours.
        shown: those that the charts show; default: all.
    """
    names = pd.DataFrame({"model": list(models if shown is None else shown)})
    drawn = alt.Chart(names, height=1, autosize=PLOT_HEIGHT, view=alt.ViewBackground(stroke=None))
    return drawn.mark_point(filled=True, size=0, opacity=1).encode(
        color=model_color(models, shown=list(names["model"]))
    )


def model_axis(**changes: Any) -> alt.Axis:
    """Return an axis of models' titles, in full and without ticks.

    Args:
        changes: further properties of the axis, or others than these.
    """
    usual = {
        "title": None, "labelExpr": TITLES_IN_LINES, "labelOverlap": False, "labelFontSize": FONT, "labelLimit": 190,
        "labelFlush": False, "ticks": False, "domain": False, "labelPadding": 8,
    }  # fmt: skip
    return alt.Axis(**{**usual, **changes})


def axis(title: str | None, percent: bool = True) -> alt.Axis:
    """Return an axis with large words, and percentages unless asked otherwise."""
    if percent:
        return alt.Axis(title=title, format=".0%", labelFontSize=FONT, titleFontSize=FONT, tickCount=5)
    return alt.Axis(title=title, labelFontSize=FONT, titleFontSize=FONT, tickCount=5)
