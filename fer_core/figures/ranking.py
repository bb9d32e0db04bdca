"""Models ranked by one metric, with whiskers; F1 by expression in groups of bars."""

from __future__ import annotations

import json

import altair as alt
import pandas as pd

from fer_core.figures.models import ACCENT, FONT, MUTED, PLOT_HEIGHT, axis, model_axis, model_color
from fer_core.labels import EXPRESSIONS

ROW = 40
BAR = 13


def ranking(table: pd.DataFrame, metric: str, title: str, ascending: bool = False) -> alt.LayerChart:
    """Return a dot and a 95 % whisker a model, the best on top.

    Args:
        table: a scoreboard: `model`, the metric's column, and `…_low` and `…_high` of it.
        metric: which column.
        title: what it is called.
        ascending: whether less is better.
    """
    low, high = f"{metric}_low", f"{metric}_high"
    shown = table[["model", metric, low, high]].sort_values(metric, ascending=ascending, kind="stable")
    shown = shown.assign(words=[f"{value:.3f}" for value in shown[metric]])
    room = 0.25 * float(shown[high].max() - shown[low].min()) + 0.005
    scale = alt.Scale(
        domain=[max(0.0, float(shown[low].min()) - room / 3), min(1.0, float(shown[high].max()) + room)],
        nice=False,
        zero=False,
    )
    rows = alt.Y("model:N", sort=list(shown["model"]), axis=model_axis())
    base = alt.Chart().encode(y=rows, tooltip=_tooltip(metric, title, low, high))
    across = alt.X(f"{low}:Q", scale=scale, axis=alt.Axis(
        title=f"{title} with 95 % interval", format=".2f", labelFontSize=FONT, titleFontSize=FONT, tickCount=6
    ))  # fmt: skip
    whiskers = base.mark_rule(strokeWidth=4, strokeCap="round", color=ACCENT, opacity=0.55).encode(
        x=across, x2=f"{high}:Q"
    )
    dots = base.mark_point(filled=True, size=170, opacity=1, color=ACCENT).encode(x=alt.X(f"{metric}:Q", scale=scale))
    words = base.mark_text(align="left", dx=8, fontSize=FONT, fontWeight="bold", color=ACCENT).encode(
        x=alt.X(f"{high}:Q", scale=scale), text="words:N"
    )
    return alt.LayerChart(layer=[whiskers, dots, words], data=shown, height=60 + ROW * len(shown))


def class_bars(table: pd.DataFrame, height: int = BAR) -> alt.LayerChart:
    """Return F1 by expression, one bar a model in each expression's group, with 95 % whiskers.

    Args:
        table: `model`, `expression`, `f1`, `low`, `high` (NaN for none); models keep their order.
        height: of a bar in pixels.
    """
    models = list(dict.fromkeys(table["model"]))
    # One band a bar, a free one after each group: a whisker on an offset inside a band misses its bar's middle.
    places = [[f"{expression}|{k}" for k in range(len(models))] for expression in EXPRESSIONS]
    middles = [group[(len(models) - 1) // 2] for group in places if group]
    rows = alt.Y(
        "place:N",
        scale=alt.Scale(
            domain=[place for group in places for place in [*group, f"{group[0]}|after"]], paddingInner=0.12
        ),
        axis=alt.Axis(
            title=None,
            labelExpr=f"indexof({json.dumps(middles)}, datum.value) < 0 ? '' : split(datum.value, '|')[0]",
            labelFontSize=FONT + 1,
            labelOverlap=False,
            ticks=False,
            domain=False,
            labelPadding=8,
        ),
    )
    table = table.assign(place=[f"{e}|{models.index(m)}" for e, m in zip(table.expression, table.model, strict=True)])
    tooltip = [
        alt.Tooltip("model:N"),
        alt.Tooltip("expression:N"),
        alt.Tooltip("f1:Q", format=".3f", title="F1"),
        alt.Tooltip("low:Q", format=".3f", title="95 % interval from"),
        alt.Tooltip("high:Q", format=".3f", title="to"),
    ]
    unit = alt.Scale(domain=[0, 1])
    base = alt.Chart().encode(y=rows, tooltip=tooltip)
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        x=alt.X("f1:Q", scale=unit, axis=axis("F1 with 95 % interval", percent=False)),
        color=model_color(models),
    )
    whiskers = (
        base.mark_rule(strokeWidth=2, color=MUTED)
        .transform_filter("isValid(datum.low)")
        .encode(x=alt.X("low:Q", scale=unit), x2="high:Q")
    )
    total = (height + 2) * (len(models) + 1) * len(EXPRESSIONS)
    return alt.LayerChart(layer=[bars, whiskers], data=table, height=total, autosize=PLOT_HEIGHT)


def _tooltip(metric: str, title: str, low: str, high: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("model:N"),
        alt.Tooltip(f"{metric}:Q", format=".4f", title=title),
        alt.Tooltip(f"{low}:Q", format=".4f", title="95 % interval from"),
        alt.Tooltip(f"{high}:Q", format=".4f", title="to"),
    ]
