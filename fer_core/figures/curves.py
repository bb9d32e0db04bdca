"""Curves of several models: ROC, precision-recall, reliability, robustness and training.

All charts of models take the same `look`: `models`, titles in the order of their colours (default: those of the chart);
`front`, those that are shown at first, where the others appear on a click in the legend (None for all); and `narrow`,
whether the screen is as narrow as a phone, where plots are below one another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import ceil
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.theme import (
    FONT,
    MUTED,
    axis,
    chart,
    legend_height,
    listed,
    model_styles,
    percents,
    safe,
    whiskers,
    with_legend,
)

HEIGHT: Final = 360
GAP: Final = 110  # pixels between two rows of plots, for the title of the lower one and the axis of the upper one
GAP_ACROSS: Final = 0.1 / 0.55  # between two columns, as a share of a plot with its space: a tenth of the chart's width

_DIAGONAL: Final = {
    "type": "scatter",
    "mode": "lines",
    "x": [0, 1],
    "y": [0, 1],
    "hoverinfo": "skip",
    "showlegend": False,
    "line": {"color": MUTED, "dash": "dash", "width": 1.5},
}


def roc_pr_chart(
    roc: pd.DataFrame, pr: pd.DataFrame, *, points: pd.DataFrame, focus: str | None = None, **look: Any
) -> go.Figure:
    """Return ROC and precision-recall curves side by side, with the point of each model at a threshold.

    Precision-recall curves have steps, because linear interpolation is too optimistic (Davis and Goadrich 2006, ICML).

    Args:
        roc: `model`, `order`, `x` (false positive rate), `y` (true positive rate), `threshold`, `area`.
        pr: the same with recall and precision.
        points: `model`, `fpr`, `tpr`, `recall`, `precision`, `threshold`; may be empty.
        focus: model to emphasize; None for none.
    """
    lines = _Lines(roc, focus, **look)
    kinds = (
        (roc, "fpr", "tpr", "False positive rate", "True positive rate", "ROC AUC", "linear"),
        (pr, "recall", "precision", "Recall", "Precision", "Average precision", "vh"),
    )
    traces: list[dict[str, Any]] = [dict(_DIAGONAL)]
    for panel, (table, across, up, x_title, y_title, area, shape) in enumerate(kinds, start=1):
        for model in lines.drawn:
            part = table[table["model"] == model].sort_values("order")
            if part.empty:
                continue
            common = lines.group(model, panel) | {
                "hovertemplate": f"<b>{safe(model)}</b><br>threshold %{{customdata:.3f}}<br>{x_title} %{{x:.3f}}<br>"
                f"{y_title} %{{y:.3f}}<br>{area} {part['area'].iloc[0]:.3f}<extra></extra>"
            }
            curve = {
                "mode": "lines",
                "x": part["x"].to_numpy(np.float32),  # half the bytes to send
                "y": part["y"].to_numpy(np.float32),
                "customdata": part["threshold"].to_numpy(np.float32),
                "line": lines.line(model) | {"shape": shape},
            }
            at = points[points["model"] == model]
            mark = {
                "mode": "markers",
                "x": at[across],
                "y": at[up],
                "customdata": at["threshold"],
                "marker": lines.marker(model, 11, 17) | {"line": {"color": "white", "width": 1.5}},
                "opacity": 1,
                "showlegend": False,
            }
            traces += [common | curve, common | mark]
    unit = {"range": [-0.01, 1.01], "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1]}
    plots = [
        (title, axis(kind[3], **unit), axis(kind[4], **unit))
        for title, kind in zip(("ROC", "Precision and recall"), kinds, strict=True)
    ]
    return lines.panels(traces, plots, HEIGHT)


def reliability_chart(bins: pd.DataFrame, focus: str | None = None, **look: Any) -> go.Figure:
    """Return reliability diagrams: the accuracy of each model by its confidence.

    Args:
        bins: `model`, `confidence`, `accuracy`, `low`, `high`, `faces`.
        focus: model to emphasize and to show 95 % intervals of; None for none.
    """
    lines = _Lines(bins, focus, **look)
    interval = "95 % interval %{customdata[0]} to %{customdata[1]}, %{customdata[2]:,} faces"
    traces: list[dict[str, Any]] = [dict(_DIAGONAL)]
    for model in lines.drawn:
        part = bins[bins["model"] == model]
        hover = lines.hover(model, "accuracy %{hovertext}", interval, place="mean confidence %{customdata[3]}")
        low, high, confidence = (percents(part[column]) for column in ("low", "high", "confidence"))
        about = {
            "x": part["confidence"],
            "hovertext": percents(part["accuracy"]),
            "customdata": list(zip(low, high, part["faces"], confidence, strict=True)),
            "hovertemplate": hover,
        }
        traces.append(lines.group(model) | lines.accuracy(model, part, sizes=(8, 11)) | about)
    return chart(
        traces,
        HEIGHT + 60 + legend_height(len(lines.drawn), lines.narrow),
        xaxis=axis("Mean confidence of the bin", range=[0, 1.01]),
        yaxis=axis("Accuracy", range=[0, 1.01]),
        **lines.shared_hover,
        **with_legend(columns_fit=True),
    )


def confidence_bars(bins: pd.DataFrame) -> go.Figure:
    """Return how often each confidence of one model occurs, as bars that can be selected.

    Args:
        bins: of its reliability diagram: `from`, `to`, `share`, `faces`.
    """
    share, low, high = percents(bins["share"]), percents(bins["from"], ".0%"), percents(bins["to"], ".0%")
    bars = {
        "type": "bar",
        "x": (bins["from"] + bins["to"]) / 2,
        "width": (bins["to"] - bins["from"]) * 0.94,
        "y": bins["share"],
        "customdata": list(zip(bins["faces"], low, high, strict=True)),
        "marker": {"color": MUTED},
        "hovertext": share,
        "hovertemplate": "confidence %{customdata[1]} to %{customdata[2]}<br>%{customdata[0]:,} faces, %{hovertext}"
        "<extra></extra>",
    }
    across = axis("Confidence", range=[0, 1.01], showgrid=False, fixedrange=True)
    up = axis("Share of faces", nticks=4, fixedrange=True)
    return chart([bars], 230, xaxis=across, yaxis=up, dragmode="select")


def robustness_chart(
    curves: Mapping[str, pd.DataFrame], titles: Mapping[str, tuple[str, str]], *, focus: str | None = None, **look: Any
) -> go.Figure:
    """Return accuracy over the strengths of each kind of degradation; for one model also its mean confidence, dashed.

    Args:
        curves: for each kind `model`, `strength` (0 is clean), `words` (the level as text), `accuracy`, `low`, `high`,
            `confidence`.
        titles: title and unit of each kind.
        focus: model to emphasize, with 95 % intervals and its confidence; None for none.
    """
    lines = _Lines(next(iter(curves.values())), focus, **look)
    interval = "95 % interval %{customdata[0]} to %{customdata[1]}"
    traces, plots = [], []
    for panel, (kind, table) in enumerate(curves.items(), start=1):
        title, unit = titles[kind]
        level = f"{safe(unit)} %{{customdata[2]}}"
        for model in lines.drawn:
            part = table[table["model"] == model].sort_values("strength")
            about = list(zip(percents(part["low"]), percents(part["high"]), part["words"], strict=True))
            common = lines.group(model, panel) | {"x": part["strength"], "customdata": about}
            if model == focus:
                dashed = {
                    "mode": "lines",
                    "y": part["confidence"],
                    "hovertext": percents(part["confidence"]),
                    "line": lines.line(model) | {"dash": "dash", "width": 3},
                    "hovertemplate": lines.hover(model, "mean confidence %{hovertext}", place=level),
                    "showlegend": False,
                }
                traces.append(common | dashed)
            hover = {"hovertemplate": lines.hover(model, "accuracy %{hovertext}", interval, place=level)}
            texts = {"hovertext": percents(part["accuracy"])}
            traces.append(common | lines.accuracy(model, part, sizes=(7, 10)) | hover | texts)
        levels = table.drop_duplicates("strength").sort_values("strength")
        x = axis(
            unit.capitalize(),
            showgrid=False,
            range=[-0.3, levels["strength"].max() + 0.3],
            unifiedhovertitle={"text": title},
            tickvals=list(levels["strength"]),
            ticktext=list(levels["words"]),
            tickangle=0,
        )
        plots.append((title, x, axis(None, range=[0, 1], tickvals=[0, 0.25, 0.5, 0.75, 1])))
    return lines.panels(traces, plots, 250 if lines.narrow else 140, **lines.shared_hover)


def training_chart(history: pd.DataFrame, *, epochs: int | None = None, **look: Any) -> go.Figure:
    """Return the accuracy and the loss over the epochs: dotted for the training part, solid for the hold-out.

    Args:
        history: `model`, `epoch`, `what` ("accuracy" or "loss"), `faces` ("training" or "hold-out"), `value`.
        epochs: planned number of epochs, for a run in progress: fixes the axis; None otherwise.
    """
    lines = _Lines(history, **look)
    few = epochs is not None or history["epoch"].nunique() < 3
    traces = []
    for panel, (what, number) in enumerate({"accuracy": ".1%", "loss": ".3f"}.items(), start=1):
        for model in lines.drawn:
            for faces, dash in (("hold-out", "solid"), ("training", "dot")):
                chosen = (history["what"] == what) & (history["faces"] == faces) & (history["model"] == model)
                values = history[chosen]["value"]
                curve = {
                    "mode": "lines+markers" if few or faces == "hold-out" else "lines",
                    "x": history[chosen]["epoch"],
                    "y": values,
                    "hovertext": percents(values, number),
                    "line": lines.line(model) | {"dash": dash, "width": 2.5},
                    "marker": {"symbol": lines.styles[model][2], "size": 7, "maxdisplayed": 0 if few else 8},
                    "hovertemplate": lines.hover(model, f"{faces} %{{hovertext}}", place="epoch %{x}"),
                    "showlegend": panel == 1 and faces == "hold-out",
                }
                traces.append(lines.group(model, panel) | curve)
    span = {} if epochs is None else {"range": [0.5, max(2, epochs) + 0.5]}
    across = axis("Epoch", tickformat="d", showgrid=False, unifiedhovertitle={"text": "Epoch %{x}"}, **span)
    plots = [("Accuracy", across, axis(None)), ("Loss", across, axis(None, tickformat="~g"))]
    return lines.panels(traces, plots, HEIGHT, **lines.shared_hover)


class _Lines:
    """How the lines of the models of a chart are drawn."""

    def __init__(
        self,
        table: pd.DataFrame,
        focus: str | None = None,
        *,
        models: Sequence[str] | None = None,
        front: Collection[str] | None = None,
        narrow: bool = False,
    ) -> None:
        self.drawn = list(dict.fromkeys(table["model"]))
        self.styles = model_styles(self.drawn, models)
        self.focus, self.narrow = focus, narrow
        self.front = front if front is None else {*front, focus}
        self.shared_hover = {"hovermode": "closest"} if narrow else {"hovermode": "x unified", "hoverdistance": -1}

    def group(self, model: str, panel: int = 1) -> dict[str, Any]:
        """Return what joins all traces of a model: one entry in the legend shows and hides them together."""
        return {
            "type": "scatter",
            "name": safe(model),
            "legendgroup": safe(model),
            "showlegend": panel == 1,
            "opacity": 1.0 if self.focus in (None, model) else 0.55,
            "zorder": int(model == self.focus),
            "xaxis": f"x{panel}",
            "yaxis": f"y{panel}",
            **listed(model, self.front),
        }

    def line(self, model: str) -> dict[str, Any]:
        """Return the line of a model, wider if it is emphasized."""
        color, dash, _ = self.styles[model]
        return {"color": color, "dash": dash, "width": 4 if model == self.focus else 2.2}

    def marker(self, model: str, size: int, emphasized: int) -> dict[str, Any]:
        """Return the marker of a model, larger if it is emphasized."""
        color, _, symbol = self.styles[model]
        return {"color": color, "symbol": symbol, "size": emphasized if model == self.focus else size}

    def accuracy(self, model: str, part: pd.DataFrame, *, sizes: tuple[int, int]) -> dict[str, Any]:
        """Return a solid line of the accuracies with markers, with intervals if the model is emphasized."""
        solid, marker = self.line(model) | {"dash": "solid"}, self.marker(model, *sizes)
        trace = {"mode": "lines+markers", "y": part["accuracy"], "line": solid, "marker": marker}
        if model != self.focus:
            return trace
        return trace | {"error_y": whiskers(part["accuracy"], part["low"], part["high"], marker["color"], 2)}

    def hover(self, model: str, number: str, interval: str = "", *, place: str) -> str:
        """Return the hover template of a line from its parts; `place` for narrow screens, without `shared_hover`."""
        if self.narrow:
            return "<br>".join(filter(None, (f"<b>{safe(model)}</b>", place, number, interval))) + "<extra></extra>"
        return f"{safe(model)}: {number}" + (f" ({interval})" if interval else "") + "<extra></extra>"

    def panels(
        self, traces: Sequence[Mapping[str, Any]], plots: Sequence[tuple[str, Any, Any]], height: int, **layout: Any
    ) -> go.Figure:
        """Return one figure with plots, each of a title and two axes, in up to three columns, in one if narrow."""
        columns = 1 if self.narrow else min(3, len(plots))
        rows = ceil(len(plots) / columns)
        grid = {"rows": rows, "columns": columns, "pattern": "independent", "xgap": GAP_ACROSS}
        title = {"x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": 4, "showarrow": False}
        axes: dict[str, Any] = {}
        titles = []
        for number, (heading, x, y) in zip(["", *range(2, len(plots) + 1)], plots, strict=True):
            axes |= {f"xaxis{number}": x, f"yaxis{number}": y}
            place = {"xref": f"x{number} domain", "yref": f"y{number} domain"}
            titles.append(title | {"text": f"<b>{heading}</b>", "font": {"size": FONT + 1}} | place)
        return chart(
            traces,
            rows * height + (rows - 1) * GAP + 96 + legend_height(len(self.drawn), self.narrow),
            grid=grid | {"ygap": GAP / (height + GAP)},
            annotations=titles,
            **axes,
            **layout,
            **with_legend(columns_fit=True),
        )
