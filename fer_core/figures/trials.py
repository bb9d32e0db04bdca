"""Charts of the trials of a tuning study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from fer_core.columns import percent_text
from fer_core.figures.theme import ACCENT, FONT, MUTED, axis, category_axis, chart, safe, with_legend

HEIGHT: Final = 340  # in pixels

OUTCOMES: Final = {"finished": (ACCENT, "circle"), "stopped early": (MUTED, "diamond")}
"""Colour and symbol of each state of trials that have an accuracy."""


def tuning_history(table: pd.DataFrame) -> go.Figure:
    """Return a mark for each trial of a study, and a line of the best accuracy so far.

    Args:
        table: one row for each trial: `trial`, `state`, `accuracy` (0 to 1). Trials in other states than `OUTCOMES` or
            without accuracy are left out.

    Raises:
        ValueError: a column is missing.
    """
    trials = _measured(table, "trial")
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": "best so far",
        "x": trials["trial"],
        "y": trials["accuracy"].where(trials["state"] == "finished").cummax().ffill(),
        "line": {"shape": "hv", "width": 3, "color": ACCENT},
        "hovertemplate": "best so far %{y:.1%}<extra></extra>",
    }
    last = max(2.0, float(trials["trial"].max()) if len(trials) else 0.0)
    across = axis("Trial", tickformat="d", range=[0.5, last + 0.5], showgrid=False)
    traces = [line, *_marks(trials, "trial", "Trial")]
    return chart(traces, HEIGHT, xaxis=across, yaxis=axis("Hold-out accuracy"), **with_legend())


def setting_chart(table: pd.DataFrame, setting: str, *, title: str) -> go.Figure:
    """Return the accuracy of the trials by one setting.

    Args:
        table: as in `tuning_history`, with a column for the setting; `learning_rate` gets a logarithmic axis.
        setting: name of the column.
        title: of the axis.
    """
    trials = _measured(table, setting).dropna(subset=[setting])
    if pd.api.types.is_float_dtype(trials[setting]) and setting != "open_layers":
        kind = "log" if setting == "learning_rate" else "linear"
        across = axis(title, tickformat="~g", type=kind, showgrid=False)
    else:
        trials[setting] = [str(value).replace("_", " ").removesuffix(".0") for value in trials[setting]]
        across = axis(title, type="category", showgrid=False, tickangle=0)
    traces = _marks(trials, setting, title)
    return chart(traces, HEIGHT, xaxis=across, yaxis=axis("Hold-out accuracy"), **with_legend())


def importance_bars(shares: Mapping[str, float]) -> go.Figure:
    """Return a bar for each setting of a study, the most important one on top.

    Args:
        shares: label of the setting to the share of the variance in accuracy that it explains, 0 to 1.

    Raises:
        ValueError: there are none.
    """
    if not shares:
        raise ValueError("Expected at least one setting. Received: none")
    order = sorted(shares, key=lambda name: -shares[name])
    names, values = [safe(name) for name in order], [shares[name] for name in order]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": names,
        "text": [f"<b>{percent_text(value)}</b>" for value in values],
        "textposition": "outside",
        "textfont": {"size": FONT},
        "cliponaxis": False,
        "marker": {"color": ACCENT, "cornerradius": 2},
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
    }
    title, span = "Share of the variance that it explains", [0, 1.25 * max(0.05, *values)]
    across = axis(title, range=span, nticks=4, fixedrange=True)
    return chart([bars], 96 + 40 * len(order), xaxis=across, yaxis=category_axis(names), dragmode=False)


def _marks(trials: pd.DataFrame, column: str, title: str) -> list[dict[str, Any]]:
    parts = {outcome: trials[trials["state"] == outcome] for outcome in OUTCOMES}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": outcome,
            "x": part[column],
            "y": part["accuracy"],
            "marker": {"color": OUTCOMES[outcome][0], "symbol": OUTCOMES[outcome][1], "size": 12},
            "customdata": part["trial"],
            "hovertemplate": f"trial %{{customdata}}, {outcome}<br>{safe(title)}: %{{x}}<br>"
            "hold-out accuracy %{y:.1%}<extra></extra>",
        }
        for outcome, part in parts.items()
    ]


def _measured(table: pd.DataFrame, column: str) -> pd.DataFrame:
    needed = list(dict.fromkeys(["trial", "state", "accuracy", column]))
    if missing := [name for name in needed if name not in table]:
        raise ValueError(f"Expected the columns trial, state, accuracy and {column}. Missing: {', '.join(missing)}")
    kept = table[table["state"].isin(OUTCOMES) & table["accuracy"].notna()]
    return kept[needed].sort_values("trial").reset_index(drop=True)
