"""Confusion tables as squares to click on: counts, shares of each row, or the difference of two models."""

from __future__ import annotations

from typing import Any, Final

import altair as alt
import pandas as pd

from fer_core.figures.models import FONT, MUTED
from fer_core.labels import EXPRESSIONS

CELL: Final = "cell"
"""Name of the selection: `{"cell": [{"actual": …, "predicted": …}]}` after a click."""

SIZE: Final = 480

_LIGHT, _DARK = "#E8EEF4", "#084C7F"
_MINUS, _NOTHING, _PLUS = "#B2560D", "#EDEDED", "#084C7F"
_INK: Final = "#16202B"
_FRAMES: Final = alt.Scale(domain=["no", "yes"], range=["transparent", "#E0457B"])


def confusion_chart(cells: pd.DataFrame, values: str, chosen: tuple[str, str] | None = None) -> alt.LayerChart:
    """Return one model's confusion table: actual expression in rows, predicted in columns.

    Cells are coloured by their share of the row either way, so that rare expressions can be seen.

    Args:
        cells: `actual`, `predicted`, `count`, `rate`.
        values: "counts" or "rates": what is written in the cells.
        chosen: actual and predicted of the cell to frame.
    """
    words = [f"{c:,}" for c in cells["count"]] if values == "counts" else [_percent(r) for r in cells["rate"]]
    table = cells.assign(words=words, strong=cells["rate"] > 0.45)
    color = alt.Color("rate:Q", scale=alt.Scale(domain=[0, 1], range=[_LIGHT, _DARK]), legend=None)
    return _squares(table, color, chosen, signed=False)


def difference_chart(cells: pd.DataFrame, values: str, chosen: tuple[str, str] | None = None) -> alt.LayerChart:
    """Return the difference of two confusion tables: blue where the first model has more, orange where it has fewer.

    Args:
        cells: `actual`, `predicted`, `count`, `rate`, first model minus second.
        values: "counts" or "rates".
        chosen: actual and predicted of the cell to frame.
    """
    words = (
        [f"{c:+,}" if c else "0" for c in cells["count"]]
        if values == "counts"
        else [_points(rate) for rate in cells["rate"]]
    )
    most = max(float(cells["rate"].abs().max()), 0.01)
    table = cells.assign(words=words, strong=cells["rate"].abs() > 0.55 * most)
    scale = alt.Scale(domain=[-most, 0, most], range=[_MINUS, _NOTHING, _PLUS])
    return _squares(table, alt.Color("rate:Q", scale=scale, legend=None), chosen, signed=True)


def _squares(table: pd.DataFrame, color: alt.Color, chosen: tuple[str, str] | None, signed: bool) -> alt.LayerChart:
    pick = alt.selection_point(name=CELL, fields=["actual", "predicted"], toggle=False, empty=False)
    table = table.assign(frame=[_frame(a, p, chosen) for a, p in zip(table["actual"], table["predicted"], strict=True)])
    rate = alt.Tooltip("rate:Q", format="+.1%" if signed else ".1%", title="of the row")
    base = alt.Chart().encode(
        x=alt.X("predicted:N", sort=list(EXPRESSIONS), axis=_axis("Predicted", -40), scale=alt.Scale(padding=0.03)),
        y=alt.Y("actual:N", sort=list(EXPRESSIONS), axis=_axis("Actual", 0), scale=alt.Scale(padding=0.03)),
        tooltip=[alt.Tooltip("actual:N"), alt.Tooltip("predicted:N"), alt.Tooltip("count:Q", format=","), rate],
    )
    squares = (
        base.mark_rect(cursor="pointer", cornerRadius=3)
        .encode(
            color=color,
            stroke=alt.Stroke("frame:N", scale=_FRAMES, legend=None),
            strokeWidth=alt.value(4),
        )
        .add_params(pick)
    )
    words = base.mark_text(fontSize=FONT + 3, cursor="pointer").encode(
        text="words:N",
        color=alt.when("datum.strong").then(alt.value("white")).otherwise(alt.value(_INK)),
    )
    return alt.LayerChart(layer=[squares, words], data=table, height=SIZE)


def _frame(actual: str, predicted: str, chosen: tuple[str, str] | None) -> str:
    return "yes" if (actual, predicted) == chosen else "no"


def _axis(title: str, angle: int) -> Any:
    return alt.Axis(
        title=title,
        labelFontSize=FONT + 1,
        titleFontSize=FONT,
        labelAngle=angle,
        labelOverlap=False,
        ticks=False,
        domain=False,
        grid=False,
        titleColor=MUTED,
    )


def _percent(rate: float) -> str:
    return "–" if pd.isna(rate) else f"{100 * rate:.0f}"


def _points(rate: float) -> str:
    return "–" if pd.isna(rate) else f"{100 * rate:+.0f}".replace("+0", "0").replace("-0", "0")
