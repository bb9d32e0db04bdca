"""Accuracy and confidence of models on faces that are degraded more and more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt
import pandas as pd

from fer_core.figures.style import FONT, PLOT_HEIGHT, axis, model_color

HEIGHT: Final = 260


def robustness_chart(
    curves: pd.DataFrame, title: str, unit: str, key: Sequence[str], focus: str | None = None
) -> alt.LayerChart:
    """Return accuracy over the strengths of one kind of degradation; for one model also its mean confidence, dashed.

    Args:
        curves: `model`, `strength` (0 is clean), `words` (the level as text), `accuracy`, `low`, `high`, `confidence`.
        title: of the kind.
        unit: of its levels.
        key: models of a separate `model_key`.
        focus: model to emphasize, with 95 % intervals and its confidence; None for none.
    """
    order = list(curves.sort_values("strength")["words"].unique())
    front = curves[curves["model"] == focus]
    x = alt.X(
        "words:O",
        sort=order,
        axis=alt.Axis(
            title=unit.capitalize(),
            labelFontSize=FONT,
            titleFontSize=FONT,
            labelAngle=0,
            labelOverlap=False,
            labelFlush=False,  # "clean" stands below its point
        ),
    )
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart(curves).encode(
        x=x,
        color=model_color(key, legend=False),
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("words:N", title=unit),
            alt.Tooltip("accuracy:Q", format=".1%"),
            alt.Tooltip("confidence:Q", format=".1%", title="mean confidence"),
        ],
    )
    others = base if focus is None else base.transform_filter(alt.datum.model != focus)
    accuracy = alt.Y("accuracy:Q", scale=scale, axis=axis("Accuracy" if front.empty else "Accuracy, confidence"))
    strong = base.transform_filter(alt.datum.model == focus)
    width, opacity = (2.5, 1.0) if focus is None else (2.0, 0.5)
    layers = [others.mark_line(strokeWidth=width, opacity=opacity).encode(y=accuracy)]
    if not front.empty:
        layers += [
            strong.mark_line(strokeWidth=3, strokeDash=[7, 4]).encode(y=alt.Y("confidence:Q", scale=scale)),
            strong.mark_line(strokeWidth=4, point=alt.OverlayMarkDef(size=60, filled=True)).encode(y=accuracy),
            strong.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q"),
        ]
    heading = alt.TitleParams(title, anchor="start", fontSize=FONT + 1)
    return alt.LayerChart(layer=layers, title=heading, height=HEIGHT, autosize=PLOT_HEIGHT)
