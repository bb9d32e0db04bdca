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
    SEQUENTIAL,
    TYPE,
    category_axis,
    chart,
    contrasting,
    hidden_axis,
    in_lines,
    safe,
)
from fer_core.labels import EXPRESSIONS

SIZE: Final = 500
CELL: Final = 46
"""Height in pixels of a cell of `number_grid`."""

FRAME: Final = "#E0457B"
GRAY: Final = ("#000000", "#FFFFFF")


def confusion_chart(
    cells: pd.DataFrame,
    values: str,
    *,
    chosen: tuple[str, str] | None = None,
    rows: str = "Actual",
    columns: str = "Predicted",
) -> go.Figure:
    """Return the confusion matrix of one model: actual expressions in rows, predicted ones in columns.

    The colour is always the share of the row, so that rare expressions are visible. Over every cell lies an invisible
    marker with the two expressions as `customdata`, because a heatmap alone cannot be selected.

    Args:
        cells: columns `actual`, `predicted`, `count`, `rate`.
        values: "counts" or "rates", the text in the cells.
        chosen: actual and predicted expression of the cell to highlight.
        rows, columns: titles of the axes.
    """
    counts = values == "counts"
    texts = [f"{count:,}" for count in cells["count"]] if counts else [_rate(rate, "") for rate in cells["rate"]]
    return _squares(cells, texts, span=(0.0, 1.0), colors=SEQUENTIAL, chosen=chosen, titles=(rows, columns))


def difference_chart(cells: pd.DataFrame, values: str, *, chosen: tuple[str, str] | None = None) -> go.Figure:
    """Return the difference of two confusion matrices: blue where the first model has more faces, orange where fewer.

    Args:
        cells: columns `actual`, `predicted`, `count`, `rate`, first model minus second.
        values: "counts" or "rates", the text in the cells.
        chosen: actual and predicted expression of the cell to highlight.
    """
    if values == "counts":
        texts = [f"{count:+,}" if count else "0" for count in cells["count"]]
    else:
        texts = [_rate(rate, "+").replace("+0", "0").replace("-0", "0") for rate in cells["rate"]]
    most = max(float(cells["rate"].abs().max()), 0.01)
    return _squares(cells, texts, span=(-most, most), colors=DIVERGING, chosen=chosen, sign="+")


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
    shades = both["difference"].where(both["clear"], 0.0)
    most = max(float(both["difference"].abs().max()), 0.001)
    rows, columns = both["first"].map(numbers), both["second"].map(numbers)
    cells = {
        "type": "scatter",
        "mode": "markers" if narrow else "markers+text",
        "x": columns,
        "y": rows,
        "text": both["words"],
        "textfont": {"size": FONT, "color": contrasting(shades.abs() > 0.5 * most)},
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

    Raises:
        ValueError: another shape.
    """
    if face.ndim != 2:
        raise ValueError(f"Expected a gray face of shape (height, width). Received: {face.shape}")
    height, width = face.shape
    hover = "row %{y}, column %{x}: %{z}<extra></extra>"
    free = {"constrain": "domain", "fixedrange": False}
    return chart(
        [_heat(face, (0, 255), GRAY, gap=0.5, texttemplate="%{z}", hoverinfo=None, hovertemplate=hover)],
        460,
        xaxis=hidden_axis(-0.5, width - 0.5, **free),
        yaxis=hidden_axis(height - 0.5, -0.5, scaleanchor="x", **free),
    )


def number_grid(numbers: NDArray[np.floating], low: float, *, high: float) -> go.Figure:
    """Return a small part of a network's input as gray cells with their numbers.

    Args:
        numbers: `(rows, columns)`.
        low: the number drawn black.
        high: the number drawn white.

    Raises:
        ValueError: the numbers are not two-dimensional, or `high` is not above `low`.
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
        CELL * rows,
        annotations=texts,
        xaxis=hidden_axis(-0.5, columns - 0.5),
        yaxis=hidden_axis(rows - 0.5, -0.5),
        dragmode=False,
        margin=TIGHT,
    )


def _squares(
    cells: pd.DataFrame,
    texts: Sequence[str],
    *,
    span: tuple[float, float],
    colors: Sequence[str],
    chosen: tuple[str, str] | None,
    sign: str = "",
    titles: tuple[str, str] = ("Actual", "Predicted"),
) -> go.Figure:
    invisible = {"marker": {"opacity": 0}}
    clicks = {
        "type": "scatter",
        "mode": "markers+text",
        "x": cells["predicted"],
        "y": cells["actual"],
        "text": list(texts),
        "textfont": {"size": FONT + 2, "color": contrasting(cells["rate"].abs() > 0.5 * span[1])},
        "customdata": cells[["actual", "predicted", "count", "rate"]].to_numpy(object),
        "marker": {"symbol": "square", "size": 44, "opacity": 0},
        "selected": invisible,
        "unselected": invisible,
        "hovertemplate": f"{titles[0].lower()} %{{y}}, {titles[1].lower()} %{{x}}<br>%{{customdata[2]:{sign},}} faces, "
        f"%{{customdata[3]:{sign}.1%}} of the row<extra></extra>",
    }
    down, across = ({"text": title, "font": TYPE} for title in titles)
    return chart(
        [_heat(cells["rate"], span, colors, gap=3, x=cells["predicted"], y=cells["actual"]), clicks],
        SIZE,
        xaxis=category_axis(EXPRESSIONS, title=across, range=[-0.5, 6.5], autotickangles=[0, -40]),
        yaxis=category_axis(EXPRESSIONS, title=down, range=[6.5, -0.5]),
        shapes=[] if chosen is None else [_frame(*map(EXPRESSIONS.index, chosen))],
        dragmode=False,
    )


def _heat(
    values: ArrayLike, span: tuple[float, float], colors: Sequence[str], *, gap: float, **changes: Any
) -> dict[str, Any]:
    """Return cells without a hover; `changes` override their properties."""
    return {
        "type": "heatmap",
        "z": values,
        "zmin": span[0],
        "zmax": span[1],
        "colorscale": list(colors),
        "showscale": False,
        "xgap": gap,
        "ygap": gap,
        "hoverinfo": "skip",
    } | changes


def _frame(row: int, column: int) -> dict[str, Any]:
    corners = {"x0": column - 0.48, "x1": column + 0.48, "y0": row - 0.48, "y1": row + 0.48}
    return {"type": "rect", "line": {"color": FRAME, "width": 4}} | corners


def _rate(rate: float, sign: str) -> str:
    return "–" if pd.isna(rate) else f"{100 * rate:{sign}.0f}"
