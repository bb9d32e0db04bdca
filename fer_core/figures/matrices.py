"""Grids of cells: confusion of one model, the difference of two, differences of all pairs, and faces as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from fer_core.figures.bars import TIGHT
from fer_core.figures.theme import (
    DIVERGING,
    FONT,
    INK,
    SEQUENTIAL,
    TYPE,
    category_axis,
    chart,
    hidden_axis,
    in_lines,
    percents,
    safe,
)

GRAY: Final = ("#000000", "#FFFFFF")


def confusion_chart(
    cells: pd.DataFrame,
    values: str,
    *,
    chosen: tuple[str, str] | None = None,
    difference: bool = False,
    titles: tuple[str, str] = ("Actual", "Predicted"),
) -> go.Figure:
    """Return the confusion matrix of one model, or the difference of two: actual expressions in rows.

    The colour is always the share of the row, so that rare expressions are visible; in a difference it is blue where
    the first model has more faces, orange where fewer. Over every cell lies an invisible marker with the two
    expressions as `customdata`, because a heatmap alone cannot be selected.

    Args:
        cells: columns `actual`, `predicted`, `count`, `rate`; in a difference, first model minus second.
        values: "counts" or "rates", the text in the cells.
        chosen: actual and predicted expression of the cell to highlight.
        difference: whether it is one.
        titles: of the rows and the columns.
    """
    sign, rates = "+" if difference else "", cells["rate"]
    if values == "counts":
        texts = [f"{count:{sign},}" for count in cells["count"]]
    else:
        texts = ["–" if pd.isna(rate) else f"{100 * rate:{sign}.0f}" for rate in rates]
    texts = [{"+0": "0", "-0": "0"}.get(text, text) for text in texts]
    most = max(float(rates.abs().max()), 0.01) if difference else 1.0
    low, colors = (-most, DIVERGING) if difference else (0.0, SEQUENTIAL)
    invisible = {"marker": {"opacity": 0}}
    clicks = {
        "type": "scatter",
        "mode": "markers+text",
        "x": cells["predicted"],
        "y": cells["actual"],
        "text": texts,
        "textfont": {"size": FONT + 2, "color": _contrasting(rates, most)},
        "customdata": cells[["actual", "predicted", "count", "rate"]].to_numpy(object),
        "marker": {"symbol": "square", "size": 44, "opacity": 0},
        "selected": invisible,
        "unselected": invisible,
        "hovertext": percents(rates, f"{sign}.1%"),
        "hovertemplate": f"{titles[0].lower()} %{{y}}, {titles[1].lower()} %{{x}}<br>%{{customdata[2]:{sign},}} faces, "
        "%{hovertext} of the row<extra></extra>",
    }
    frames, classes = [], list(cells["actual"].unique())
    if chosen is not None:
        row, column = map(classes.index, chosen)
        corners = {"x0": column - 0.48, "x1": column + 0.48, "y0": row - 0.48, "y1": row + 0.48}
        frames = [{"type": "rect", "line": {"color": "#E0457B", "width": 4}} | corners]
    down, across = ({"text": title, "font": TYPE} for title in titles)
    return chart(
        [_heat(rates, (low, most), colors, gap=3, x=cells["predicted"], y=cells["actual"]), clicks],
        500,
        xaxis=category_axis(classes, title=across, range=[-0.5, len(classes) - 0.5], autotickangles=[0, -40]),
        yaxis=category_axis(classes, title=down, range=[len(classes) - 0.5, -0.5]),
        shapes=frames,
        dragmode=False,
    )


def pair_matrix(both: pd.DataFrame, order: Sequence[str], *, narrow: bool = False) -> go.Figure:
    """Return the accuracy of the model in each row minus that of the model in each column, in percentage points.

    Significant differences are coloured; the others are grey and in brackets. Columns show the numbers of the rows.

    Args:
        both: every pair in both orders: `first`, `second`, `difference`, `low`, `high`, `p_holm`, `clear`, `words`,
            `only_first`, `only_second`.
        order: titles of the models, the best first.
        narrow: whether there is no room for numbers in the cells; hovering shows them.
    """
    numbers = {model: str(number) for number, model in enumerate(order, 1)}
    most, shades = max(float(both["difference"].abs().max()), 0.001), both["difference"].where(both["clear"], 0.0)
    rows, columns = both["first"].map(numbers), both["second"].map(numbers)
    cells = {
        "type": "scatter",
        "mode": "markers" if narrow else "markers+text",
        "x": columns,
        "y": rows,
        "text": both["words"],
        "textfont": {"size": FONT, "color": _contrasting(shades, most)},
        "marker": {"symbol": "square", "size": 16 if narrow else 40, "opacity": 0},
        "hovertext": [
            f"<b>{safe(row['first'])}</b><br>minus {safe(row['second'])}<br>{100 * row['difference']:+.2f} points "
            f"(95 % interval {100 * row['low']:+.2f} to {100 * row['high']:+.2f})<br>only this one correct: "
            f"{row['only_first']:,}, only the other: {row['only_second']:,}<br>p (Holm) {row['p_holm']:.2g}"
            for row in both.to_dict("records")
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    names = [f"{in_lines(model, 18 if narrow else 22)}  <b>{numbers[model]}</b>" for model in order]
    places, last = list(numbers.values()), len(order) - 0.5
    font = FONT - 4 if narrow else FONT
    ticks = places[:: 2 if narrow and len(order) > 12 else 1]  # two digits of neighbours would touch
    return chart(
        [_heat(shades, (-most, most), DIVERGING, gap=1 if narrow else 3, x=columns, y=rows), cells],
        110 + 46 * len(order),
        xaxis=category_axis(places, font, tickvals=ticks, range=[-0.5, last], side="top", tickangle=0),
        yaxis=category_axis(places, range=[last, -0.5], ticktext=names),
        dragmode=False,
    )


def pixel_chart(face: NDArray[np.uint8]) -> go.Figure:
    """Return a face as a grid of gray cells with their numbers, 0 to 255.

    Plotly writes the numbers where the cells are large enough for them, so after zooming in; elsewhere they are shown
    when pointed at.

    Args:
        face: `(height, width)` uint8 gray.
    """
    if face.ndim != 2:
        raise ValueError(f"Expected a gray face of shape (height, width). Received: {face.shape}")
    height, width = face.shape
    free = {"constrain": "domain", "fixedrange": False}
    texts = {"texttemplate": "%{z}", "hoverinfo": None, "hovertemplate": "row %{y}, column %{x}: %{z}<extra></extra>"}
    return chart(
        [_heat(face, (0, 255), GRAY, gap=0.5, **texts)],
        460,
        xaxis=hidden_axis(-0.5, width - 0.5, **free),
        yaxis=hidden_axis(height - 0.5, -0.5, scaleanchor="x", **free),
    )


def number_grid(numbers: NDArray[np.floating], low: float, *, high: float) -> go.Figure:
    """Return a small part of a network's input as gray cells with their numbers.

    Args:
        numbers: `(rows, columns)`.
        low, high: the numbers drawn black and white.
    """
    if numbers.ndim != 2 or numbers.size == 0:
        raise ValueError(f"Expected numbers of shape (rows, columns). Received: {numbers.shape}")
    if not high > low:
        raise ValueError(f"Expected a high above the low. Received: {low}, {high}")
    rows, columns = numbers.shape
    digits = 2 if max(abs(low), abs(high)) < 10 else 0
    texts = [
        {
            "x": column,
            "y": row,
            "text": f"{number:z.{digits}f}".replace("-", "−"),
            "showarrow": False,
            "font": {"size": FONT, "color": GRAY[int(number < (low + high) / 2)]},
        }
        for (row, column), number in np.ndenumerate(numbers)
    ]
    return chart(
        [_heat(numbers, (low, high), GRAY, gap=1)],
        46 * rows,
        annotations=texts,
        xaxis=hidden_axis(-0.5, columns - 0.5),
        yaxis=hidden_axis(rows - 0.5, -0.5),
        dragmode=False,
        margin=TIGHT,
    )


def _heat(
    values: ArrayLike, span: tuple[float, float], colors: Sequence[str], *, gap: float, **changes: Any
) -> dict[str, Any]:
    """Return cells without a hover; `changes` override their properties."""
    scale = {"zmin": span[0], "zmax": span[1], "colorscale": list(colors), "showscale": False}
    return {"type": "heatmap", "z": values, **scale, "xgap": gap, "ygap": gap, "hoverinfo": "skip"} | changes


def _contrasting(values: pd.Series, most: float) -> list[str]:
    """Return the colour of text on cells: white where the fill is strong, else the page's."""
    return ["#FFFFFF" if strong else INK for strong in values.abs() > most * 2 / 3]
