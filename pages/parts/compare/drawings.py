"""The larger charts of the Compare page, kept by what they show."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

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
from pages.parts.compare import results
from pages.parts.compare.results import Selection


@st.cache_resource(max_entries=20, show_spinner=False)
def f1_by_expression(selection: Selection, narrow: bool) -> go.Figure:
    """Return F1 by expression."""
    return class_scores(results.class_f1(selection), results.all_titles(selection), results.front(selection), narrow)


@st.cache_resource(max_entries=60, show_spinner=False)
def roc_and_pr(selection: Selection, expression: str, threshold: float, focus: str, narrow: bool) -> go.Figure:
    """Return ROC and precision-recall curves with the points at a threshold."""
    drawn = results.curve_points(selection)
    return roc_pr_chart(
        curves_of(drawn, "roc", expression),
        curves_of(drawn, "pr", expression),
        threshold_table(results.shown(selection), expression, threshold),
        focus,
        results.all_titles(selection),
        results.front(selection),
        narrow,
    )


@st.cache_resource(max_entries=20, show_spinner=False)
def reliability(selection: Selection, focus: str, narrow: bool) -> go.Figure:
    """Return reliability diagrams."""
    bins = results.reliability_bins(selection)
    return reliability_chart(bins, focus, results.all_titles(selection), results.front(selection), narrow)


@st.cache_resource(max_entries=20, show_spinner="Drawing curves …")
def robustness(selection: Selection, focus: str, narrow: bool) -> go.Figure:
    """Return accuracy on degraded faces. Some model must have been measured on them."""
    table, _, _ = results.robustness(selection)
    return robustness_chart(
        {kind: robustness_curves(table, kind) for kind in DEGRADATIONS},
        {kind: (one.title, one.unit) for kind, one in DEGRADATIONS.items()},
        focus,
        results.all_titles(selection),
        results.front(selection),
        narrow,
    )


@st.cache_resource(max_entries=20, show_spinner=False)
def significance(selection: Selection, narrow: bool) -> go.Figure:
    """Return the differences of all pairs."""
    order = list(results.scoreboard(selection)["model"])
    return pair_matrix(both_ways(results.pairs(selection)), order, narrow)


@st.cache_resource(max_entries=20, show_spinner="Drawing curves …")
def training(selection: Selection, narrow: bool) -> go.Figure:
    """Return training curves. Some model must have them."""
    history, _, _ = results.histories(selection)
    return training_chart(history, results.all_titles(selection), results.front(selection), narrow=narrow)
