"""The look that the charts share: template, font sizes, colours, dashes and markers, legends, and text that is safe."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from math import ceil
from textwrap import wrap
from typing import Any, Final, NamedTuple

import plotly.graph_objects as go

from fer_core.labels import COLORS, EXPRESSIONS

FONT: Final = 15
"""Font size in pixels of axes, legends and numbers, readable from the last row of a lecture room."""

LARGE: Final = 18
"""Font size in pixels of what is read first: expressions and their percentages."""

INK: Final = "#000037"
"""Text colour: near black in the report. Streamlit puts the text colour of its light or dark theme in its place."""

ACCENT: Final = "#7A6FD0"
"""Colour of a single series, readable in light and dark mode. It is not the colour of an expression."""

MUTED: Final = "#8A94A0"
"""Grey for guide lines and background series, visible in light and dark mode."""

DIVERGING: Final = ("#B2560D", "#EDEDED", "#084C7F")
"""Colours of negative, zero and positive differences."""

SEQUENTIAL: Final = ("#E8EEF4", "#084C7F")
"""Colours of 0 and 1."""

MODEL_COLORS: Final[tuple[str, ...]] = (
    "#7A6FD0", "#2A9D8F", "#C2577E", "#8C9A2B", "#B0703C", "#4C8BD6",
    "#5FA85B", "#9B59A6", "#D98C5F", "#5B8A99", "#C7A63C", "#A34A4A",
    "#CC9090", "#547854", "#A89C6C", "#786C9C",
)  # fmt: skip
"""Colours of models in their order, repeated after sixteen. None of them is the colour of an expression."""

DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "8px,3px,2px,3px")
SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up", "x", "star", "cross", "hexagon", "triangle-down")
"""Line dashes and marker shapes: so that colour is never the only difference."""

LEGEND_ENTRY: Final = 250
"""Width in pixels of one entry of a legend."""

LEGEND_LINE: Final = 24
"""Height in pixels of one line of a legend."""

TEMPLATE: Final = go.layout.Template(
    layout={
        "font": {"family": "system-ui, sans-serif"},
        "paper_bgcolor": "#FFFFFF",
        "plot_bgcolor": "#FFFFFF",
        "xaxis": {"gridcolor": "#E1E6EC", "zeroline": False, "automargin": True},
        "yaxis": {"gridcolor": "#E1E6EC", "zeroline": False, "automargin": True},
        "hoverlabel": {"bgcolor": "#FFFFFF"},
    }
)
"""Colours of the report. In the app, Streamlit's theme has priority."""


class ModelStyle(NamedTuple):
    """How a model is drawn."""

    color: str
    dash: str
    symbol: str


def model_styles(drawn: Sequence[str], models: Sequence[str] | None = None) -> dict[str, ModelStyle]:
    """Return the style of each model, by its place in a list that all charts of a page share.

    Args:
        drawn: titles in a chart.
        models: titles of the list; those of `drawn` that it lacks come after. Default: none.
    """
    return {
        model: ModelStyle(
            MODEL_COLORS[place % len(MODEL_COLORS)], DASHES[place % len(DASHES)], SYMBOLS[place % len(SYMBOLS)]
        )
        for place, model in enumerate(dict.fromkeys([*(models or ()), *drawn]))
    }


def expression_dash(expression: str) -> str:
    """Return the line dash of an expression."""
    return DASHES[EXPRESSIONS.index(expression)]


def chart(traces: Sequence[Mapping[str, Any]], height: int, **layout: Any) -> go.Figure:
    """Return a figure in the common style.

    Args:
        traces: as dictionaries with a `type`.
        height: in pixels.
        layout: added to the common layout; axes are completed by `axis` or `category_axis`.
    """
    common: dict[str, Any] = {
        "template": TEMPLATE,
        "height": height,
        "margin": {"l": 0, "r": 24, "t": 36, "b": 0},  # above: the mode bar; right: half of the last tick's label
        "font": {"size": FONT, "color": INK},
        "hoverlabel": {"font": {"size": FONT, "color": INK}, "align": "left", "namelength": -1},
        "hovermode": "closest",
        "showlegend": False,
        "uirevision": "same",  # keep zoom and hidden models when data change
    }
    return go.Figure({"data": list(traces), "layout": common | layout})


