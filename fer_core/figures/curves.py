"""Curves of several models: ROC, precision-recall, reliability, training and robustness."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.panels import panels
from fer_core.figures.theme import (
    MUTED,
    ModelStyle,
    axis,
    chart,
    legend,
    legend_height,
    listed,
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
            look = {**places, **_group(model, front, focus, first=panel == 1)}
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
                    "line": _line(styles[model], model, focus) | {"shape": shape},
                    "opacity": _opacity(model, focus),
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
            "line": _line(styles[model], model, focus) | {"dash": "solid"},
            "marker": {"symbol": styles[model].symbol, "size": 11 if model == focus else 8},
            "opacity": _opacity(model, focus),
            "hovertemplate": f"<b>{safe(model)}</b><br>mean confidence %{{x:.1%}}, accuracy %{{y:.1%}}"
            "<br>95 % interval %{customdata[1]:.1%} to %{customdata[2]:.1%}<br>%{customdata[0]:,} faces<extra></extra>",
            **_group(model, front, focus),
        }
        if model == focus:
            trace["error_y"] = _whiskers(part, styles[model])
        traces.append(trace)
    return chart(
        traces,
        HEIGHT + 60 + legend_height(len(drawn), narrow),
        xaxis=axis("Mean confidence of the bin", range=[0, 1.01]),
        yaxis=axis("Accuracy", range=[0, 1.01]),
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
                        "hovertemplate": f"{safe(model)}, {faces}: %{{y:{number}}}<extra></extra>",
                        **_group(model, front, None, first=panel == 1 and faces == "hold-out"),
                    }
                )
    across = {"tickformat": "d", "showgrid": False} | ({} if epochs is None else {"range": [0.5, max(2, epochs) + 0.5]})
    return panels(
        traces,
        [
            ("Accuracy", axis("Epoch", **across), axis(None)),
            ("Loss", axis("Epoch", **across), axis(None, tickformat="~g")),
        ],
        HEIGHT,
        len(drawn),
        narrow,
        hovermode="x unified",
    )


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
        models, front, narrow: as in `roc_pr_chart`.
    """
    drawn = list(dict.fromkeys(next(iter(curves.values()))["model"]))
    styles = model_styles(drawn, models)
    traces, layout = [], []
    for panel, (kind, table) in enumerate(curves.items(), start=1):
        title, unit = titles[kind]
        places = {"xaxis": f"x{panel}", "yaxis": f"y{panel}"}
        for model in drawn:
            part = table[table["model"] == model].sort_values("strength")
            line = _line(styles[model], model, focus) | {"dash": "solid"}
            said = f"{safe(unit)} %{{customdata[0]}}<br>accuracy %{{customdata[1]:.1%}} (95 % interval "
            common: dict[str, Any] = {
                "type": "scatter",
                "x": part["strength"],
                "customdata": part[["words", "accuracy", "low", "high", "confidence"]],
                "hovertemplate": f"<b>{safe(model)}</b><br>{said}%{{customdata[2]:.1%}} to %{{customdata[3]:.1%}})"
                "<br>mean confidence %{customdata[4]:.1%}<extra></extra>",
                "opacity": _opacity(model, focus),
                **places,
            }
            accuracy = {**common, "mode": "lines+markers", "y": part["accuracy"], "line": line}
            accuracy["marker"] = {"symbol": styles[model].symbol, "size": 10 if model == focus else 7}
            if model == focus:
                accuracy["error_y"] = _whiskers(part, styles[model])
                dashed = {
                    **common,
                    "mode": "lines",
                    "y": part["confidence"],
                    "line": line | {"dash": "dash", "width": 3},
                }
                traces.append({**dashed, **_group(model, front, focus, first=False)})
            traces.append({**accuracy, **_group(model, front, focus, first=panel == 1)})
        levels = table.drop_duplicates("strength").sort_values("strength")
        ticks = {"tickvals": list(levels["strength"]), "ticktext": list(levels["words"]), "tickangle": 0}
        x = axis(
            unit.capitalize(), showgrid=False, range=[-0.3, levels["strength"].max() + 0.3], fixedrange=True, **ticks
        )
        layout.append((title, x, axis(None, range=[0, 1], tickvals=[0, 0.25, 0.5, 0.75, 1], fixedrange=True)))
    return panels(traces, layout, 250, len(drawn), narrow, dragmode=False)


def _group(model: str, front: Collection[str] | None, focus: str | None, first: bool = True) -> dict[str, Any]:
    """Return what joins all traces of a model: one entry in the legend shows and hides them together."""
    shown = front if front is None else {*front, focus}
    return {
        "name": safe(model),
        "legendgroup": safe(model),
        "showlegend": first,
        **listed(model, shown),
        "zorder": int(model == focus),
    }


def _line(style: ModelStyle, model: str, focus: str | None) -> dict[str, Any]:
    return {"color": style.color, "dash": style.dash, "width": 4 if model == focus else 2.2}


def _opacity(model: str, focus: str | None) -> float:
    return 1.0 if focus in (None, model) else 0.55


def _whiskers(part: pd.DataFrame, style: ModelStyle) -> dict[str, Any]:
    middle, low, high = (part[name].to_numpy(np.float64) for name in ("accuracy", "low", "high"))
    return {
        "type": "data", "symmetric": False, "array": high - middle, "arrayminus": middle - low,
        "color": style.color, "thickness": 2, "width": 0,
    }  # fmt: skip
