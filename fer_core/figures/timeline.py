"""How the seven probabilities of one face went over time."""

from __future__ import annotations

from typing import Any, Final

import altair as alt
import pandas as pd

from fer_core.labels import COLORS, EXPRESSIONS

FONT: Final = 15
INK: Final = "currentColor"  # the page's own text colour, in light and dark
HEIGHT: Final = 360
MAX_GAP: Final = 1.0  # seconds without the face; a longer gap breaks its lines, unless most steps are that long
WORD_ROOM: Final = 0.14  # of the time axis, right of the last moment: the leading expression's word stands there


def timeline_chart(
    table: pd.DataFrame, start: float | None = None, stop: float | None = None, title: str = "Seconds"
) -> alt.LayerChart:
    """Return one line an expression; the expression that leads at the end is named there.

    Args:
        table: one row a moment of one face: `seconds`, and a column for each of `labels.EXPRESSIONS`. Further columns
            do no harm. May be empty.
        start: where the time axis begins; None: at the first moment.
        stop: where it ends; None: at the last moment.
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
        color=alt.Color("expression:N", scale=_colors(), legend=_legend()),
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
            align="left", dx=8, fontSize=FONT, fontWeight="bold", color=INK
        )
        layers.append(word.encode(text="word:N", color=alt.value(INK)))
    return alt.LayerChart(layer=layers, data=lines, height=HEIGHT)


def _span(seconds: pd.Series, start: float | None, stop: float | None) -> tuple[float, float]:
    low = start if start is not None else float(seconds.min()) if len(seconds) else 0.0
    high = stop if stop is not None else float(seconds.max()) if len(seconds) else 1.0
    return low, max(high, low + 1e-3)


def _colors() -> alt.Scale:
    return alt.Scale(domain=list(EXPRESSIONS), range=[COLORS[name] for name in EXPRESSIONS])


def _axis(title: str, **more: Any) -> alt.Axis:
    return alt.Axis(title=title, labelFontSize=FONT, titleFontSize=FONT, labelColor=INK, titleColor=INK, **more)


def _legend() -> alt.Legend:
    return alt.Legend(
        title=None, orient="top", columns=3, labelFontSize=FONT, labelColor=INK, symbolStrokeWidth=5, symbolSize=200
    )
