"""Accuracy and confidence of models on faces that are degraded more and more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.model_traces import group_of, hover_of, line_of, opacity_of, shared_hover, whiskers_of
from fer_core.figures.panels import panels
from fer_core.figures.theme import axis, model_styles, safe


def robustness_chart(
    curves: Mapping[str, pd.DataFrame],
    titles: Mapping[str, tuple[str, str]],
    focus: str | None = None,
    models: Sequence[str] | None = None,
    front: Collection[str] | None = None,
    narrow: bool = False,
) -> go.Figure:
    """Return accuracy over the strengths of each kind of degradation; for one model also its mean confidence, dashed.

    Args:
        curves: for each kind `model`, `strength` (0 is clean), `words` (the level as text), `accuracy`, `low`, `high`,
            `confidence`.
        titles: title and unit of each kind.
        focus: model to emphasize, with 95 % intervals and its confidence; None for none.
        models, front, narrow: as in `curves.roc_pr_chart`.
    """
    drawn = list(dict.fromkeys(next(iter(curves.values()))["model"]))
    styles = model_styles(drawn, models)
    traces, layout = [], []
    for panel, (kind, table) in enumerate(curves.items(), start=1):
        title, unit = titles[kind]
        level = f"{safe(unit)} %{{customdata[2]}}"
        places = {"xaxis": f"x{panel}", "yaxis": f"y{panel}"}
        for model in drawn:
            part = table[table["model"] == model].sort_values("strength")
            line = line_of(styles[model], model, focus) | {"dash": "solid"}
            common: dict[str, Any] = {
                "type": "scatter",
                "x": part["strength"],
                "customdata": part[["low", "high", "words"]],
                "opacity": opacity_of(model, focus),
                **places,
            }
            accuracy = {**common, "mode": "lines+markers", "y": part["accuracy"], "line": line}
            accuracy["hovertemplate"] = hover_of(
                model, "accuracy %{y:.1%}", "95 % interval %{customdata[0]:.1%} to %{customdata[1]:.1%}", level, narrow
            )
            accuracy["marker"] = {"symbol": styles[model].symbol, "size": 10 if model == focus else 7}
            if model == focus:
                accuracy["error_y"] = whiskers_of(part, styles[model])
                dashed = {
                    **common,
                    "mode": "lines",
                    "y": part["confidence"],
                    "line": line | {"dash": "dash", "width": 3},
                    "hovertemplate": hover_of(model, "mean confidence %{y:.1%}", "", level, narrow),
                }
                traces.append({**dashed, **group_of(model, front, focus, first=False)})
            traces.append({**accuracy, **group_of(model, front, focus, first=panel == 1)})
        levels = table.drop_duplicates("strength").sort_values("strength")
        ticks = {"tickvals": list(levels["strength"]), "ticktext": list(levels["words"]), "tickangle": 0}
        x = axis(
            unit.capitalize(),
            showgrid=False,
            range=[-0.3, levels["strength"].max() + 0.3],
            unifiedhovertitle={"text": title},
            **ticks,
        )
        layout.append((title, x, axis(None, range=[0, 1], tickvals=[0, 0.25, 0.5, 0.75, 1])))
    return panels(traces, layout, 250, len(drawn), narrow, **shared_hover(narrow))
