"""Charts of the seven probabilities of one face, readable from the back row."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.labels import COLORS, EXPRESSIONS, NUM_CLASSES

ROW = 44
"""Pixels from one bar to the next."""

FONT = 18
"""Pixels of words and percentages: a little larger than the pages' text."""

INK = "currentColor"
"""The page's own text colour, in light and dark: Streamlit's theme leaves text marks black."""

LABEL_ROOM = 0.22
"""Share of the axis right of 100 % where the percentage of a full bar stands."""


def probability_bars(probabilities: ArrayLike) -> alt.LayerChart:
    """Return seven horizontal bars with word and percentage, the most probable in bold.

    For several models draw one chart each, side by side: their rows line up.

    Args:
        probabilities: `(7,)` in the order of `labels.EXPRESSIONS`.

    Raises:
        ValueError: another shape.
    """
    return _layered(_table(probabilities), _bars(), *_percentages())


def probability_change(before: ArrayLike, after: ArrayLike) -> alt.LayerChart:
    """Return the bars of `after` before wider gray ones of `before`.

    Args:
        before: `(7,)` probabilities of the picture as it was.
        after: `(7,)` probabilities of the changed picture.

    Raises:
        ValueError: another shape.
    """
    table = _table(after)
    table["before"] = _seven(before)
    table["furthest"] = table[["before", "probability"]].max(axis=1)
    ghosts = (
        alt.Chart()
        .mark_bar(height=ROW - 6, cornerRadiusEnd=4, color="#8A94A0", opacity=0.4)
        .encode(x=_share("before"), y=_rows(), tooltip=_tooltip("before"))
    )
    return _layered(table, ghosts, _bars(height=ROW - 22), *_percentages("furthest"))


def probability_text(probabilities: ArrayLike, top: int = 3) -> str:
    """Return the most probable expressions in words, for those who cannot see the chart.

    Args:
        probabilities: `(7,)` in the order of `labels.EXPRESSIONS`.
        top: how many to name.

    Example:
        >>> probability_text([0.1, 0, 0, 0.9, 0, 0, 0], top=2)
        'happy 90 %, angry 10 %'
    """
    values = _seven(probabilities)
    best = np.argsort(-values, kind="stable")[:top]
    return ", ".join(f"{EXPRESSIONS[k]} {_percent(values[k])}" for k in best)


def _table(probabilities: ArrayLike) -> pd.DataFrame:
    values = _seven(probabilities)
    return pd.DataFrame(
        {
            "expression": EXPRESSIONS,
            "probability": values,
            "percent": [_percent(value) for value in values],
            "best": values == values.max(),
        }
    )


def _seven(probabilities: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(probabilities, dtype=np.float64)
    if values.shape != (NUM_CLASSES,):
        raise ValueError(f"Expected probabilities of shape (7,). Received: {values.shape}")
    return values


def _percent(share: float) -> str:
    return "< 1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def _rows() -> alt.Y:
    axis = alt.Axis(
        title=None, labelFontSize=FONT, labelColor=INK, labelPadding=8, ticks=False, domain=False, minExtent=84
    )
    return alt.Y("expression:N", sort=list(EXPRESSIONS), axis=axis)


def _share(field: str) -> alt.X:
    return alt.X(f"{field}:Q", axis=None, scale=alt.Scale(domain=[0, 1 + LABEL_ROOM]))


def _tooltip(field: str) -> list[alt.Tooltip]:
    return [alt.Tooltip("expression:N"), alt.Tooltip(f"{field}:Q", format=".1%")]


def _bars(height: int = ROW - 12) -> alt.Chart:
    colours = alt.Scale(domain=list(EXPRESSIONS), range=[COLORS[name] for name in EXPRESSIONS])
    return (
        alt.Chart()
        .mark_bar(height=height, cornerRadiusEnd=4)
        .encode(
            x=_share("probability"),
            y=_rows(),
            color=alt.Color("expression:N", scale=colours, legend=None),
            tooltip=_tooltip("probability"),
        )
    )


def _percentages(end: str = "probability") -> list[alt.Chart]:
    """The percentage after each bar, which ends at the field `end`; the most probable in bold."""
    return [
        alt.Chart()
        .transform_filter(f"datum.best === {'true' if best else 'false'}")
        .mark_text(align="left", dx=7, color=INK, fontSize=FONT, fontWeight="bold" if best else "normal")
        .encode(x=_share(end), y=_rows(), text="percent:N")
        for best in (True, False)
    ]


def _layered(table: pd.DataFrame, *layers: Any) -> alt.LayerChart:
    return alt.LayerChart(layer=list(layers), data=table, height=ROW * NUM_CLASSES)
