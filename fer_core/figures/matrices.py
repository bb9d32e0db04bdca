"""Matrices: confusion of one model, the difference of two, and the pairwise differences of all models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.theme import DIVERGING, FONT, INK, SEQUENTIAL, category_axis, chart, contrasting, in_lines, safe
from fer_core.labels import EXPRESSIONS

SIZE: Final = 500
FRAME: Final = "#E0457B"


def confusion_chart(
    cells: pd.DataFrame,
    values: str,
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
    words = [f"{c:,}" for c in cells["count"]] if values == "counts" else [_percent(r) for r in cells["rate"]]
    return _squares(cells, words, (0.0, 1.0), SEQUENTIAL, chosen, signed=False, titles=(rows, columns))


def difference_chart(cells: pd.DataFrame, values: str, chosen: tuple[str, str] | None = None) -> go.Figure:
    """Return the difference of two confusion matrices: blue where the first model has more faces, orange where fewer.

    Args:
        cells: columns `actual`, `predicted`, `count`, `rate`, first model minus second.
        values: "counts" or "rates", the text in the cells.
        chosen: actual and predicted expression of the cell to highlight.
    """
    words = (
        [f"{c:+,}" if c else "0" for c in cells["count"]]
        if values == "counts"
        else [_points(rate) for rate in cells["rate"]]
    )
    most = max(float(cells["rate"].abs().max()), 0.01)
    return _squares(cells, words, (-most, most), DIVERGING, chosen, signed=True)


def pair_matrix(both: pd.DataFrame, order: Sequence[str], narrow: bool = False) -> go.Figure:
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
    shown = places[:: 2 if narrow and len(order) > 12 else 1]  # two digits of neighbours would touch
    return chart(
        [_heat(columns, rows, shades, (-most, most), DIVERGING, gap=1 if narrow else 3), cells],
        110 + 46 * len(order),
        xaxis=category_axis(places, font, tickvals=shown, range=[-0.5, last], side="top", tickangle=0),
        yaxis=category_axis(places, range=[last, -0.5], ticktext=names),
        dragmode=False,
    )


def _squares(
    cells: pd.DataFrame,
    words: Sequence[str],
    span: tuple[float, float],
    colors: Sequence[str],
    chosen: tuple[str, str] | None,
    signed: bool,
    titles: tuple[str, str] = ("Actual", "Predicted"),
) -> go.Figure:
    sign = "+" if signed else ""
    invisible = {"marker": {"opacity": 0}}
    clicks = {
        "type": "scatter",
        "mode": "markers+text",
        "x": cells["predicted"],
        "y": cells["actual"],
        "text": list(words),
        "textfont": {"size": FONT + 2, "color": contrasting(cells["rate"].abs() > 0.5 * span[1])},
        "customdata": cells[["actual", "predicted", "count", "rate"]].to_numpy(object),
        "marker": {"symbol": "square", "size": 44, "opacity": 0},
        "selected": invisible,
        "unselected": invisible,
        "hovertemplate": f"{titles[0].lower()} %{{y}}, {titles[1].lower()} %{{x}}<br>%{{customdata[2]:{sign},}} faces, "
        f"%{{customdata[3]:{sign}.1%}} of the row<extra></extra>",
    }
    return chart(
        [_heat(cells["predicted"], cells["actual"], cells["rate"], span, colors), clicks],
        SIZE,
        xaxis=_expressions(titles[1], range=[-0.5, 6.5], autotickangles=[0, -40]),
        yaxis=_expressions(titles[0], range=[6.5, -0.5]),
        shapes=_frame(chosen),
        dragmode=False,
    )


def _heat(
    x: pd.Series, y: pd.Series, values: pd.Series, span: tuple[float, float], colors: Sequence[str], gap: int = 3
) -> dict[str, Any]:
    steps = np.linspace(0, 1, len(colors))
    return {
        "type": "heatmap",
        "x": x,
        "y": y,
        "z": values,
        "zmin": span[0],
        "zmax": span[1],
        "colorscale": [[float(step), color] for step, color in zip(steps, colors, strict=True)],
        "showscale": False,
        "xgap": gap,
        "ygap": gap,
        "hoverinfo": "skip",
    }


def _frame(chosen: tuple[str, str] | None) -> list[dict[str, Any]]:
    if chosen is None:
        return []
    row, column = (EXPRESSIONS.index(name) for name in chosen)
    return [
        {
            "type": "rect",
            "x0": column - 0.48,
            "x1": column + 0.48,
            "y0": row - 0.48,
            "y1": row + 0.48,
            "line": {"color": FRAME, "width": 4},
        }
    ]


def _expressions(title: str, **changes: Any) -> dict[str, Any]:
    return category_axis(EXPRESSIONS, title={"text": title, "font": {"size": FONT, "color": INK}}, **changes)


def _percent(rate: float) -> str:
    return "–" if pd.isna(rate) else f"{100 * rate:.0f}"


def _points(rate: float) -> str:
    return "–" if pd.isna(rate) else f"{100 * rate:+.0f}".replace("+0", "0").replace("-0", "0")
