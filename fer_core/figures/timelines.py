"""Charts of the classes over time: lines of one face, and strips of several."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.bars import Classes, bar_part
from fer_core.figures.theme import DASHES, FONT, LARGE, axis, category_axis, chart, percents, with_legend
from fer_core.labels import EXPRESSIONS, class_colors

SHORT: Final = 0.12  # a shorter stretch of a strip, as a share of the axis, has no room for its name
MAX_GAP: Final = 1.0  # seconds; a longer gap breaks the lines, unless it is at most three usual steps


def timeline_chart(
    table: pd.DataFrame,
    start: float | None = None,
    *,
    stop: float | None = None,
    title: str = "Seconds",
    classes: Classes = EXPRESSIONS,
) -> go.Figure:
    """Return one line for each class, with the name of the leading one at the end.

    Args:
        table: one row for each moment of one face: `seconds` and a column for each of `classes`; may be empty.
        start, stop: ends of the time axis; None for the first and the last moment.
        title: of the time axis.

    Raises:
        ValueError: a column is missing.
    """
    missing = [name for name in ("seconds", *classes) if name not in table]
    if missing:
        raise ValueError(f"Expected the columns seconds and {', '.join(classes)}. Missing: {', '.join(missing)}")
    ordered = table[["seconds", *classes]].sort_values("seconds").reset_index(drop=True)
    moments = _with_gaps(ordered)
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": moments["seconds"],
            "y": moments[name],
            "line": {"color": color, "dash": dash, "width": 3.5},
            "connectgaps": False,
            "hovertext": percents(moments[name]),
            "hovertemplate": "%{hovertext}",
        }
        for (name, color), dash in zip(class_colors(classes).items(), cycle(DASHES), strict=False)
    ]
    names, first, last = [], 0.0, 1.0
    if len(ordered):
        end = ordered.iloc[-1]
        first, last = float(ordered["seconds"].iloc[0]), float(end["seconds"])
        leading = max(classes, key=lambda name: float(end[name]))
        place = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 6, "y": float(end[leading]), "yanchor": "middle"}
        names = [{"text": f"<b>{leading}</b>", **place, "showarrow": False, "font": {"size": FONT}}]
    low, high = (given if given is not None else known for given, known in ((start, first), (stop, last)))
    return chart(
        traces,
        400,
        xaxis=axis(title, tickformat="~g", range=[low, max(high, low + 1e-3)], showgrid=False, hoverformat=".1f"),
        yaxis=axis("Probability", range=[0, 1], fixedrange=True),
        hovermode="x unified",
        **with_legend(),
        margin={"l": 0, "r": 84, "t": 36, "b": 0},
        annotations=names,
    )


def expression_strips(
    runs: pd.DataFrame, faces: Sequence[int], *, end: float, classes: Classes = EXPRESSIONS
) -> go.Figure:
    """Return one strip for each face with its expressions over time, with gaps where it was not found.

    Args:
        runs: columns `face`, `expression`, `start` and `end` in seconds.
        faces: numbers of the faces, from top to bottom.
        end: end of the time axis in seconds.
    """
    table = runs[runs["face"].isin(list(faces))]
    traces = []
    for name, color in class_colors(classes).items():
        rows = table[table["expression"] == name]
        lengths = rows["end"] - rows["start"]
        hover = f"%{{y}}: {name} from second %{{customdata[0]:.2f}} to %{{customdata[1]:.2f}}<extra></extra>"
        traces.append(
            bar_part(
                name,
                [f"Face {number}" for number in rows["face"]],
                [f"<b>{name}</b>" if length >= SHORT * end else "" for length in lengths],
                color=color,
                base=rows["start"],
                x=lengths,
                width=0.72,
                customdata=rows[["start", "end"]],
                hovertemplate=hover,
                showlegend=True,
            )
        )
    return chart(
        traces,
        len(faces) * 48 + 170,
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
