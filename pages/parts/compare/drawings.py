"""The larger charts of the Compare page, which `shared` of `pages.parts.data` keeps."""

from __future__ import annotations

import plotly.graph_objects as go

from fer_core.faces import DEGRADATIONS
from fer_core.figures import (
    class_scores,
    pair_matrix,
    reliability_chart,
    robustness_chart,
    roc_pr_chart,
    training_chart,
)
from fer_core.measuring.robustness import robustness_curves
from fer_core.metrics.curves import curves_of, threshold_table
from fer_core.metrics.significance import both_ways
from pages.parts.compare.results import Selection
from pages.parts.data import results


def f1_by_expression(selection: Selection, narrow: bool) -> go.Figure:
    """Return F1 by expression."""
    return class_scores(results(selection).class_f1, results(selection).titles, results(selection).front, narrow)


def roc_and_pr(selection: Selection, expression: str, threshold: float, focus: str, narrow: bool) -> go.Figure:
    """Return ROC and precision-recall curves with the points at a threshold."""
    drawn = results(selection).curve_points
    return roc_pr_chart(
        curves_of(drawn, "roc", expression),
        curves_of(drawn, "pr", expression),
        threshold_table(results(selection).shown, expression, threshold),
        focus,
        results(selection).titles,
        results(selection).front,
        narrow,
    )


def reliability(selection: Selection, focus: str, narrow: bool) -> go.Figure:
    """Return reliability diagrams."""
    bins = results(selection).reliability_bins
    return reliability_chart(bins, focus, results(selection).titles, results(selection).front, narrow)


def robustness(selection: Selection, focus: str, narrow: bool) -> go.Figure:
    """Return accuracy on degraded faces. Some model must have been measured on them."""
    table, _, _ = results(selection).robustness
    return robustness_chart(
        {kind: robustness_curves(table, kind) for kind in DEGRADATIONS},
        {kind: (one.title, one.unit) for kind, one in DEGRADATIONS.items()},
        focus,
        results(selection).titles,
        results(selection).front,
        narrow,
    )


def significance(selection: Selection, narrow: bool) -> go.Figure:
    """Return the differences of all pairs."""
    order = list(results(selection).scoreboard["model"])
    return pair_matrix(both_ways(results(selection).pairs), order, narrow)


def training(selection: Selection, narrow: bool) -> go.Figure:
    """Return training curves. Some model must have them."""
    history, _, _ = results(selection).histories
    return training_chart(history, results(selection).titles, results(selection).front, narrow=narrow)
