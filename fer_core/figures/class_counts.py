"""How many faces of each expression there are: one bar an expression, its parts behind each other."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

from fer_core.figures.models import FONT
from fer_core.labels import COLORS, EXPRESSIONS

ROW: Final = 34
OPACITIES: Final = (1.0, 0.4)
"""Of the first and the second part."""

_SCALE: Final = alt.Scale(domain=list(EXPRESSIONS), range=[COLORS[name] for name in EXPRESSIONS])


def class_counts(counts: pd.DataFrame) -> alt.LayerChart:
    """Return seven bars, each with its number; a second part follows the first, paler.

    Args:
        counts: index the expressions, one or two columns of whole numbers named as the parts are ("training").
    """
    parts = list(counts.columns)
    table = counts.rename_axis("expression").reset_index()
    table["total"] = counts.sum(axis=1).to_numpy()
    table["words"] = [" + ".join(f"{value:,}" for value in row) for row in counts.to_numpy().tolist()]
    long = table.melt(["expression", "total", "words"], parts, "part", "faces")
    long["after"] = long["part"].map({part: place for place, part in enumerate(parts)})
    most = max(1.0, float(table["total"].max()))
    rows = alt.Y(
        "expression:N",
        sort=list(EXPRESSIONS),
        axis=alt.Axis(title=None, labelFontSize=FONT + 1, ticks=False, domain=False, labelPadding=8, minExtent=70),
    )
    across = alt.Scale(domain=[0, 1.35 * most])  # room for the words
    bars = (
        alt.Chart(long)
        .mark_bar(height=ROW - 12, cornerRadius=2)
        .encode(
            x=alt.X("faces:Q", stack="zero", axis=None, scale=across),
            y=rows,
            order="after:O",
            color=alt.Color("expression:N", scale=_SCALE, legend=None),
            opacity=alt.Opacity(
                "part:N", scale=alt.Scale(domain=parts, range=list(OPACITIES[: len(parts)])), legend=None
            ),
            tooltip=[alt.Tooltip("expression:N"), alt.Tooltip("part:N"), alt.Tooltip("faces:Q", format=",")],
        )
    )
    words = (
        alt.Chart(table)
        .mark_text(align="left", dx=7, fontSize=FONT, color="currentColor")
        .encode(x=alt.X("total:Q", axis=None, scale=across), y=rows, text="words:N")
    )
    return alt.LayerChart(layer=[bars, words], height=ROW * len(EXPRESSIONS))
