"""Charts of a tuning study: its trials, the importance of the settings, and accuracy by one setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import altair as alt
import pandas as pd

from fer_core.figures.style import ACCENT, FONT, MUTED, axis

HEIGHT: Final = 300
BAR: Final = 40
OUTCOMES: Final = ("finished", "stopped early")
"""States of trials that have an accuracy."""


def tuning_history(table: pd.DataFrame) -> alt.LayerChart:
    """Return a mark for each trial, and a line of the best accuracy so far.

    Args:
        table: one row for each trial: `trial`, `state`, `accuracy` (0 to 1). Trials in other states than `OUTCOMES` or
            without accuracy are left out.

    Raises:
        ValueError: a column is missing.
    """
    shown = _shown(table, "trial")
    shown["best"] = shown["accuracy"].where(shown["state"] == "finished").cummax().ffill()
    scale = alt.Scale(zero=False, nice=True)
    x = alt.X(
        "trial:Q",
        scale=alt.Scale(domain=[0.5, max(2.0, float(shown["trial"].max()) if len(shown) else 0.0) + 0.5], nice=False),
        axis=alt.Axis(title="Trial", tickMinStep=1, format="d", labelFontSize=FONT, titleFontSize=FONT, grid=False),
    )
    base = alt.Chart().encode(x=x)
    line = (
        base.mark_line(interpolate="step-after", strokeWidth=3, color=ACCENT)
        .transform_filter("isValid(datum.best)")
        .encode(y=alt.Y("best:Q", scale=scale, axis=axis("Hold-out accuracy")))
    )
    marks = base.mark_point(size=130, filled=True, opacity=1).encode(
        y=alt.Y("accuracy:Q", scale=scale),
        **_outcome(),
        tooltip=[
            alt.Tooltip("trial:Q", title="Trial"),
            alt.Tooltip("state:N", title="Outcome"),
            alt.Tooltip("accuracy:Q", format=".1%", title="Hold-out accuracy"),
        ],
    )
    return alt.LayerChart(layer=[line, marks], data=shown, height=HEIGHT)


def importance_bars(shares: Mapping[str, float]) -> alt.LayerChart:
    """Return a bar for each setting, the most important one on top.

    Args:
        shares: label of the setting to the share of the variance in accuracy that it explains, 0 to 1.

    Raises:
        ValueError: there are none.
    """
    if not shares:
        raise ValueError("Expected at least one setting. Received: none")
    table = pd.DataFrame({"setting": list(shares), "share": list(shares.values())})
    table["words"] = [f"{share:.0%}".replace("%", " %") for share in table["share"]]
    order = list(table.sort_values("share", ascending=False, kind="stable")["setting"])
    top = max(0.05, float(table["share"].max()))
    base = alt.Chart().encode(
        y=alt.Y(
            "setting:N",
            sort=order,
            axis=alt.Axis(title=None, labelFontSize=FONT, labelLimit=190, ticks=False, domain=False, labelPadding=8),
        ),
        x=alt.X(
            "share:Q", scale=alt.Scale(domain=[0, 1.18 * top]), axis=axis("Share of the variance that it explains")
        ),
        tooltip=[alt.Tooltip("setting:N"), alt.Tooltip("share:Q", format=".1%")],
    )
    bars = base.mark_bar(color=ACCENT, cornerRadiusEnd=2)
    words = base.mark_text(align="left", dx=6, fontSize=FONT, fontWeight="bold", color=ACCENT).encode(text="words:N")
    return alt.LayerChart(layer=[bars, words], data=table, height=60 + BAR * len(table))


def setting_chart(table: pd.DataFrame, setting: str, title: str) -> alt.Chart:
    """Return the accuracy of the trials by one setting.

    Args:
        table: as in `tuning_history`, with a column for the setting; `learning_rate` gets a logarithmic axis.
        setting: name of the column.
        title: of the axis.

    Raises:
        ValueError: a column is missing.
    """
    shown = _shown(table, setting).dropna(subset=[setting])
    words: dict[str, Any] = {"title": title, "labelFontSize": FONT, "titleFontSize": FONT}
    if pd.api.types.is_float_dtype(shown[setting]) and setting != "open_layers":
        scale = alt.Scale(type="log" if setting == "learning_rate" else "linear", zero=False, nice=False, padding=12)
        field, x = (
            f"{setting}:Q",
            alt.X(f"{setting}:Q", scale=scale, axis=alt.Axis(**words, format="~g", tickCount=5, grid=False)),
        )
    else:
        shown[setting] = [str(value).replace("_", " ").removesuffix(".0") for value in shown[setting]]
        field, x = f"{setting}:N", alt.X(f"{setting}:N", axis=alt.Axis(**words, labelAngle=0))
    return (
        alt.Chart(shown, height=HEIGHT)
        .mark_point(size=130, filled=True, opacity=0.9)
        .encode(
            x=x,
            y=alt.Y("accuracy:Q", scale=alt.Scale(zero=False, nice=True), axis=axis("Hold-out accuracy")),
            **_outcome(),
            tooltip=[
                alt.Tooltip("trial:Q", title="Trial"),
                alt.Tooltip(field, title=title),
                alt.Tooltip("accuracy:Q", format=".1%", title="Hold-out accuracy"),
            ],
        )
    )


def _shown(table: pd.DataFrame, column: str) -> pd.DataFrame:
    missing = [name for name in ("trial", "state", "accuracy", column) if name not in table]
    if missing:
        raise ValueError(f"Expected the columns trial, state, accuracy and {column}. Missing: {', '.join(missing)}")
    kept = table[table["state"].isin(OUTCOMES) & table["accuracy"].notna()]
    return kept[list(dict.fromkeys(["trial", "state", "accuracy", column]))].sort_values("trial").reset_index(drop=True)


def _outcome() -> dict[str, Any]:
    legend = alt.Legend(title=None, orient="top", labelFontSize=FONT, symbolSize=130)
    return {
        "color": alt.Color("state:N", scale=alt.Scale(domain=list(OUTCOMES), range=[ACCENT, MUTED]), legend=legend),
        "shape": alt.Shape("state:N", scale=alt.Scale(domain=list(OUTCOMES), range=["circle", "diamond"]), legend=None),
    }
