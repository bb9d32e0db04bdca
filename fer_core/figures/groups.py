"""Rates of a model by group of faces, as dots with 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.theme import ACCENT, FONT, MUTED, axis, category_axis, chart, in_lines, legend, model_styles, safe

ROW: Final = 44
DOT: Final = 16
"""Height in pixels of a row, and of a dot in a row that several groups share."""


def group_rates(rates: pd.DataFrame, title: str, narrow: bool = False) -> go.Figure:
    """Return a rate of each group for one or several expressions.

    With one expression the groups are the rows. With several, the expressions are the rows, and the groups are told
    apart by colour and shape. Groups with too few faces are hollow.

    Args:
        rates: columns `group`, `expression`, `faces`, `value`, `low`, `high`, `compared`; groups and expressions keep
            their order.
        title: of the rate.
        narrow: whether the screen is as narrow as a phone.

    Raises:
        ValueError: there is no rate.
    """
    defined = rates[rates["value"].notna()]
    if defined.empty:
        raise ValueError("Expected at least one rate. Received: none")
    groups, expressions = list(dict.fromkeys(defined["group"])), list(dict.fromkeys(defined["expression"]))
    one = len(expressions) == 1
    rows = groups if one else expressions
    styles = model_styles(groups)
    traces = []
    for group in groups:
        part = defined[defined["group"] == group]
        traces.append(_dots(part, part["group" if one else "expression"]) | {"name": safe(group)})
        color = styles[group].color
        hollow = ["" if compared else "-open" for compared in part["compared"]]
        traces[-1]["marker"] = {
            "color": color,
            "size": 13 if one else 11,
            "symbol": [styles[group].symbol + ending for ending in hollow],
            "line": {"width": 2, "color": color},
        }
        traces[-1]["error_x"] |= {"color": color, "thickness": 3, "width": 0}
    legend_lines = 0 if one else len(groups) if narrow else -(-len(groups) // 3)
    height = len(rows) * (ROW if one else max(ROW, DOT * len(groups) + 12)) + 100 + 26 * legend_lines
    bands = [
        {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": row - 0.5, "y1": row + 0.5, "layer": "below",
         "line": {"width": 0}, "fillcolor": MUTED, "opacity": 0.1}
        for row in range(0, len(rows), 2)
    ]  # fmt: skip
    return chart(
        traces,
        height,
        xaxis=axis(f"{title}, with 95 % interval", range=[0, _end(defined["high"])]),
        yaxis=category_axis(rows, FONT, ticktext=[in_lines(row) for row in rows]),
        scattermode="group" if not one else "overlay",
        scattergap=0.2,
        shapes=bands,
        showlegend=not one,
        legend=legend(),
    )


def error_leaves(leaves: pd.DataFrame, overall: float) -> go.Figure:
    """Return the share of wrong predictions of each kind of face, the highest on top.

    Args:
        leaves: columns `where`, `faces`, `wrong`, `value`, `low`, `high`.
        overall: share of wrong predictions of all faces, drawn as a dashed line.
    """
    rows = [f"{place}. {where}" for place, where in enumerate(leaves["where"], 1)]
    trace = _dots(leaves.assign(group=rows, compared=True), rows)
    trace["marker"] = {"color": ACCENT, "size": 13}
    trace["error_x"] |= {"color": ACCENT, "thickness": 3, "width": 0}
    line = {"type": "line", "x0": overall, "x1": overall, "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
            "line": {"color": MUTED, "width": 2, "dash": "dash"}}  # fmt: skip
    words = {"text": f"all faces {overall:.0%}".replace("%", " %"), "x": overall, "yref": "paper", "y": 1,
             "yanchor": "bottom", "showarrow": False, "font": {"size": FONT - 1}}  # fmt: skip
    return chart(
        [trace],
        110 + 58 * len(rows),
        xaxis=axis("Wrong (95 % interval)", range=[0, _end(leaves["high"])]),
        yaxis=category_axis(rows, FONT, ticktext=[in_lines(row, 30) for row in rows]),
        shapes=[line],
        annotations=[words],
    )


def _dots(part: pd.DataFrame, rows: Sequence[str] | pd.Series) -> dict[str, Any]:
    value, low, high = (part[name].to_numpy(np.float64) for name in ("value", "low", "high"))
    few = ["" if compared else "<br>too few faces to compare" for compared in part["compared"]]
    return {
        "type": "scatter",
        "mode": "markers",
        "orientation": "h",
        "x": value,
        "y": list(rows),
        "customdata": list(zip(part["group"].map(safe), low, high, part["faces"], few, strict=True)),
        "hovertemplate": "<b>%{customdata[0]}</b><br>%{x:.1%}, 95 % interval %{customdata[1]:.1%} to "
        "%{customdata[2]:.1%}<br>of %{customdata[3]:,} faces%{customdata[4]}<extra></extra>",
        "error_x": {"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low},
    }


def _end(high: pd.Series) -> float:
    """Return the upper end of the axis: the next multiple of 5 %, at most 100 %."""
    return min(1.0, ceil(20.4 * float(high.max())) / 20)
