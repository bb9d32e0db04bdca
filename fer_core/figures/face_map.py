"""The map of faces: one point for each face, coloured by what is known of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.columns import percent
from fer_core.figures.theme import LEGEND_LINE, MUTED, PERCENTAGES, SYMBOLS, TYPE, chart, with_legend
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
    """
    if coloring not in COLORINGS:
        raise ValueError(f"Expected one of {', '.join(COLORINGS)}. Received: {coloring}")
    traces = []
    for value, look in _looks(coloring).items():
        part = table[table[coloring] == value] if value is not None else table[table[coloring].notna()]
        if len(part):
            name = coloring if value is None else f"{value or UNCLEAR} ({len(part):,})"
            traces.append(_points(part, name, selected, look))
    hidden = {"visible": False}
    lines = 4 if narrow else 1
    return chart(
        traces,
        (340 if narrow else 480) + LEGEND_LINE * lines,
        margin={"l": 0, "r": 0, "t": 36, "b": LEGEND_LINE * lines + 12},
        xaxis=hidden,
        yaxis=hidden | {"scaleanchor": "x"},
        dragmode="lasso",
        **with_legend() | {"showlegend": coloring != "agreement"},
    )


def _looks(coloring: str) -> dict[str | None, dict[str, Any]]:
    """Return how points of each value are drawn, in the order of the legend; of None, all whose value is known."""
    unclear = {"color": MUTED, "symbol": "circle-open"}
    if coloring == "judged":
        right, wrong = {"color": COLORS["sad"], "symbol": "circle"}, {"color": _WRONG, "symbol": "diamond"}
        return {"right": right, "wrong": wrong, "": unclear}
    if coloring == "agreement":
        text: dict[str, Any] = {"title": {"text": "agree", "font": TYPE}, "tickfont": TYPE, **PERCENTAGES}
        bar = text | {"thickness": 14, "len": 0.7}
        return {None: {"showscale": True, "colorbar": bar, "colorscale": _AGREEMENT, "cmin": 0.2, "cmax": 1.0}}
    looks: dict[str | None, dict[str, Any]] = {
        name: {"color": COLORS[name], "symbol": symbol} for name, symbol in zip(EXPRESSIONS, SYMBOLS, strict=False)
    }
    return looks | {"": unclear}


def _points(table: pd.DataFrame, name: str, selected: Collection[int], look: dict[str, Any]) -> dict[str, Any]:
    color = {} if "color" in look else {"color": table["agreement"].to_numpy(np.float32)}
    chosen = {"selectedpoints": np.flatnonzero(table["row"].isin(list(selected))).tolist()} if selected else {}
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": name,
        "x": table["x"].to_numpy(np.float32),
        "y": table["y"].to_numpy(np.float32),
        "customdata": table["place"].to_numpy(np.int32),
        "hovertext": [_words(face) for face in table.itertuples()],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"size": 6, "opacity": 0.75, **look, **color},
        "selected": {"marker": {"opacity": 0.95}},
        "unselected": {"marker": {"opacity": 0.12}},
        **chosen,
    }


def _words(face: Any) -> str:
    """Return what the label of a point says."""
    agreement = "" if pd.isna(face.agreement) else f", {percent(face.agreement)} agree"
    return (
        f"<b>{face.label}</b> by FER2013’s label<br>{face.plurality or UNCLEAR} by most annotators{agreement}<br>"
        f"{face.prediction} predicted, {percent(face.confidence)}<br>{face.split}, row {face.row}"
    )