def enlarged(figure: go.Figure, times: float) -> go.Figure:
    """Return a chart with larger type, and as much more height and room for its legend.

    Args:
        figure: a chart of this room; it is not changed.
        times: how many times as large.
    """

    def larger(part: Any, name: str) -> Any:
        if isinstance(part, dict):
            return {key: larger(value, "font.size" if (name, key) in sizes else key) for key, value in part.items()}
        if isinstance(part, (list, tuple)) and part and isinstance(part[0], dict):
            return [larger(one, name) for one in part]
        return (
            part * times if name in {"font.size", "height", "entrywidth"} and isinstance(part, (int, float)) else part
        )

    sizes = {(font, "size") for font in ("font", "tickfont", "textfont", "insidetextfont", "outsidetextfont")}
    content = figure.to_plotly_json()
    return go.Figure({"data": larger(content["data"], "data"), "layout": larger(content["layout"], "layout")})


def axis(title: str | None, **changes: Any) -> dict[str, Any]:
    """Return a numeric axis, as percentages unless `tickformat` says otherwise."""
    usual = {
        "title": {"text": title, "font": {"size": FONT, "color": INK}, "standoff": 12},
        "tickfont": {"size": FONT, "color": INK},
        "tickformat": ".0%",
        "nticks": 6,
        "showgrid": True,
        "zeroline": False,
        "fixedrange": False,
    }
    return usual | changes


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
        "zeroline": False,
        "ticks": "",
        "automargin": True,
        "fixedrange": True,
    }
    if "range" not in changes:
        usual["autorange"] = "reversed"
    return usual | changes


def expression_axis(font: int = FONT) -> dict[str, Any]:
    """Return the vertical axis of the seven expressions."""
    return category_axis(EXPRESSIONS, font)


def legend(columns_fit: bool = True) -> dict[str, Any]:
    """Return a legend below the chart, in as many columns as fit.

    Args:
        columns_fit: whether entries have one width, as names of models need; False for a few short words.
    """
    below: dict[str, Any] = {
        "orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xanchor": "left",
        "font": {"size": FONT, "color": INK}, "itemsizing": "constant", "tracegroupgap": 0, "title": {"text": ""},
    }  # fmt: skip
    return below | ({"entrywidth": LEGEND_ENTRY} if columns_fit else {})


def legend_height(entries: int, narrow: bool, columns: int = 3) -> int:
    """Return the pixels that a legend of models takes: three columns on a wide screen, one on a narrow one."""
    return LEGEND_LINE * ceil(entries / (1 if narrow else columns)) + 16


def listed(model: str, front: Collection[str | None] | None) -> dict[str, Any]:
    """Return the place of a model in the legend, and whether it is drawn at first or on a click.

    Args:
        model: its title.
        front: models that are drawn at first and listed first; None for all.
    """
    if front is None or model in front:
        return {"visible": True, "legendrank": 1}
    return {"visible": "legendonly", "legendrank": 2}


def safe(text: object) -> str:
    """Return text that Plotly shows unchanged; it would read tags such as `<a>` in names."""
    return escape(str(text), quote=False)


def in_lines(title: str, width: int = 22) -> str:
    """Return a model's title in lines of at most `width` characters, to save space on phones."""
    return "<br>".join(safe(line) for line in wrap(title, width))


def contrasting(strong: Iterable[bool]) -> list[str]:
    """Return the colour of text on cells: white where the fill is strong, dark elsewhere."""
    return ["#FFFFFF" if one else "#16202B" for one in strong]


def percent_text(share: float) -> str:
    """Return a share as whole percent, "< 1 %" for small ones."""
    return "< 1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def expression_colors() -> list[str]:
    """Return the colours of the seven expressions in order."""
    return [COLORS[name] for name in EXPRESSIONS]
