"""Charts of how long, and when, each expression showed in a video."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt
import pandas as pd

from fer_core.figures.probabilities import FONT, INK, LABEL_ROOM, ROW
from fer_core.labels import COLORS, EXPRESSIONS

AXIS_FONT: Final = 14
STRIP: Final = 34
"""Pixels of one face's strip; to the next one are 14 more."""

SHORT: Final = 0.12
"""A stretch of less than this share of the time is too narrow for its word."""

_SCALE: Final = alt.Scale(domain=list(EXPRESSIONS), range=[COLORS[name] for name in EXPRESSIONS])


def time_share_bars(shares: pd.DataFrame) -> alt.LayerChart:
    """Return seven bars: the share of time for which a face, or all faces together, showed each expression.

    Args:
        shares: seven rows with `expression`, `seconds` and `share` (0 to 1).
    """
    percent = [_percent(float(share)) for share in shares["share"]]
    table = shares[["expression", "seconds", "share"]].assign(percent=percent)
    most = float(table["share"].max())
    axis = alt.Axis(
        title=None, labelFontSize=FONT, labelColor=INK, labelPadding=8, ticks=False, domain=False, minExtent=84
    )
    base = alt.Chart(table).encode(
        x=alt.X("share:Q", axis=None, scale=alt.Scale(domain=[0, 1 + LABEL_ROOM])),
        y=alt.Y("expression:N", sort=list(EXPRESSIONS), axis=axis),
        tooltip=[
            alt.Tooltip("expression:N"),
            alt.Tooltip("share:Q", format=".1%", title="share of time"),
            alt.Tooltip("seconds:Q", format=".1f"),
        ],
    )
    bars = base.mark_bar(height=ROW - 12, cornerRadiusEnd=4).encode(
        color=alt.Color("expression:N", scale=_SCALE, legend=None)
    )
    words = [
        base.transform_filter((alt.datum.share == most) == bold)
        .mark_text(align="left", dx=7, color=INK, fontSize=FONT, fontWeight="bold" if bold else "normal")
        .encode(text="percent:N")
        for bold in (True, False)
    ]
    return alt.LayerChart(layer=[bars, *words], data=table, height=ROW * len(EXPRESSIONS))


def expression_strips(runs: pd.DataFrame, faces: Sequence[int], end: float) -> alt.LayerChart:
    """Return one strip a face: when it showed which expression; gaps where it was not found.

    Args:
        runs: `face`, `expression`, `start` and `end` in seconds.
        faces: which faces, from top to bottom.
        end: seconds at the right end.
    """
    table = runs[runs["face"].isin(list(faces))]
    names = table["face"].map(lambda number: f"Face {number}")
    table = table.assign(name=names, wide=(table["end"] - table["start"]) >= SHORT * end)
    table = table.assign(middle=(table["start"] + table["end"]) / 2)[
        ["name", "expression", "start", "end", "middle", "wide"]
    ]
    rows = alt.Y(
        "name:N",
        sort=[f"Face {number}" for number in faces],
        axis=alt.Axis(title=None, labelFontSize=FONT, labelColor=INK, ticks=False, domain=False, labelPadding=8),
    )
    seconds = alt.Scale(domain=[0, end], nice=False)
    axis = alt.Axis(
        title="Seconds",
        labelFontSize=AXIS_FONT,
        titleFontSize=AXIS_FONT,
        labelColor=INK,
        titleColor=INK,
        grid=False,
        tickCount=8,
    )
    legend = alt.Legend(
        title=None, orient="top", columns=4, labelFontSize=AXIS_FONT, labelColor=INK, symbolType="square"
    )
    base = alt.Chart(table).encode(y=rows)
    bars = base.mark_bar(height=STRIP).encode(
        x=alt.X("start:Q", scale=seconds, axis=axis),
        x2="end:Q",
        color=alt.Color("expression:N", scale=_SCALE, legend=legend),
        tooltip=[
            alt.Tooltip("name:N", title="face"),
            alt.Tooltip("expression:N"),
            alt.Tooltip("start:Q", format=".2f", title="from second"),
            alt.Tooltip("end:Q", format=".2f", title="to second"),
        ],
    )
    words = (
        base.transform_filter(alt.datum.wide)
        .mark_text(fontSize=AXIS_FONT, fontWeight="bold", color="#111111")
        .encode(x=alt.X("middle:Q", scale=seconds), text="expression:N")
    )
    return alt.LayerChart(layer=[bars, words], data=table, height=len(faces) * (STRIP + 14) + 160)


def time_share_text(shares: pd.DataFrame) -> str:
    """Return the shares in words, the largest first, for those who cannot see the chart.

    Args:
        shares: as for `time_share_bars`.
    """
    shown = shares[shares["share"] > 0].sort_values("share", ascending=False, kind="stable")
    return ", ".join(
        f"{name} {_percent(float(share))}" for name, share in zip(shown["expression"], shown["share"], strict=True)
    )


def _percent(share: float) -> str:
    return "< 1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")
