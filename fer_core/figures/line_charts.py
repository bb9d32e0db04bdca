"""ROC, precision-recall, reliability and training curves of several models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from fer_core.figures.style import FONT, MUTED, PLOT_HEIGHT, axis, model_color

HEIGHT = 340
UNIT = alt.Scale(domain=[0, 1])


def roc_chart(
    curves: pd.DataFrame, points: pd.DataFrame, focus: str | None = None, key: Sequence[str] | None = None
) -> alt.LayerChart:
    """Return ROC curves, with the point of each model at a threshold.

    Args:
        curves: `model`, `order`, `x` (false positive rate), `y` (true positive rate), `area`.
        points: `model`, `fpr`, `tpr`, `threshold`; may be empty.
        focus: model to emphasize; None for none.
        key: models of a separate `model_key`; None gives the chart its own legend.
    """
    chance = pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]})
    guide = alt.Chart(chance).mark_line(strokeDash=[6, 5], color=MUTED).encode(x="x:Q", y="y:Q")
    dots = points.rename(columns={"fpr": "x", "tpr": "y"})
    color = _color(curves, key)
    return _curves(curves, dots, focus, color, "False positive rate", "True positive rate", "ROC AUC", "linear", guide)


def pr_chart(
    curves: pd.DataFrame, points: pd.DataFrame, focus: str | None = None, key: Sequence[str] | None = None
) -> alt.LayerChart:
    """Return precision-recall curves, with the point of each model at a threshold.

    Curves have steps, because linear interpolation is too optimistic (Davis and Goadrich 2006, ICML).

    Args:
        curves: `model`, `order`, `x` (recall), `y` (precision), `area`.
        points: `model`, `recall`, `precision`, `threshold`; may be empty.
        focus: model to emphasize; None for none.
        key: models of a separate `model_key`; None gives the chart its own legend.
    """
    dots = points.rename(columns={"recall": "x", "precision": "y"})
    color = _color(curves, key)
    return _curves(curves, dots, focus, color, "Recall", "Precision", "Average precision", "step-before")


def reliability_chart(bins: pd.DataFrame, focus: str | None = None) -> alt.LayerChart:
    """Return reliability diagrams: the accuracy of each model by its confidence.

    Args:
        bins: `model`, `confidence`, `accuracy`, `low`, `high`, `faces`.
        focus: model to emphasize and to show 95 % intervals of; None for none.
    """
    models = list(dict.fromkeys(bins["model"]))
    perfect = alt.Chart(pd.DataFrame({"x": [0.0, 1.0]})).mark_line(strokeDash=[6, 5], color=MUTED)
    guide = perfect.encode(x="x:Q", y="x:Q")
    base = alt.Chart(bins).encode(
        x=alt.X("confidence:Q", scale=UNIT, axis=axis("Confidence")),
        y=alt.Y("accuracy:Q", scale=UNIT, axis=axis("Accuracy")),
        color=model_color(models),
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("confidence:Q", format=".1%"),
            alt.Tooltip("accuracy:Q", format=".1%", title="accuracy"),
            alt.Tooltip("faces:Q", format=","),
        ],
    )
    lines = base.mark_line(strokeWidth=2).encode(opacity=_opacity(focus), strokeWidth=_width(focus))
    dots = base.mark_point(filled=True, size=80).encode(opacity=_opacity(focus))
    layers: list[alt.Chart] = [guide, lines, dots]
    if focus is not None:
        front = base.transform_filter(alt.datum.model == focus)
        layers.append(front.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q"))
    return alt.LayerChart(layer=layers, height=HEIGHT, autosize=PLOT_HEIGHT)


def confidence_bars(bins: pd.DataFrame) -> alt.Chart:
    """Return the distribution of the confidence of one model over the bins of its reliability diagram.

    Args:
        bins: `from`, `to`, `share`, `faces`.
    """
    return (
        alt.Chart(bins, height=170)
        .mark_bar(color=MUTED, binSpacing=2)
        .encode(
            x=alt.X("from:Q", bin="binned", scale=UNIT, axis=axis("Confidence")),
            x2="to:Q",
            y=alt.Y("share:Q", axis=axis("Share of faces")),
            tooltip=[alt.Tooltip("faces:Q", format=","), alt.Tooltip("share:Q", format=".1%")],
        )
    )


def training_chart(
    history: pd.DataFrame, what: str, epochs: int | None = None, key: Sequence[str] | None = None
) -> alt.LayerChart:
    """Return training curves: solid for the training part, dashed for the hold-out.

    Args:
        history: `model`, `epoch`, `what`, `faces` ("training" or "hold-out"), `value`.
        what: "loss" or "accuracy".
        epochs: planned number of epochs, for a run in progress: fixes the axis and marks each epoch; None otherwise.
        key: models of a separate `model_key`; None gives the chart its own legend.
    """
    table = history[history["what"] == what]
    dash = alt.StrokeDash(
        "faces:N",
        scale=alt.Scale(domain=["training", "hold-out"], range=[[1, 0], [7, 4]]),
        legend=alt.Legend(
            title=None,
            orient="bottom",  # on a phone, there is no room beside the names of the models
            labelFontSize=FONT,
            symbolType="stroke",
            symbolStrokeColor=MUTED,
            symbolSize=700,
        ),
    )
    base = alt.Chart().encode(
        x=alt.X(
            "epoch:Q",
            scale=alt.Undefined if epochs is None else alt.Scale(domain=[1, max(2, epochs)]),
            axis=alt.Axis(title="Epoch", labelFontSize=FONT, titleFontSize=FONT, tickMinStep=1, format="d"),
        ),
        y=alt.Y(
            "value:Q",
            scale=alt.Scale(zero=False),
            axis=axis("Accuracy") if what == "accuracy" else axis("Loss", percent=False),
        ),
        color=_color(history, key),
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("faces:N"),
            alt.Tooltip("epoch:Q"),
            alt.Tooltip("value:Q", format=".4f", title=what),
        ],
    )
    layers = [base.mark_line(strokeWidth=2.5).encode(strokeDash=dash)]
    if epochs is not None or table["epoch"].nunique() < 3:
        layers.append(base.mark_point(filled=True, size=45, opacity=1).encode(detail="faces:N"))
    return alt.LayerChart(layer=layers, data=table, height=HEIGHT, autosize=PLOT_HEIGHT)


def _curves(
    curves: pd.DataFrame,
    dots: pd.DataFrame,
    focus: str | None,
    color: alt.Color,
    x_title: str,
    y_title: str,
    area: str,
    interpolate: Literal["linear", "step-before"],
    guide: alt.Chart | None = None,
) -> alt.LayerChart:
    lines = (
        alt.Chart(curves)
        .mark_line(interpolate=interpolate)
        .encode(
            x=alt.X("x:Q", scale=UNIT, axis=axis(x_title)),
            y=alt.Y("y:Q", scale=UNIT, axis=axis(y_title)),
            order="order:Q",
            color=color,
            opacity=_opacity(focus),
            strokeWidth=_width(focus),
            tooltip=[alt.Tooltip("model:N"), alt.Tooltip("area:Q", format=".3f", title=area)],
        )
    )
    marks = (
        alt.Chart(_ordered(dots, list(curves["model"].unique()), focus))
        .mark_point(filled=True, stroke="white", strokeWidth=2)
        .encode(
            x="x:Q",
            y="y:Q",
            color=color,
            size=_choose(focus, 260, 110, 150),
            opacity=_choose(focus, 1.0, 0.75, 1.0),
            tooltip=[
                alt.Tooltip("model:N"),
                alt.Tooltip("threshold:Q", format=".2f"),
                alt.Tooltip("x:Q", format=".3f", title=x_title),
                alt.Tooltip("y:Q", format=".3f", title=y_title),
            ],
        )
    )
    layers = [layer for layer in (guide, lines, marks) if layer is not None]
    return alt.LayerChart(layer=layers, height=HEIGHT, autosize=PLOT_HEIGHT)


def _color(table: pd.DataFrame, key: Sequence[str] | None) -> alt.Color:
    return model_color(list(table["model"].unique()) if key is None else key, legend=key is None)


def _ordered(dots: pd.DataFrame, models: Sequence[str], focus: str | None) -> pd.DataFrame:
    """Put the emphasized model last, so that its dot is on top."""
    if dots.empty:
        return pd.DataFrame({"x": [], "y": [], "model": [], "threshold": []})
    shown = dots[dots["model"].isin(models)]
    return pd.concat([shown[shown["model"] != focus], shown[shown["model"] == focus]])


def _opacity(focus: str | None) -> Any:
    return _choose(focus, 1.0, 0.35, 1.0)


def _width(focus: str | None) -> Any:
    return _choose(focus, 4.0, 2.0, 2.5)


def _choose(focus: str | None, front: float, behind: float, alike: float) -> Any:
    """Return one value for the emphasized model and another for the rest, or the same for all."""
    if focus is None:
        return alt.value(alike)
    return alt.when(alt.datum.model == focus).then(alt.value(front)).otherwise(alt.value(behind))
