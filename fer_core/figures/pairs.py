"""Who is better than whom: a square of models with differences in points."""

from __future__ import annotations

import altair as alt
import pandas as pd

from fer_core.figures.models import FONT, TITLES_IN_LINES, model_axis

_MINUS, _NOTHING, _PLUS = "#B2560D", "#EDEDED", "#084C7F"

ROOM = 36
"""Pixels a column from which words fit. In less, columns have the rows' numbers, and colours and tooltips tell."""

_NUMBER = "format(indexof(domain('y'), datum.value) + 1, 'd')"


def pair_matrix(both: pd.DataFrame, order: list[str]) -> alt.LayerChart:
    """Return the difference in accuracy of each row's model minus each column's, in percentage points.

    Clear differences are coloured; the others are in brackets on grey.

    Args:
        both: every pair both ways: `first`, `second`, `difference`, `low`, `high`, `p_holm`, `clear`, `words`,
            `only_first`, `only_second`.
        order: the models' titles, the best first.
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
            alt.Tooltip("only_first:Q", format=",", title="only this one right"),
            alt.Tooltip("only_second:Q", format=",", title="only the other right"),
            alt.Tooltip("p_holm:Q", format=".2g", title="p (Holm)"),
        ],
    )  # fmt: skip
    scale = alt.Scale(domain=[-most, 0, most], range=[_MINUS, _NOTHING, _PLUS])
    squares = base.mark_rect(cornerRadius=3).encode(color=alt.Color("shade:Q", scale=scale, legend=None))
    words = base.mark_text(fontSize=FONT, opacity=alt.expr(f"{narrow} ? 0 : 1")).encode(
        text="words:N",
        color=alt.when("datum.strong").then(alt.value("white")).otherwise(alt.value("#16202B")),
    )
    return alt.LayerChart(layer=[squares, words], data=table, height=120 + 44 * len(order))
