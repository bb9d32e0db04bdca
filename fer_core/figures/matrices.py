"""Matrices: confusion of one model, the difference of two, and the pairwise differences of all models."""

from __future__ import annotations

from typing import Any, Final

import altair as alt
import pandas as pd

from fer_core.figures.style import DIVERGING, FONT, MUTED, ON_FILL, TITLES_IN_LINES, model_axis
from fer_core.labels import EXPRESSIONS

CELL: Final = "cell"
"""Name of the selection; after a click it is `{"cell": [{"actual": …, "predicted": …}]}`."""

SIZE: Final = 480

ROOM: Final = 36
"""Width in pixels of a column of `pair_matrix` that has room for text. Narrower ones show the numbers of the rows."""

_LIGHT, _DARK = "#E8EEF4", "#084C7F"
_NUMBER = "format(indexof(domain('y'), datum.value) + 1, 'd')"
_FRAMES: Final = alt.Scale(domain=["no", "yes"], range=["transparent", "#E0457B"])


def confusion_chart(cells: pd.DataFrame, values: str, chosen: tuple[str, str] | None = None) -> alt.LayerChart:
    """Return the confusion matrix of one model: actual expressions in rows, predicted ones in columns.

    The colour is always the share of the row, so that rare expressions are visible.

    Args:
        cells: columns `actual`, `predicted`, `count`, `rate`.
        values: "counts" or "rates", the text in the cells.
        chosen: actual and predicted expression of the cell to highlight.
    """
    words = [f"{c:,}" for c in cells["count"]] if values == "counts" else [_percent(r) for r in cells["rate"]]
    table = cells.assign(words=words, strong=cells["rate"] > 0.45)
    color = alt.Color("rate:Q", scale=alt.Scale(domain=[0, 1], range=[_LIGHT, _DARK]), legend=None)
    return _squares(table, color, chosen, signed=False)


def difference_chart(cells: pd.DataFrame, values: str, chosen: tuple[str, str] | None = None) -> alt.LayerChart:
    """Return the difference of two confusion matrices: blue where the first model has more faces, orange where fewer.

    Args:
        cells: columns `actual`, `predicted`, `count`, `rate`, first model minus second.
        values: "counts" or "rates", the text in the cells.
        chosen: actual and predicted expression of the cell to highlight.
    """
    words = (
        [f"{c:+,}" if c else "0" for c in cells["count"]]
        if values == "counts"
        else [_points(rate) for rate in cells["rate"]]
    )
    most = max(float(cells["rate"].abs().max()), 0.01)
    table = cells.assign(words=words, strong=cells["rate"].abs() > 0.55 * most)
    scale = alt.Scale(domain=[-most, 0, most], range=list(DIVERGING))
    return _squares(table, alt.Color("rate:Q", scale=scale, legend=None), chosen, signed=True)


def pair_matrix(both: pd.DataFrame, order: list[str]) -> alt.LayerChart:
    """Return the accuracy of the model in each row minus that of the model in each column, in percentage points.

    Significant differences are coloured; the others are grey and in brackets.

    Args:
        both: every pair in both orders: `first`, `second`, `difference`, `low`, `high`, `p_holm`, `clear`, `words`,
            `only_first`, `only_second`.
        order: titles of the models, the best first.
    """
    most = max(float(both["difference"].abs().max()), 0.001)
    table = both.assign(shade=both["difference"].where(both["clear"], 0.0), points=100 * both["difference"])
    table = table.assign(strong=table["shade"].abs() > 0.5 * most)
    narrow = f"width < {ROOM * len(order)}"
    base = alt.Chart().encode(
        x=alt.X("second:N", sort=order, axis=model_axis(
            labelExpr=f"{narrow} ? {_NUMBER} : {TITLES_IN_LINES}", labelAngle=alt.expr(f"{narrow} ? 0 : -40"),
            labelAlign=alt.expr(f"{narrow} ? 'center' : 'right'"), labelLimit=160,
        )),
        y=alt.Y("first:N", sort=order, axis=model_axis(
            labelExpr=f"{narrow} ? split({_NUMBER} + '  ' + join({TITLES_IN_LINES}, '|'), '|') : {TITLES_IN_LINES}",
            labelLimit=160,
        )),
        tooltip=[
            alt.Tooltip("first:N", title="this model"),
            alt.Tooltip("second:N", title="minus this one"),
            alt.Tooltip("difference:Q", format="+.2%"),
            alt.Tooltip("low:Q", format="+.2%", title="95 % interval from"),
            alt.Tooltip("high:Q", format="+.2%", title="to"),
            alt.Tooltip("only_first:Q", format=",", title="only this one correct"),
            alt.Tooltip("only_second:Q", format=",", title="only the other correct"),
            alt.Tooltip("p_holm:Q", format=".2g", title="p (Holm)"),
        ],
    )  # fmt: skip
    scale = alt.Scale(domain=[-most, 0, most], range=list(DIVERGING))
    squares = base.mark_rect(cornerRadius=3).encode(color=alt.Color("shade:Q", scale=scale, legend=None))
    words = base.mark_text(fontSize=FONT, opacity=alt.expr(f"{narrow} ? 0 : 1")).encode(
        text="words:N",
        color=alt.when("datum.strong").then(alt.value("white")).otherwise(alt.value(ON_FILL)),
    )
    return alt.LayerChart(layer=[squares, words], data=table, height=120 + 44 * len(order))


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
        color=alt.when("datum.strong").then(alt.value("white")).otherwise(alt.value(ON_FILL)),
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
