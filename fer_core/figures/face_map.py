"""The map of faces: one point for each face, coloured by what is known of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.theme import LEGEND_LINE, MUTED, SYMBOLS, TYPE, chart, with_legend
from fer_core.labels import COLORS, EXPRESSIONS

COLORINGS: Final[dict[str, str]] = {
    "label": "FER2013's label",
    "plurality": "most annotators",
    "prediction": "prediction",
    "judged": "right or wrong",
    "agreement": "annotators' agreement",
}
"""Columns that points can be coloured by, each in words."""

UNCLEAR: Final = "no clear answer"
_WRONG: Final = "#E0457B"
_AGREEMENT: Final = [[0, "#E0457B"], [0.5, "#A79BB5"], [1, "#3A86C8"]]  # visible on light and on dark
_HEIGHT: Final = 620
_NARROW_HEIGHT: Final = 340


def face_map_chart(
    table: pd.DataFrame, coloring: str, *, selected: Collection[int] = (), narrow: bool = False
) -> go.Figure:
    """Return the map of faces. The `customdata` of each point is the face's `place`.

    Args:
        table: columns `place`, `row`, `x`, `y`, `label`, `plurality` and `judged` (empty if unclear), `prediction`,
            `confidence` and `agreement` (NaN if unknown).
        coloring: one of `COLORINGS`.
        selected: rows of faces that are drawn as selected; empty for no selection.
        narrow: for a phone.

    Raises:
        ValueError: unknown coloring.
    """
    if coloring == "agreement":
        traces = [_agreement(table)]
    elif coloring in COLORINGS:
        traces = [
            _points(part := table[table[coloring] == value], f"{value or UNCLEAR} ({len(part):,})", **look)
            for value, look in _looks(coloring).items()
        ]
    else:
        raise ValueError(f"Expected one of {', '.join(COLORINGS)}. Received: {coloring}")
    traces = [trace for trace in traces if len(trace["x"])]
    if selected:
        for trace in traces:
            rows = table.set_index("place").loc[trace["customdata"], "row"]
            trace["selectedpoints"] = np.flatnonzero(rows.isin(list(selected))).tolist()
    hidden = {"visible": False}
    lines = 4 if narrow else 1
    return chart(
        traces,
        (_NARROW_HEIGHT if narrow else _HEIGHT) + LEGEND_LINE * lines,
        margin={"l": 0, "r": 0, "t": 36, "b": LEGEND_LINE * lines + 12},
        xaxis=hidden,
        yaxis=hidden | {"scaleanchor": "x"},
        dragmode="lasso",
        **with_legend() | {"showlegend": coloring != "agreement"},
    )


def _looks(coloring: str) -> dict[str, dict[str, Any]]:
    """Return the colour and symbol of each value, in the order of the legend."""
    unclear = {"color": MUTED, "symbol": "circle-open"}
    if coloring == "judged":
        return {
            "right": {"color": COLORS["sad"], "symbol": "circle"},
            "wrong": {"color": _WRONG, "symbol": "diamond"},
            "": unclear,
        }
    looks = {name: {"color": COLORS[name], "symbol": SYMBOLS[place]} for place, name in enumerate(EXPRESSIONS)}
    return {**looks, "": unclear}


def _points(table: pd.DataFrame, name: str, **marker: Any) -> dict[str, Any]:
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": name,
        "x": table["x"].to_numpy(np.float32),
        "y": table["y"].to_numpy(np.float32),
        "customdata": table["place"].to_numpy(np.int32),
        "hovertext": [_words(face) for face in table.itertuples()],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"size": 6, "opacity": 0.75, **marker},
        "selected": {"marker": {"opacity": 0.95}},
        "unselected": {"marker": {"opacity": 0.12}},
    }


def _agreement(table: pd.DataFrame) -> dict[str, Any]:
    known = table[table["agreement"].notna()]
    bar = {
        "title": {"text": "agree", "font": TYPE},
        "tickformat": ".0%",
        "tickfont": TYPE,
        "thickness": 14,
        "len": 0.7,
    }
    shades = {"color": known["agreement"].to_numpy(np.float32), "colorscale": _AGREEMENT, "cmin": 0.2, "cmax": 1.0}
    return _points(known, "agreement", showscale=True, colorbar=bar, **shades)


def _words(face: Any) -> str:
    """Return what the label of a point says."""
    agreement = "" if pd.isna(face.agreement) else f", {face.agreement:.0%} agree"
    return (
        f"<b>{face.label}</b> by FER2013’s label<br>{face.plurality or UNCLEAR} by most annotators{agreement}<br>"
        f"{face.prediction} predicted, {face.confidence:.0%}<br>{face.split}, row {face.row}"
    )
