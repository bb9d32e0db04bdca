"""Charts of the last steps of a prediction: input numbers, logits, and the softmax."""

from __future__ import annotations

from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from fer_core.figures.expression_bars import ROW
from fer_core.figures.theme import FONT, INK, LARGE, chart, expression_axis, expression_colors, percent_text
from fer_core.labels import EXPRESSIONS, NUM_CLASSES

CELL: Final = 46
"""Height of a cell with a number in pixels."""

_TIGHT: Final = {"l": 0, "r": 0, "t": 0, "b": 0}


def number_grid(numbers: NDArray[np.floating], low: float, high: float) -> go.Figure:
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
    cells = {
        "type": "heatmap",
        "z": numbers,
        "zmin": low,
        "zmax": high,
        "colorscale": [[0, "#000000"], [1, "#FFFFFF"]],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hoverinfo": "skip",
    }
    words = [
        {
            "x": column,
            "y": row,
            "text": f"{numbers[row, column]:z.{digits}f}".replace("-", "−"),
            "showarrow": False,
            "font": {"size": FONT, "color": "#FFFFFF" if numbers[row, column] < (low + high) / 2 else "#000000"},
        }
        for row in range(rows)
        for column in range(columns)
    ]
    hidden = {"visible": False, "fixedrange": True}
    return chart(
        [cells],
        CELL * rows,
        annotations=words,
        xaxis=hidden | {"range": [-0.5, columns - 0.5]},
        yaxis=hidden | {"range": [rows - 0.5, -0.5]},
        dragmode=False,
        margin=_TIGHT,
    )


def logit_bars(logits: ArrayLike) -> go.Figure:
    """Return seven horizontal bars of scores, to the left where they are negative, with the highest in bold.

    Args:
        logits: `(7,)` in the order of `labels.EXPRESSIONS`.

    Raises:
        ValueError: another shape.
    """
    values = _seven(logits)
    reach = max(1.0, float(np.abs(values).max()))
    texts = [f"{value:+.2f}".replace("-", "−") for value in values]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": EXPRESSIONS,
        "width": 0.72,
        "text": _highest_bold(values, texts),
        "textposition": "outside",
        "textfont": {"size": LARGE},
        "cliponaxis": False,
        "marker": {"color": expression_colors(), "cornerradius": 4},
        "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
    }
    low = min(0.0, float(values.min()))
    high = max(0.0, float(values.max()))
    across = {
        "showticklabels": False,
        "showgrid": False,
        "zeroline": True,
        "zerolinecolor": INK,
        "range": [low - 0.35 * reach, high + 0.35 * reach],  # room for the numbers
        "fixedrange": True,
    }
    return chart([bars], ROW * NUM_CLASSES, xaxis=across, yaxis=expression_axis(LARGE), dragmode=False, margin=_TIGHT)


def softmax_table(logits: ArrayLike, exponentials: ArrayLike, probabilities: ArrayLike) -> go.Figure:
    """Return the softmax in columns: score, its exponential, and a bar of the share of all seven exponentials.

    Args:
        logits: `(7,)` in the order of `labels.EXPRESSIONS`.
        exponentials: `(7,)`.
        probabilities: `(7,)`.

    Raises:
        ValueError: another shape.
    """
    scores, powers, shares = _seven(logits), _seven(exponentials), _seven(probabilities)
    columns = {
        -0.8: ("score", [f"{value:.2f}".replace("-", "−") for value in scores]),
        -0.1: ("exp(score)", [f"{value:,.2f}" if value < 1000 else f"{value:,.0f}" for value in powers]),
    }
    traces: list[dict[str, object]] = [
        {
            "type": "bar",
            "orientation": "h",
            "x": shares,
            "y": EXPRESSIONS,
            "width": 0.72,
            "text": _highest_bold(shares, [percent_text(float(share)) for share in shares]),
            "textposition": "outside",
            "textfont": {"size": LARGE},
            "cliponaxis": False,
            "marker": {"color": expression_colors(), "cornerradius": 4},
            "hovertemplate": "%{y}: %{x:.2%}<extra></extra>",
        }
    ]
    heads = [{"x": 0.0, "text": "share of the sum", "xanchor": "left"}]
    for place, (title, texts) in columns.items():
        heads.append({"x": place, "text": title, "xanchor": "right"})
        traces.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": [place] * NUM_CLASSES,
                "y": EXPRESSIONS,
                "text": _highest_bold(scores, texts),
                "textposition": "middle left",
                "textfont": {"size": LARGE},
                "hoverinfo": "skip",
                "cliponaxis": False,
            }
        )
    common = {"y": 1.0, "yref": "paper", "yanchor": "bottom", "showarrow": False, "font": {"size": FONT, "color": INK}}
    across = {"visible": False, "range": [-1.25, 1.35], "fixedrange": True}
    return chart(
        traces,
        ROW * NUM_CLASSES + 30,
        annotations=[common | head for head in heads],
        xaxis=across,
        yaxis=expression_axis(LARGE),
        dragmode=False,
        margin=_TIGHT | {"t": 30},
    )


def _seven(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (NUM_CLASSES,):
        raise ValueError(f"Expected values of shape (7,). Received: {numbers.shape}")
    return numbers


def _highest_bold(values: NDArray[np.float64], texts: list[str]) -> list[str]:
    """Return the texts, that of the highest value in bold."""
    return [f"<b>{text}</b>" if value == values.max() else text for value, text in zip(values, texts, strict=True)]
