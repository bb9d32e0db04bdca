"""The look that the charts share: template, axes, legends, colours, marks with whiskers, and text that is safe."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from itertools import cycle
from math import ceil
from textwrap import wrap
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
from numpy.typing import ArrayLike

from fer_core.columns import percent

FONT: Final = 15  # pixels, for axes, legends and numbers: readable from the last row of a lecture room
LARGE: Final = 18  # pixels, for what is read first: expressions and their percentages

INK: Final = "#000037"
"""Text colour: near black in the report. Streamlit puts the text colour of its light or dark theme in its place."""

TYPE: Final = {"size": FONT, "color": INK}
ACCENT: Final = "#7A6FD0"  # of a single series, readable in light and dark mode; no colour of an expression
MUTED: Final = "#8A94A0"  # grey for guide lines and background series, visible in light and dark mode
SEQUENTIAL: Final = ("rgba(11, 98, 164, 0.07)", "rgba(11, 98, 164, 1)")
DIVERGING: Final = ("rgba(178, 86, 13, 1)", "rgba(128, 128, 128, 0.14)", "rgba(11, 98, 164, 1)")
"""Of 0 and 1; of negative, zero and positive differences. The page shines through small numbers, light or dark."""

MODEL_COLORS: Final[tuple[str, ...]] = (
    "#7A6FD0", "#2A9D8F", "#C2577E", "#8C9A2B", "#B0703C", "#4C8BD6",
    "#5FA85B", "#9B59A6", "#D98C5F", "#5B8A99", "#C7A63C", "#A34A4A",
    "#CC9090", "#547854", "#A89C6C", "#786C9C",
)  # fmt: skip
"""Colours of models in their order, repeated after sixteen. None of them is the colour of an expression."""

DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "8px,3px,2px,3px")
SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up", "x", "star", "cross", "hexagon", "triangle-down")
"""Line dashes and marker shapes: so that colour is never the only difference."""

PERCENTAGES: Final = {"tickformat": ".0%", "labelalias": {f"{number}%": f"{number} %" for number in range(101)}}
"""Of the ticks of an axis or a colour bar: "66 %", with the space of all other texts."""

LEGEND_ENTRY: Final = 250  # width in pixels of one entry of a legend of models
LEGEND_LINE: Final = 24  # height in pixels of one line of a legend

_AXIS: Final = {"gridcolor": "#E1E6EC", "zeroline": False, "automargin": True}
_BELOW: Final = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xanchor": "left"}

TEMPLATE: Final = "fer_lab"
pio.templates[TEMPLATE] = go.layout.Template(
    layout={
        "font": {"family": "system-ui, sans-serif"},
        "paper_bgcolor": "#FFFFFF",
        "plot_bgcolor": "#FFFFFF",
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": "#FFFFFF", "align": "left", "namelength": -1},
        "showlegend": False,
        "legend": {**_BELOW, "itemsizing": "constant", "tracegroupgap": 0},
    }
)
"""What charts have in common. In the app, Streamlit's theme overrules a template in sizes and colours of type, margins
and grids. These are therefore set in each chart, by `chart`, `axis` and `with_legend`."""


def model_styles(drawn: Sequence[str], models: Sequence[str] | None = None) -> dict[str, tuple[str, str, str]]:
    """Return colour, dash and symbol of each model by its place in `models`, which all charts of a page share.

    Titles in `drawn`, those of a chart, that `models` lacks come after.
    """
    order = dict.fromkeys([*(models or ()), *drawn])
    return dict(zip(order, zip(cycle(MODEL_COLORS), cycle(DASHES), cycle(SYMBOLS), strict=False), strict=False))


def chart(traces: Sequence[Mapping[str, Any]], height: float, **layout: Any) -> go.Figure:
    """Return a figure of some height in pixels in the common style, to which `layout` is added."""
    common: dict[str, Any] = {
        "template": TEMPLATE,
        "height": height,
        "margin": {"l": 0, "r": 24, "t": 36, "b": 0},  # above: the mode bar; right: half of the last tick's label
        "font": TYPE,
        "hoverlabel": {"font": TYPE},
        "uirevision": "same",  # keep zoom and hidden models when data change
    }
    return go.Figure({"data": list(traces), "layout": common | layout})


def fitted(figure: go.Figure, *, height: int, times: float) -> go.Figure:
    """Return a copy of a chart of another height in pixels, with type and room for its legend `times` as large."""
    fonts = {"font", "tickfont", "textfont", "insidetextfont", "outsidetextfont"}

    def larger(part: Any, name: str) -> Any:
        if isinstance(part, dict):
            return {
                key: larger(value, "font size" if key == "size" and name in fonts else key)
                for key, value in part.items()
            }
        if isinstance(part, (list, tuple)) and part and isinstance(part[0], dict):
            return [larger(item, name) for item in part]
        return part * times if name in {"font size", "entrywidth"} and isinstance(part, (int, float)) else part

    content = {name: larger(part, name) for name, part in figure.to_plotly_json().items()}
    return go.Figure(content).update_layout(height=height)


def axis(title: str | None, **changes: Any) -> dict[str, Any]:
    """Return a numeric axis, as percentages unless `tickformat` says otherwise."""
    ticks = {"tickfont": TYPE, "nticks": 6, "showgrid": True, **PERCENTAGES}
    return {"title": {"text": title, "font": TYPE, "standoff": 12}} | ticks | changes


def category_axis(names: Sequence[str], font: int = FONT, **changes: Any) -> dict[str, Any]:
    """Return a vertical axis of names, the first on top; `changes` override its properties."""
    usual: dict[str, Any] = {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(names),
        "tickmode": "array",
        "tickvals": list(names),
        "tickfont": {"size": font, "color": INK},
        "title": {"text": None},
        "showgrid": False,
        "fixedrange": True,
    }
    return usual | ({} if "range" in changes else {"autorange": "reversed"}) | changes


def hidden_axis(low: float, high: float, **changes: Any) -> dict[str, Any]:
    """Return an axis from `low` to `high` that is not drawn and not zoomed."""
    return {"visible": False, "range": [low, high], "fixedrange": True} | changes


def with_legend(columns_fit: bool = False) -> dict[str, Any]:
    """Return the layout of a chart with a legend below it; `columns_fit` gives entries one width, as titles need."""
    legend: dict[str, Any] = {"font": TYPE, "title": {"text": ""}}
    return {"showlegend": True, "legend": legend | ({"entrywidth": LEGEND_ENTRY} if columns_fit else {})}


def legend_height(entries: int, narrow: bool) -> int:
    """Return the pixels that a legend of models takes: three columns on a wide screen, one on a narrow one."""
    return LEGEND_LINE * ceil(entries / (1 if narrow else 3)) + 16


def listed(model: str, front: Collection[str | None] | None) -> dict[str, Any]:
    """Return the place of a model in the legend, and whether it is drawn at first: those in `front`; None for all."""
    if front is None or model in front:
        return {"visible": True, "legendrank": 1}
    return {"visible": "legendonly", "legendrank": 2}


def whiskers(middle: ArrayLike, low: ArrayLike, high: ArrayLike, color: str, thickness: float) -> dict[str, Any]:
    """Return error bars from `low` to `high` around `middle`; NaN for none."""
    centre, left, right = (np.asarray(part, dtype=np.float64) for part in (middle, low, high))
    ends = {"array": np.nan_to_num(right - centre), "arrayminus": np.nan_to_num(centre - left)}
    return {"type": "data", "symmetric": False, **ends, "color": color, "thickness": thickness, "width": 0}


def dots(table: pd.DataFrame, value: str, rows: Iterable[Any], color: str, thickness: float = 4) -> dict[str, Any]:
    """Return dots at the numbers of a column, in rows, with whiskers from the columns `low` to `high`; NaN for none."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": table[value].to_numpy(np.float64),
        "y": list(rows),
        "marker": {"color": color, "size": 14},
        "error_x": whiskers(table[value], table["low"], table["high"], color, thickness),
    }


