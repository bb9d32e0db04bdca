"""Charts of a dataset: how many faces each expression has, and a face as the numbers that it is."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from fer_core.figures.theme import FONT, INK, MUTED, axis, chart, expression_colors, legend, safe
from fer_core.labels import EXPRESSIONS

HEIGHT: Final = 400
PATTERNS: Final = ("", "/", "x")
"""Of the bars of the first, second and third split."""


def class_distribution(counts: pd.DataFrame, shares: bool = False) -> go.Figure:
    """Return bars of the number of faces by expression, one group for each expression and one bar for each split.

    Args:
        counts: indexed by split, with a column for each of `labels.EXPRESSIONS`, as `FaceDataset.counts` returns it.
        shares: whether to show shares of each split instead of numbers.
    """
    traces, legend_bars = [], []
    for place, (split, row) in enumerate(counts.iterrows()):
        share = row / max(1, row.sum())
        pattern = {"shape": PATTERNS[place % len(PATTERNS)], "solidity": 0.25}  # lines in the colour of the bar
        # Plotly draws no legend entry for bars of several colours with a pattern, so an empty gray bar stands in
        legend_bars.append(
            {
                "type": "bar",
                "name": safe(split),
                "x": [None],
                "y": [None],
                "marker": {"color": MUTED, "pattern": pattern},
                "legendgroup": place,
                "offsetgroup": place,
            }
        )
        traces.append(
            {
                "type": "bar",
                "name": safe(split),
                "x": list(EXPRESSIONS),
                "y": (share if shares else row)[list(EXPRESSIONS)],
                "customdata": np.column_stack([row[list(EXPRESSIONS)], share[list(EXPRESSIONS)]]),
                "marker": {"color": expression_colors(), "pattern": pattern},
                "legendgroup": place,
                "offsetgroup": place,
                "showlegend": False,
                "hovertemplate": f"%{{x}}, {safe(split)}: %{{customdata[0]:,}} faces, %{{customdata[1]:.1%}}"
                "<extra></extra>",
            }
        )
    up = axis("Share of the split" if shares else "Faces", tickformat=".0%" if shares else ",d", fixedrange=True)
    across: dict[str, Any] = {"type": "category", "tickfont": {"size": FONT, "color": INK}, "fixedrange": True}
    return chart(
        [*traces, *legend_bars],
        HEIGHT,
        barmode="group",
        xaxis=across,
        yaxis=up,
        dragmode=False,
        showlegend=len(counts) > 1,
        legend=legend(columns_fit=False),
    )


def pixel_chart(face: NDArray[np.uint8]) -> go.Figure:
    """Return a face as a grid of gray cells with their numbers, 0 to 255.

    Plotly writes the numbers where the cells are large enough for them, so after zooming in; elsewhere they are shown
    when pointed at.

    Args:
        face: `(height, width)` uint8 gray.

    Raises:
        ValueError: another shape.
    """
    if face.ndim != 2:
        raise ValueError(f"Expected a gray face of shape (height, width). Received: {face.shape}")
    cells = {
        "type": "heatmap",
        "z": face,
        "zmin": 0,
        "zmax": 255,
        "colorscale": [[0, "#000000"], [1, "#FFFFFF"]],
        "showscale": False,
        "xgap": 0.5,
        "ygap": 0.5,
        "texttemplate": "%{z}",
        "hovertemplate": "row %{y}, column %{x}: %{z}<extra></extra>",
    }
    height, width = face.shape
    hidden = {"visible": False, "constrain": "domain"}
    return chart(
        [cells],
        460,
        xaxis=hidden | {"range": [-0.5, width - 0.5]},
        yaxis=hidden | {"range": [height - 0.5, -0.5], "scaleanchor": "x"},
    )
