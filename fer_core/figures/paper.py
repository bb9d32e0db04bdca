"""The paper's numbers beside ours: hollow where reported, filled where measured here."""

from __future__ import annotations

import altair as alt
import pandas as pd

from fer_core.figures.models import ACCENT, FONT, MUTED, model_axis

SOURCES = ("reported", "measured here")


def paper_chart(marks: pd.DataFrame, title: str) -> alt.LayerChart:
    """Return each variant's reported and measured values of one metric.

    Args:
        marks: `variant`, `source` (one of `SOURCES`), `where`, `value`, `low`, `high` (NaN where reported).
        title: what the metric is called.
    """
    variants = list(dict.fromkeys(marks["variant"]))
    base = alt.Chart().encode(
        y=alt.Y("variant:N", sort=variants, axis=model_axis()),
        tooltip=[
            alt.Tooltip("variant:N"),
            alt.Tooltip("where:N", title="source"),
            alt.Tooltip("value:Q", format=".4f", title=title),
        ],
    )
    across = alt.X(
        "value:Q",
        scale=alt.Scale(zero=False, padding=16),
        axis=alt.Axis(title=title, format=".2f", labelFontSize=FONT, titleFontSize=FONT, tickCount=6),
    )
    color = alt.Color(
        "source:N",
        scale=alt.Scale(domain=list(SOURCES), range=[MUTED, ACCENT]),
        legend=alt.Legend(title=None, orient="top", labelFontSize=FONT, symbolSize=140),
    )
    whiskers = (
        base.mark_rule(strokeWidth=4, strokeCap="round", opacity=0.55)
        .transform_filter("isValid(datum.low)")
        .encode(x=alt.X("low:Q", scale=alt.Scale(zero=False, padding=16)), x2="high:Q", color=color)
    )
    dots = base.mark_point(size=170, strokeWidth=3, opacity=1).encode(
        x=across,
        color=color,
        shape=alt.Shape("source:N", scale=alt.Scale(domain=list(SOURCES), range=["circle", "diamond"])),
        fill=alt.when(alt.datum.source == SOURCES[1]).then(alt.value(ACCENT)).otherwise(alt.value("transparent")),
    )
    return alt.LayerChart(layer=[whiskers, dots], data=marks, height=70 + 36 * len(variants))
