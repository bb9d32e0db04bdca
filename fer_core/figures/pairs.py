"""Who is better than whom: a square of models with differences in points."""

from __future__ import annotations

import altair as alt
import pandas as pd

from fer_core.figures.models import FONT, TITLES_IN_LINES

_MINUS, _NOTHING, _PLUS = "#B2560D", "#EDEDED", "#084C7F"


def pair_matrix(both: pd.DataFrame, order: list[str]) -> alt.LayerChart:
    """Return the difference in accuracy of each row's model minus each column's, in percentage points.

    Clear differences are coloured and bold; the others are in brackets on grey.

    Args:
        both: every pair both ways: `first`, `second`, `difference`, `low`, `high`, `p_holm`, `clear`, `words`,
            `only_first`, `only_second`.
        order: the models' titles, the best first.
    """
    most = max(float(both["difference"].abs().max()), 0.001)
    table = both.assign(shade=both["difference"].where(both["clear"], 0.0), points=100 * both["difference"])
    table = table.assign(strong=table["shade"].abs() > 0.5 * most)
    axis = alt.Axis(
        title=None,
        labelExpr=TITLES_IN_LINES,
        labelFontSize=FONT,
        labelLimit=160,
        labelFlush=False,
        ticks=False,
        domain=False,
        grid=False,
    )
    base = alt.Chart().encode(
        x=alt.X(
            "second:N",
            sort=order,
            axis=alt.Axis(**{**axis.to_dict(), "labelAngle": -40, "labelOverlap": False, "orient": "bottom"}),
        ),
        y=alt.Y("first:N", sort=order, axis=axis),
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
    )
    scale = alt.Scale(domain=[-most, 0, most], range=[_MINUS, _NOTHING, _PLUS])
    squares = base.mark_rect(cornerRadius=3).encode(color=alt.Color("shade:Q", scale=scale, legend=None))
    room = 36 * len(order)  # on a narrow screen the words would run into each other: then colours and tooltips tell
    words = base.mark_text(fontSize=FONT, opacity=alt.expr(f"width < {room} ? 0 : 1")).encode(
        text="words:N",
        color=alt.when("datum.strong").then(alt.value("white")).otherwise(alt.value("#16202B")),
    )
    return alt.LayerChart(layer=[squares, words], data=table, height=120 + 44 * len(order))
