"""The style that the charts share: colours, font sizes, axes and legends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from fer_core.labels import COLORS, EXPRESSIONS

MODEL_COLORS: Final[tuple[str, ...]] = (
    "#7A6FD0", "#2A9D8F", "#C2577E", "#8C9A2B", "#B0703C", "#4C8BD6",
    "#5FA85B", "#9B59A6", "#D98C5F", "#5B8A99", "#C7A63C", "#A34A4A",
    "#CC9090", "#547854", "#A89C6C", "#786C9C",
)  # fmt: skip
"""Colours of models in their order, repeated after sixteen. None of them is the colour of an expression."""

FONT: Final = 14
"""Font size in pixels."""

INK: Final = "currentColor"
"""The text colour of the page in light and dark mode; Streamlit's theme leaves text marks black."""

ON_FILL: Final = "#16202B"
"""Text colour on a light fill."""

ACCENT: Final = "#7A6FD0"
"""Colour of a single series, readable in light and dark mode. It is not the colour of an expression."""

MUTED: Final = "#8A94A0"
"""Grey for guide lines and background series, visible in light and dark mode."""

NAME_ROOM: Final = 260
"""Width in pixels of a model's name in a legend."""

TITLES_IN_LINES: Final = "split(replace(datum.label, ' (', '|('), '|')"
"""Label expression for axes of models: puts the part in brackets on a second line, to save space on phones."""

DIVERGING: Final = ("#B2560D", "#EDEDED", "#084C7F")
"""Colours of negative, zero and positive differences."""

EXPRESSION_SCALE: Final = alt.Scale(domain=list(EXPRESSIONS), range=[COLORS[name] for name in EXPRESSIONS])
"""Colours of the seven expressions."""


def model_color(models: Sequence[str], legend: bool = True, shown: Sequence[str] | None = None) -> alt.Color:
    """Return the colour encoding of the field `model`.

    Args:
        models: titles in the order of their colours.
        legend: whether the chart has a legend.
        shown: models in the legend; default: all.
    """
    colors = [MODEL_COLORS[index % len(MODEL_COLORS)] for index in range(len(models))]
    return alt.Color(
        "model:N",
        scale=alt.Scale(domain=list(models), range=colors),
        sort=list(models),
        legend=model_legend(models if shown is None else shown) if legend else None,
    )


def model_legend(models: Sequence[str]) -> alt.Legend:
    """Return a legend above the chart with as many columns as fit: one on a phone."""
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
"""Sizing for charts with a `model_legend`: the height does not include the legend."""


def model_key(models: Sequence[str], shown: Sequence[str] | None = None) -> alt.Chart:
    """Return a legend of models without a chart, for several charts side by side.

    Args:
        models: titles in the order of their colours.
        shown: models in the legend; default: all.
    """
    names = pd.DataFrame({"model": list(models if shown is None else shown)})
    drawn = alt.Chart(names, height=1, autosize=PLOT_HEIGHT, view=alt.ViewBackground(stroke=None))
    return drawn.mark_point(filled=True, size=0, opacity=1).encode(
        color=model_color(models, shown=list(names["model"]))
    )


def model_axis(**changes: Any) -> alt.Axis:
    """Return an axis of models' titles without ticks; `changes` are properties of the axis that override the usual."""
    usual = {
        "title": None, "labelExpr": TITLES_IN_LINES, "labelOverlap": False, "labelFontSize": FONT, "labelLimit": 190,
        "labelFlush": False, "ticks": False, "domain": False, "labelPadding": 8,
    }  # fmt: skip
    return alt.Axis(**{**usual, **changes})


def axis(title: str | None, percent: bool = True) -> alt.Axis:
    """Return an axis with large labels, as percentages by default."""
    if percent:
        return alt.Axis(title=title, format=".0%", labelFontSize=FONT, titleFontSize=FONT, tickCount=5)
    return alt.Axis(title=title, labelFontSize=FONT, titleFontSize=FONT, tickCount=5)


def expression_axis(font: int, room: int = 84, color: Any = INK) -> alt.Y:
    """Return the vertical axis of the field `expression`; `room` is the width of the labels in pixels."""
    axis = alt.Axis(
        title=None, labelFontSize=font, labelColor=color, labelPadding=8, ticks=False, domain=False, minExtent=room
    )
    return alt.Y("expression:N", sort=list(EXPRESSIONS), axis=axis)


def percent_text(share: float) -> str:
    """Return a share as whole percent, "< 1 %" for small ones."""
    return "< 1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")
