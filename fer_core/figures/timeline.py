"""Expressions over time: the probabilities of one face, and the expressions of several faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from fer_core.figures.style import EXPRESSION_SCALE, FONT, INK
from fer_core.labels import EXPRESSIONS

MEDIUM: Final = 15
LARGE: Final = 18  # font sizes in pixels
HEIGHT: Final = 360
MAX_GAP: Final = 1.0  # seconds; a longer gap breaks the lines, unless most steps are that long
WORD_ROOM: Final = 0.14  # space right of the last moment for the name of the leading expression, as a share of the axis
STRIP: Final = 34  # height in pixels of the strip of one face
SHORT: Final = 0.12  # a shorter stretch, as a share of the axis, has no room for its name


def timeline_chart(
    table: pd.DataFrame, start: float | None = None, stop: float | None = None, title: str = "Seconds"
) -> alt.LayerChart:
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
    moments = table[["seconds", *EXPRESSIONS]].sort_values("seconds").reset_index(drop=True)
    steps = moments["seconds"].diff()
    moments["part"] = (steps > max(MAX_GAP, 3 * steps.median())).cumsum()
    lines = moments.melt(["seconds", "part"], list(EXPRESSIONS), "expression", "probability")
    low, high = _span(moments["seconds"], start, stop)
    until = f"datum.value <= {high} ? datum.label : ''"
    scale = alt.Scale(domain=[low, high + WORD_ROOM * (high - low)], nice=False, zero=False)
    base = alt.Chart().encode(
        x=alt.X("seconds:Q", scale=scale, axis=_axis(title, grid=False, labelExpr=until)),
        y=alt.Y("probability:Q", scale=alt.Scale(domain=[0, 1]), axis=_axis("Probability", format=".0%", tickCount=5)),
        color=alt.Color("expression:N", scale=EXPRESSION_SCALE, legend=_legend()),
    )
    drawn = base.mark_line(strokeWidth=3.5, clip=True).encode(
        detail="part:N",
        tooltip=[
            alt.Tooltip("seconds:Q", format=".1f"),
            alt.Tooltip("expression:N"),
            alt.Tooltip("probability:Q", format=".1%"),
        ],
    )
    layers = [drawn]
    if len(moments):
        end = moments.iloc[-1]
        leads = max(EXPRESSIONS, key=lambda name: float(end[name]))
        lines["word"] = ((lines["seconds"] == end["seconds"]) & (lines["expression"] == leads)).map(
            {True: leads, False: None}
        )
        word = base.transform_filter("isValid(datum.word)").mark_text(
            align="left", dx=8, fontSize=MEDIUM, fontWeight="bold", color=INK
        )
        layers.append(word.encode(text="word:N", color=alt.value(INK)))
    return alt.LayerChart(layer=layers, data=lines, height=HEIGHT)


def expression_strips(runs: pd.DataFrame, faces: Sequence[int], end: float) -> alt.LayerChart:
    """Return one strip for each face with its expressions over time, with gaps where it was not found.

    Args:
        runs: columns `face`, `expression`, `start` and `end` in seconds.
        faces: numbers of the faces, from top to bottom.
        end: end of the time axis in seconds.
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
        axis=alt.Axis(title=None, labelFontSize=LARGE, labelColor=INK, ticks=False, domain=False, labelPadding=8),
    )
    seconds = alt.Scale(domain=[0, end], nice=False)
    axis = alt.Axis(
        title="Seconds",
        labelFontSize=FONT,
        titleFontSize=FONT,
        labelColor=INK,
        titleColor=INK,
        grid=False,
        tickCount=8,
    )
    legend = alt.Legend(title=None, orient="top", columns=4, labelFontSize=FONT, labelColor=INK, symbolType="square")
    base = alt.Chart(table).encode(y=rows)
    bars = base.mark_bar(height=STRIP).encode(
        x=alt.X("start:Q", scale=seconds, axis=axis),
        x2="end:Q",
        color=alt.Color("expression:N", scale=EXPRESSION_SCALE, legend=legend),
        tooltip=[
            alt.Tooltip("name:N", title="face"),
            alt.Tooltip("expression:N"),
            alt.Tooltip("start:Q", format=".2f", title="from second"),
            alt.Tooltip("end:Q", format=".2f", title="to second"),
        ],
    )
    words = (
        base.transform_filter(alt.datum.wide)
        .mark_text(fontSize=FONT, fontWeight="bold", color="#111111")
        .encode(x=alt.X("middle:Q", scale=seconds), text="expression:N")
    )
    return alt.LayerChart(layer=[bars, words], data=table, height=len(faces) * (STRIP + 14) + 160)


def _span(seconds: pd.Series, start: float | None, stop: float | None) -> tuple[float, float]:
    low = start if start is not None else float(seconds.min()) if len(seconds) else 0.0
    high = stop if stop is not None else float(seconds.max()) if len(seconds) else 1.0
    return low, max(high, low + 1e-3)


def _axis(title: str, **more: Any) -> alt.Axis:
    return alt.Axis(title=title, labelFontSize=MEDIUM, titleFontSize=MEDIUM, labelColor=INK, titleColor=INK, **more)


def _legend() -> alt.Legend:
    return alt.Legend(
        title=None, orient="top", columns=3, labelFontSize=MEDIUM, labelColor=INK, symbolStrokeWidth=5, symbolSize=200
    )
