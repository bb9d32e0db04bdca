"""Curves of several models: ROC, precision-recall, reliability and training."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.model_traces import group_of, hover_of, line_of, opacity_of, shared_hover, whiskers_of
from fer_core.figures.panels import panels
from fer_core.figures.theme import (
    MUTED,
    axis,
    chart,
    legend,
    legend_height,
    model_styles,
    safe,
)

HEIGHT: Final = 360
GUIDE: Final = {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip", "showlegend": False,
                "line": {"color": MUTED, "dash": "dash", "width": 1.5}}  # fmt: skip


def roc_pr_chart(
    roc: pd.DataFrame,
    pr: pd.DataFrame,
    points: pd.DataFrame,
    focus: str | None = None,
    models: Sequence[str] | None = None,
    front: Collection[str] | None = None,
    narrow: bool = False,
) -> go.Figure:
    """Return ROC and precision-recall curves side by side, with the point of each model at a threshold.

    Precision-recall curves have steps, because linear interpolation is too optimistic (Davis and Goadrich 2006, ICML).

    Args:
        roc: `model`, `order`, `x` (false positive rate), `y` (true positive rate), `threshold`, `area`.
        pr: the same with recall and precision.
        points: `model`, `fpr`, `tpr`, `recall`, `precision`, `threshold`; may be empty.
        focus: model to emphasize; None for none.
        models: titles in the order of their colours; default: those of the curves.
        front: models that are shown at first; the others appear on a click in the legend. None for all.
        narrow: whether the screen is as narrow as a phone; the plots are then below one another.
    """
    drawn = list(dict.fromkeys(roc["model"]))
    styles = model_styles(drawn, models)
    traces: list[dict[str, Any]] = [dict(GUIDE)]
    kinds = (
        (roc, "fpr", "tpr", "False positive rate", "True positive rate", "ROC AUC", "linear"),
        (pr, "recall", "precision", "Recall", "Precision", "Average precision", "vh"),
    )
    for panel, (table, across, up, x_title, y_title, area, shape) in enumerate(kinds, start=1):
        places = {"xaxis": f"x{panel}", "yaxis": f"y{panel}"}
        for model in drawn:
            part = table[table["model"] == model].sort_values("order")
            look = {**places, **group_of(model, front, focus, first=panel == 1)}
            if part.empty:
                continue
            hover = (
                f"<b>{safe(model)}</b><br>threshold %{{customdata:.3f}}<br>{x_title} %{{x:.3f}}<br>{y_title} %{{y:.3f}}"
                f"<br>{area} {part['area'].iloc[0]:.3f}<extra></extra>"
            )
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": part["x"].to_numpy(np.float32),  # half the bytes to send
                    "y": part["y"].to_numpy(np.float32),
                    "customdata": part["threshold"].to_numpy(np.float32),
                    "line": line_of(styles[model], model, focus) | {"shape": shape},
                    "opacity": opacity_of(model, focus),
                    "hovertemplate": hover,
                    **look,
                }
            )
            at = points[points["model"] == model]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": at[across],
                    "y": at[up],
                    "customdata": at["threshold"],
                    "marker": {
                        "color": styles[model].color,
                        "symbol": styles[model].symbol,
                        "size": 17 if model == focus else 11,
                        "line": {"color": "white", "width": 1.5},
                    },
                    "hovertemplate": hover,
                    **look,
                    "showlegend": False,
                }
            )
    unit = {"range": [-0.01, 1.01], "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1]}
    return panels(
        traces,
        [
            (title, axis(kind[3], **unit), axis(kind[4], **unit))
            for title, kind in zip(("ROC", "Precision and recall"), kinds, strict=True)
        ],
        HEIGHT,
        len(drawn),
        narrow,
    )


def reliability_chart(
    bins: pd.DataFrame,
    focus: str | None = None,
    models: Sequence[str] | None = None,
    front: Collection[str] | None = None,
    narrow: bool = False,
) -> go.Figure:
    """Return reliability diagrams: the accuracy of each model by its confidence.

    Args:
        bins: `model`, `confidence`, `accuracy`, `low`, `high`, `faces`.
        focus: model to emphasize and to show 95 % intervals of; None for none.
        models, front, narrow: as in `roc_pr_chart`.
    """
    drawn = list(dict.fromkeys(bins["model"]))
    styles = model_styles(drawn, models)
    traces: list[dict[str, Any]] = [dict(GUIDE)]
    for model in drawn:
        part = bins[bins["model"] == model]
        trace = {
            "type": "scatter",
            "mode": "lines+markers",
            "x": part["confidence"],
            "y": part["accuracy"],
            "customdata": part[["faces", "low", "high"]],
            "line": line_of(styles[model], model, focus) | {"dash": "solid"},
            "marker": {"symbol": styles[model].symbol, "size": 11 if model == focus else 8},
            "opacity": opacity_of(model, focus),
            "hovertemplate": hover_of(
                model,
                "accuracy %{y:.1%}",
                "95 % interval %{customdata[1]:.1%} to %{customdata[2]:.1%}, %{customdata[0]:,} faces",
                "mean confidence %{x:.1%}",
                narrow,
            ),
            **group_of(model, front, focus),
        }
        if model == focus:
            trace["error_y"] = whiskers_of(part, styles[model])
        traces.append(trace)
    return chart(
        traces,
        HEIGHT + 60 + legend_height(len(drawn), narrow),
        xaxis=axis(
            "Mean confidence of the bin", range=[0, 1.01], unifiedhovertitle={"text": "Mean confidence about %{x:.0%}"}
        ),
        yaxis=axis("Accuracy", range=[0, 1.01]),
        **shared_hover(narrow),
        showlegend=True,
        legend=legend(),
    )


def confidence_bars(bins: pd.DataFrame) -> go.Figure:
    """Return the distribution of the confidence of one model over the bins of its reliability diagram.

    Bars can be selected.

    Args:
        bins: `from`, `to`, `share`, `faces`.
    """
    bars = {
        "type": "bar",
        "x": (bins["from"] + bins["to"]) / 2,
        "width": (bins["to"] - bins["from"]) * 0.94,
        "y": bins["share"],
        "customdata": bins[["faces", "from", "to"]],
        "marker": {"color": MUTED},
        "hovertemplate": "confidence %{customdata[1]:.0%} to %{customdata[2]:.0%}<br>%{customdata[0]:,} faces, "
        "%{y:.1%}<extra></extra>",
    }
    return chart(
        [bars],
        230,
        xaxis=axis("Confidence", range=[0, 1.01], showgrid=False, fixedrange=True),
        yaxis=axis("Share of faces", nticks=4, fixedrange=True),
        dragmode="select",
    )


def training_chart(
    history: pd.DataFrame,
    models: Sequence[str] | None = None,
    front: Collection[str] | None = None,
    epochs: int | None = None,
    narrow: bool = False,
) -> go.Figure:
    """Return the accuracy and the loss over the epochs: dotted for the training part, solid for the hold-out.

    Args:
        history: `model`, `epoch`, `what` ("accuracy" or "loss"), `faces` ("training" or "hold-out"), `value`.
        epochs: planned number of epochs, for a run in progress: fixes the axis; None otherwise.
        models, front, narrow: as in `roc_pr_chart`.
    """
    drawn = list(dict.fromkeys(history["model"]))
    styles = model_styles(drawn, models)
    few = epochs is not None or history["epoch"].nunique() < 3
    traces = []
    for panel, what in enumerate(("accuracy", "loss"), start=1):
        for model in drawn:
            for faces, dash in (("hold-out", "solid"), ("training", "dot")):
                chosen = (history["what"] == what) & (history["faces"] == faces) & (history["model"] == model)
                part = history[chosen]
                number = ".1%" if what == "accuracy" else ".3f"
                traces.append(
                    {
                        "type": "scatter",
                        "mode": "lines+markers" if few or faces == "hold-out" else "lines",
                        "x": part["epoch"],
                        "y": part["value"],
                        "xaxis": f"x{panel}",
                        "yaxis": f"y{panel}",
                        "line": {"color": styles[model].color, "dash": dash, "width": 2.5},
                        "marker": {"symbol": styles[model].symbol, "size": 7, "maxdisplayed": 0 if few else 8},
                        "hovertemplate": hover_of(model, f"{faces} %{{y:{number}}}", "", "epoch %{x}", narrow),
                        **group_of(model, front, None, first=panel == 1 and faces == "hold-out"),
                    }
                )
    across = {"tickformat": "d", "showgrid": False, "unifiedhovertitle": {"text": "Epoch %{x}"}} | (
        {} if epochs is None else {"range": [0.5, max(2, epochs) + 0.5]}
    )
    return panels(
        traces,
        [
            ("Accuracy", axis("Epoch", **across), axis(None)),
            ("Loss", axis("Epoch", **across), axis(None, tickformat="~g")),
        ],
        HEIGHT,
        len(drawn),
        narrow,
        **shared_hover(narrow),
    )
