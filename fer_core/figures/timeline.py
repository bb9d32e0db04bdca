"""Expressions over time: the probabilities of one face, and the expressions of several faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.bars import named_part
from fer_core.figures.theme import DASHES, FONT, LARGE, axis, category_axis, chart, with_legend
from fer_core.labels import COLORS, EXPRESSIONS

HEIGHT: Final = 400
MAX_GAP: Final = 1.0  # seconds; a longer gap breaks the lines, unless it is at most three usual steps
STRIP: Final = 48  # height in pixels of the row of one face
SHORT: Final = 0.12  # a shorter stretch, as a share of the axis, has no room for its name


def timeline_chart(
    table: pd.DataFrame, start: float | None = None, *, stop: float | None = None, title: str = "Seconds"
) -> go.Figure:
    """Return one line for each expression, with the name of the leading one at the end.

    Args:
        table: one row for each moment of one face: `seconds` and a column for each of `labels.EXPRESSIONS`; may be
            empty.
        start: start of the time axis; None for the first moment.
        stop: end of the time axis; None for the last moment.
        title: of the time axis.

    Raises:
        ValueError: a column is missing.
    """
    missing = [name for name in ("seconds", *EXPRESSIONS) if name not in table]
    if missing:
        raise ValueError(f"Expected the columns seconds and the seven expressions. Missing: {', '.join(missing)}")
    moments = _with_gaps(table[["seconds", *EXPRESSIONS]].sort_values("seconds").reset_index(drop=True))
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": moments["seconds"],
            "y": moments[name],
            "line": {"color": COLORS[name], "dash": dash, "width": 3.5},
            "connectgaps": False,
            "hovertemplate": "%{y:.1%}",
        }
        for name, dash in zip(EXPRESSIONS, DASHES, strict=True)
    ]
    low, high = _span(table["seconds"], start, stop)
    return chart(
        traces,
        HEIGHT,
        xaxis=axis(title, tickformat="~g", range=[low, high], showgrid=False, hoverformat=".1f"),
        yaxis=axis("Probability", range=[0, 1], fixedrange=True),
        hovermode="x unified",
        **with_legend(),
        margin={"l": 0, "r": 84, "t": 36, "b": 0},
        annotations=_leading(table),
    )


def expression_strips(runs: pd.DataFrame, faces: Sequence[int], *, end: float) -> go.Figure:
    """Return one strip for each face with its expressions over time, with gaps where it was not found.

    Args:
        runs: columns `face`, `expression`, `start` and `end` in seconds.
        faces: numbers of the faces, from top to bottom.
        end: end of the time axis in seconds.
    """
    table = runs[runs["face"].isin(list(faces))]
    traces = []
    for name in EXPRESSIONS:
        part = table[table["expression"] == name]
        lengths = part["end"] - part["start"]
        texts = [f"<b>{name}</b>" if length >= SHORT * end else "" for length in lengths]
        traces.append(
            named_part(name, [f"Face {number}" for number in part["face"]], texts, "#111111")
            | {
                "base": part["start"],
                "x": lengths,
                "width": 0.72,
                "customdata": part[["start", "end"]],
                "hovertemplate": f"%{{y}}: {name} from second %{{customdata[0]:.2f}} to %{{customdata[1]:.2f}}"
                "<extra></extra>",
                "showlegend": True,
            }
        )
    return chart(
        traces,
        len(faces) * STRIP + 170,
        barmode="overlay",
        xaxis=axis("Seconds", tickformat="~g", range=[0, end], showgrid=False, nticks=8),
        yaxis=category_axis([f"Face {number}" for number in faces], LARGE),
        **with_legend(),
    )


def _with_gaps(moments: pd.DataFrame) -> pd.DataFrame:
    """Add an empty moment in every long gap, which breaks the lines there."""
    steps = moments["seconds"].diff()
    after = moments.index[steps > max(MAX_GAP, 3 * steps.quantile(0.25, interpolation="lower"))]
    gaps = pd.DataFrame({"seconds": moments["seconds"].to_numpy()[after] - 1e-6}, columns=moments.columns)
    if gaps.empty:
        return moments
    return pd.concat([moments, gaps.astype(np.float64)]).sort_values("seconds", kind="stable")


def _leading(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the name of the last moment's leading expression, at the right edge of the plot."""
    if table.empty:
        return []
    last = table.sort_values("seconds").iloc[-1]
    name = max(EXPRESSIONS, key=lambda expression: float(last[expression]))
    return [
        {
            "text": f"<b>{name}</b>",
            "xref": "paper",
            "x": 1,
            "xanchor": "left",
            "xshift": 6,
            "y": float(last[name]),
            "yanchor": "middle",
            "showarrow": False,
            "font": {"size": FONT},
        }
    ]


def _span(seconds: pd.Series, start: float | None, stop: float | None) -> tuple[float, float]:
    low = start if start is not None else float(seconds.min()) if len(seconds) else 0.0
    high = stop if stop is not None else float(seconds.max()) if len(seconds) else 1.0
    return low, max(high, low + 1e-3)
