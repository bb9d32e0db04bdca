"""Bars of the seven expressions: probabilities, numbers of faces, shares of time."""

from __future__ import annotations

from typing import Any, Final

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.figures.style import EXPRESSION_SCALE, FONT, INK, MUTED, expression_axis, percent_text
from fer_core.labels import EXPRESSIONS, NUM_CLASSES

ROW: Final = 44
"""Distance of the bars in pixels."""

LARGE: Final = 18
"""Font size in pixels, slightly larger than the text of the pages."""

LABEL_ROOM: Final = 0.22
"""Space for the percentage to the right of a full bar, as a share of the axis."""

COUNT_ROW: Final = 34
OPACITIES: Final = (1.0, 0.4)
"""Of the first and the second part of `class_counts`."""


def probability_bars(probabilities: ArrayLike) -> alt.LayerChart:
    """Return seven horizontal bars with percentages, the most probable expression in bold.

    Args:
        probabilities: `(7,)` in the order of `labels.EXPRESSIONS`.

    Raises:
        ValueError: another shape.
    """
    return _layered(_table(probabilities), _bars(), *_percentages())


def probability_change(before: ArrayLike, after: ArrayLike) -> alt.LayerChart:
    """Return the bars of `after` in front of wider gray bars of `before`.

    Args:
        before: `(7,)` probabilities of the original picture.
        after: `(7,)` probabilities of the edited picture.

    Raises:
        ValueError: another shape.
    """
    table = _table(after)
    table["before"] = _seven(before)
    table["furthest"] = table[["before", "probability"]].max(axis=1)
    ghosts = (
        alt.Chart()
        .mark_bar(height=ROW - 6, cornerRadiusEnd=4, color=MUTED, opacity=0.4)
        .encode(x=_share("before"), y=expression_axis(LARGE), tooltip=_tooltip("before"))
    )
    return _layered(table, ghosts, _bars(height=ROW - 22), *_percentages("furthest"))


def probability_text(probabilities: ArrayLike, top: int = 3) -> str:
    """Return the most probable expressions as text, for the chart's alternative text.

    Args:
        probabilities: `(7,)` in the order of `labels.EXPRESSIONS`.
        top: number of expressions.

    Example:
        >>> probability_text([0.1, 0, 0, 0.9, 0, 0, 0], top=2)
        'happy 90 %, angry 10 %'
    """
    values = _seven(probabilities)
    best = np.argsort(-values, kind="stable")[:top]
    return ", ".join(f"{EXPRESSIONS[k]} {percent_text(values[k])}" for k in best)


def class_counts(counts: pd.DataFrame) -> alt.LayerChart:
    """Return the number of faces of each expression, as stacked bars if there are two parts.

    Args:
        counts: indexed by expression, with one or two columns of integers named after the parts ("training").
    """
    parts = list(counts.columns)
    table = counts.rename_axis("expression").reset_index()
    table["total"] = counts.sum(axis=1).to_numpy()
    table["words"] = [" + ".join(f"{value:,}" for value in row) for row in counts.to_numpy().tolist()]
    long = table.melt(["expression", "total", "words"], parts, "part", "faces")
    long["after"] = long["part"].map({part: place for place, part in enumerate(parts)})
    most = max(1.0, float(table["total"].max()))
    rows = expression_axis(FONT + 1, 70, alt.Undefined)
    across = alt.Scale(domain=[0, 1.35 * most])  # room for the text
    bars = (
        alt.Chart(long)
        .mark_bar(height=COUNT_ROW - 12, cornerRadius=2)
        .encode(
            x=alt.X("faces:Q", stack="zero", axis=None, scale=across),
            y=rows,
            order="after:O",
            color=alt.Color("expression:N", scale=EXPRESSION_SCALE, legend=None),
            opacity=alt.Opacity(
                "part:N", scale=alt.Scale(domain=parts, range=list(OPACITIES[: len(parts)])), legend=None
            ),
            tooltip=[alt.Tooltip("expression:N"), alt.Tooltip("part:N"), alt.Tooltip("faces:Q", format=",")],
        )
    )
    words = (
        alt.Chart(table)
        .mark_text(align="left", dx=7, fontSize=FONT, color=INK)
        .encode(x=alt.X("total:Q", axis=None, scale=across), y=rows, text="words:N")
    )
    return alt.LayerChart(layer=[bars, words], height=COUNT_ROW * len(EXPRESSIONS))


