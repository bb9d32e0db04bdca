"""Several plots in one figure, with one legend for all: side by side, or below one another on a narrow screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

import plotly.graph_objects as go

from fer_core.figures.theme import FONT, chart, legend, legend_height

Panel = tuple[str, Mapping[str, Any], Mapping[str, Any]]
"""Title, x axis and y axis of a plot."""

GAP: Final = 110
"""Pixels between two rows, for the title of the lower one and the axis of the upper one."""

SPACE: Final = 0.1
"""Space between two columns as a share of the width."""


def panels(
    traces: Sequence[Mapping[str, Any]],
    plots: Sequence[Panel],
    height: int,
    models: int,
    narrow: bool,
    **layout: Any,
) -> go.Figure:
    """Return one figure with several plots.

    Args:
        traces: with `xaxis` "x1", "x2", … and `yaxis` alike, for the first plot, the second, …
        plots: the plots, row by row.
        height: of one plot in pixels.
        models: number of entries in the legend.
        narrow: one column instead of two.
        layout: added to the layout.
    """
    columns = 1 if narrow else min(2, len(plots))
    rows = ceil(len(plots) / columns)
    total = rows * height + (rows - 1) * GAP
    width = (1 - SPACE * (columns - 1)) / columns
    titles = []
    for place, (title, x, y) in enumerate(plots):
        row, column = divmod(place, columns)
        left, top = column * (width + SPACE), 1 - row * (height + GAP) / total
        name = "" if place == 0 else str(place + 1)
        layout[f"xaxis{name}"] = {**x, "domain": [left, left + width], "anchor": f"y{name}"}
        layout[f"yaxis{name}"] = {**y, "domain": [max(0.0, top - height / total), top], "anchor": f"x{name}"}
        titles.append(
            {"text": f"<b>{title}</b>", "xref": "paper", "x": left, "xanchor": "left", "yref": "paper", "y": top,
             "yanchor": "bottom", "yshift": 4, "showarrow": False, "font": {"size": FONT + 1}}
        )  # fmt: skip
    return chart(
        traces,
        total + 36 + 60 + legend_height(models, narrow),
        annotations=titles,
        showlegend=True,
        legend=legend(),
        **layout,
    )