def words(x: ArrayLike, rows: Sequence[Any], texts: Iterable[str], size: int, **changes: Any) -> dict[str, Any]:
    """Return texts to the right of points; they are not cut off at the plot's edge."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": x,
        "y": rows,
        "text": list(texts),
        "textposition": "middle right",
        "textfont": {"size": size},
        "cliponaxis": False,
        "hoverinfo": "skip",
    } | changes


def percents(shares: Iterable[float | None], number: str = ".1%") -> list[str]:
    """Return shares in percent for hover boxes: Plotly's own format has no space before the sign."""
    return [percent(share, number) for share in shares]


def bands(rows: int) -> list[dict[str, Any]]:
    """Return shapes that shade every second row of a category axis."""
    shade = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "layer": "below", "line": {"width": 0}}
    return [shade | {"y0": row - 0.5, "y1": row + 0.5, "fillcolor": MUTED, "opacity": 0.1} for row in range(0, rows, 2)]


def reference(value: float, text: str, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a dashed vertical line, and the annotation that names it above the plot."""
    line = {"type": "line", "x0": value, "x1": value, "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    note = {"text": text, "x": value, "yref": "paper", "y": 1, "yanchor": "bottom", "font": {"size": FONT - 1}}
    return line | {"line": {"color": MUTED, "width": 2, "dash": "dash"}}, note | {"showarrow": False} | changes


def safe(text: object) -> str:
    """Return text that Plotly shows unchanged; it would read tags such as `<a>` in names."""
    return escape(str(text), quote=False)


def in_lines(title: str, width: int = 22) -> str:
    """Return a model's title in lines of at most `width` characters, to save space on phones."""
    return "<br>".join(safe(line) for line in wrap(title, width))