def time_share_bars(shares: pd.DataFrame) -> alt.LayerChart:
    """Return the share of time of each expression, for one face or for all faces together.

    Args:
        shares: seven rows with the columns `expression`, `seconds` and `share` (0 to 1).
    """
    percent = [percent_text(float(share)) for share in shares["share"]]
    table = shares[["expression", "seconds", "share"]].assign(percent=percent)
    most = float(table["share"].max())
    base = alt.Chart(table).encode(
        x=_share("share"),
        y=expression_axis(LARGE),
        tooltip=[
            alt.Tooltip("expression:N"),
            alt.Tooltip("share:Q", format=".1%", title="share of time"),
            alt.Tooltip("seconds:Q", format=".1f"),
        ],
    )
    bars = base.mark_bar(height=ROW - 12, cornerRadiusEnd=4).encode(
        color=alt.Color("expression:N", scale=EXPRESSION_SCALE, legend=None)
    )
    words = [
        base.transform_filter((alt.datum.share == most) == bold)
        .mark_text(align="left", dx=7, color=INK, fontSize=LARGE, fontWeight="bold" if bold else "normal")
        .encode(text="percent:N")
        for bold in (True, False)
    ]
    return alt.LayerChart(layer=[bars, *words], data=table, height=ROW * len(EXPRESSIONS))


def time_share_text(shares: pd.DataFrame) -> str:
    """Return the shares of `time_share_bars` as text, the largest first, for the chart's alternative text."""
    shown = shares[shares["share"] > 0].sort_values("share", ascending=False, kind="stable")
    return ", ".join(
        f"{name} {percent_text(float(share))}" for name, share in zip(shown["expression"], shown["share"], strict=True)
    )


def _table(probabilities: ArrayLike) -> pd.DataFrame:
    values = _seven(probabilities)
    return pd.DataFrame(
        {
            "expression": EXPRESSIONS,
            "probability": values,
            "percent": [percent_text(value) for value in values],
            "best": values == values.max(),
        }
    )


def _seven(probabilities: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(probabilities, dtype=np.float64)
    if values.shape != (NUM_CLASSES,):
        raise ValueError(f"Expected probabilities of shape (7,). Received: {values.shape}")
    return values


def _share(field: str) -> alt.X:
    return alt.X(f"{field}:Q", axis=None, scale=alt.Scale(domain=[0, 1 + LABEL_ROOM]))


def _tooltip(field: str) -> list[alt.Tooltip]:
    return [alt.Tooltip("expression:N"), alt.Tooltip(f"{field}:Q", format=".1%")]


def _bars(height: int = ROW - 12) -> alt.Chart:
    return (
        alt.Chart()
        .mark_bar(height=height, cornerRadiusEnd=4)
        .encode(
            x=_share("probability"),
            y=expression_axis(LARGE),
            color=alt.Color("expression:N", scale=EXPRESSION_SCALE, legend=None),
            tooltip=_tooltip("probability"),
        )
    )


def _percentages(end: str = "probability") -> list[alt.Chart]:
    """Return the percentages to the right of the bars, which end at the field `end`; the largest in bold."""
    return [
        alt.Chart()
        .transform_filter(f"datum.best === {'true' if best else 'false'}")
        .mark_text(align="left", dx=7, color=INK, fontSize=LARGE, fontWeight="bold" if best else "normal")
        .encode(x=_share(end), y=expression_axis(LARGE), text="percent:N")
        for best in (True, False)
    ]


def _layered(table: pd.DataFrame, *layers: Any) -> alt.LayerChart:
    return alt.LayerChart(layer=list(layers), data=table, height=ROW * NUM_CLASSES)
