"""The sections of the Compare page, each one view of the models on show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import exp
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from fer_core.figures.curves import confidence_bars
from fer_core.figures.scores import class_scores
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.scoreboard import face_milliseconds
from fer_core.metrics.calibration import faces_in_bins
from fer_core.metrics.core import METRICS, metric_titles
from fer_core.metrics.ensembles import Ensemble
from fer_core.metrics.paper import PAPER_VARIANTS, PLAIN_MEANS, paper_metrics, paper_notes, paper_recomputed
from fer_core.sections import sections
from fer_core.sections.sections import Section
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import choose, plain, show_table, warn
from pages.parts.compare.card import model_card
from pages.parts.compare.results import Selection
from pages.parts.data import computed, results, shared
from pages.parts.explanations import explain, explained_metric

LEGEND: Final = "A click on a name in the legend shows or hides a model, a double click shows it alone."
"""For captions of charts with a legend of models."""


@dataclass(frozen=True)
class View:
    """A section of the results of a selection, kept for all sessions, and how it is shown.

    Attributes:
        make: one of `fer_core.sections.sections`.
        selection: the models and faces.
        choices: names and values of other arguments of `make`.
    """

    make: Callable[..., Section]
    selection: Selection
    choices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def section(self) -> Section:
        """The section, which must not be changed."""
        return shared(_made, self.make, self.selection, dict(self.choices))

    def show_chart(self, key: str | None = None) -> None:
        """Show the chart of the section; `key` as of every Streamlit element."""
        figure = shared(_drawn, self.make, self.selection, dict(self.choices), narrow_screen())
        show_chart(figure, self.section.charts[0].alt, key=key)

    def show_table(self, table: pd.DataFrame | None = None, **settings: Any) -> None:
        """Show the section's table, or another one with its columns; `settings` as of `show_table`."""
        section = self.section
        frame = section.table if table is None else table
        show_table(frame, section.alt, dict(section.columns or {}), **{"height": "content", **settings})


def _made(make: Callable[..., Section], selection: Selection, choices: Mapping[str, Any]) -> Section:
    return make(results(selection), **choices)


def _drawn(make: Callable[..., Section], selection: Selection, choices: Mapping[str, Any], narrow: bool) -> go.Figure:
    (chart,) = _made(make, selection, choices).charts
    return chart.draw(narrow=narrow) if chart.adapts else chart.draw()


def report_html(selection: Selection) -> str:
    """Return a report about the models on show as the text of an HTML file."""
    from fer_core.sections.html import render
    from fer_core.sections.results import build_report

    fusion = selection.fusion if isinstance(results(selection).ensemble, Ensemble) else None
    return render(build_report(selection.chosen, selection.split, view=selection.view, fusion=fusion, by=selection.by))


def scoreboard(selection: Selection) -> None:
    """Show the models ranked by one metric, and a table of all numbers."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = metric_titles()
        metric = choose("Rank by", titles, "c_metric", format_func=titles.__getitem__)
        view = View(sections.scoreboard, selection, {"metric": metric})
        section = view.section
        explain(METRICS[metric].title, section.example)
    view.show_chart()
    st.caption(section.caption)
    if st.button(
        "Measure latency here", icon=":material/timer:", help="One face on this computer, a second per model."
    ):
        with st.spinner("Measuring each model for a second", show_time=True):
            st.session_state["c_latency"] = {one.name: computed(_milliseconds, one) for one in selection.models}
    measured = pd.Series(st.session_state.get("c_latency", {}), dtype=float)
    view.show_table(table=section.table.assign(latency_ms=section.table["name"].map(measured)))


def by_expression(selection: Selection) -> None:
    """Show F1 of every model and expression."""
    view = View(sections.by_expression, selection)
    section = view.section
    explain("F1", section.example)
    view.show_chart(key="c_class_scores")
    st.caption(f"{section.caption} {LEGEND}")


@st.fragment
def roc_and_pr(selection: Selection) -> None:
    """Show ROC and precision-recall curves of one expression, and the metrics at a threshold."""
    with st.grid(2, min_column_width=250):
        expression = st.selectbox(
            "Expression against the rest", EXPRESSIONS, index=3, key="c_expression", bind="query-params"
        )
        focus = _highlighted(results(selection).answers.titles, "c_focus")
    label = f"Probability from which “{expression}” is predicted"
    threshold = st.slider(label, 0.0, 1.0, 0.5, 0.01, key="c_threshold", bind="query-params")
    view = View(sections.roc_and_pr, selection, {"expressions": [expression], "threshold": threshold, "focus": focus})
    section = view.section
    _at_threshold(section.table[section.table["model"] == focus].iloc[0], expression)
    explain("ROC and precision-recall curves", section.example, "What are these curves?")
    if section.charts:
        view.show_chart(key="c_roc_pr")
    else:
        st.info(f"There are no curves of {expression} for these faces.")
    view.show_table(placeholder="–")
    st.caption(f"{section.caption} {LEGEND}")


@st.fragment
def calibration(selection: Selection) -> None:
    """Show whether predictions made with a confidence of 80 % are right 80 % of the time."""
    focus = _highlighted(results(selection).answers.titles, "c_calibrated")
    view = View(sections.calibration, selection, {"focus": focus})
    section = view.section
    row = section.table[section.table["model"] == focus].iloc[0]
    bins = results(selection).reliability
    bins = bins[bins["model"] == focus]
    _calibration_metrics(row, bins)
    st.markdown(
        f"{_against_floor(row)}  \n{_with_temperature(row)}  \n"
        f"Mean confidence {row['confidence']:.1%}, accuracy {row['accuracy']:.1%}."
    )
    explain("Reliability diagram", section.example, "What is this diagram?")
    view.show_chart(key="c_reliability")
    alt = f"How often each confidence of {focus} occurs"
    picked = show_chart(confidence_bars(bins), alt, key="c_confidence", on_select="rerun")
    chosen = bins.iloc[sorted(place for place in picked.selection.point_indices if place < len(bins))]
    if chosen.empty:
        st.caption("Click a bar, or drag over several, to see how often such predictions are correct.")
    else:
        faces = faces_in_bins(chosen)
        st.markdown(
            f"**{len(chosen)} selected bins**: {faces['faces']:,} faces ({faces['share']:.0%} of all) with a mean "
            f"confidence of {faces['confidence']:.1%}; {faces['accuracy']:.1%} of these predictions are correct "
            f"(95 % interval {faces['low']:.1%} to {faces['high']:.1%})."
        )
    view.show_table()
    st.caption(f"{section.caption} {LEGEND}")


def robustness(selection: Selection) -> None:
    """Show how accuracy and confidence change on degraded faces."""
    table, without, complaints = results(selection).degraded
    warn(complaints, "Some results on degraded faces are left out:")
    if not table.empty:
        focus = _highlighted(dict(zip(table["name"], table["model"], strict=True)), "c_robust")
        view = View(sections.robustness, selection, {"focus": focus})
        section = view.section
        row = section.table[section.table["model"] == focus].iloc[0]
        with st.container(horizontal=True):
            st.metric("Accuracy, clean", f"{row['clean']:.1%}", border=True)
            st.metric("Accuracy, degraded", f"{row['degraded']:.1%}", border=True)
            st.metric("Mean confidence, degraded", f"{row['confidence']:.1%}", border=True)
        explain("Robustness", section.example)
        view.show_chart(key="c_robustness")
        view.show_table()
        st.caption(f"{section.caption} {LEGEND}")
    if without:
        st.caption(
            f"Not measured: {plain(', '.join(without))}. Models that can predict are measured at the end of their "
            "training, or with `fer-lab evaluate NAME --degraded --save`. An ensemble is not measured."
        )


def significance(selection: Selection) -> None:
    """Show which differences between models are significant."""
    view = View(sections.significance, selection)
    section = view.section
    if not section.charts:
        st.info("Two models are needed to compare. Choose more above.", icon=":material/info:")
        return
    explain("McNemar’s test", section.example)
    view.show_chart()
    st.caption(section.caption.replace("In brackets:", "Gray:") if narrow_screen() else section.caption)
    view.show_table(height="auto")


def training(selection: Selection) -> None:
    """Show the training curves."""
    _, without, complaints = results(selection).histories
    warn(complaints, "Some training curves are left out:")
    view = View(sections.training, selection)
    section = view.section
    if section.example:
        explain("Training curves", section.example)
    if section.charts:
        view.show_chart(key="c_training")
        st.caption(f"{section.caption} {LEGEND}")
    if without:
        st.caption(f"Without curves: {plain(', '.join(without))}.")


def paper(selection: Selection) -> None:
    """Show the paper's eight variants, reported and measured."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = paper_metrics()
        metric = choose("Metric", titles, "c_paper_metric", format_func=titles.__getitem__)
        view = View(sections.paper, selection, {"metric": metric})
        section = view.section
        explain(titles[metric], section.example)
    st.caption(
        "Reported numbers are as the paper prints them, with its contradictions. Both are always on PublicTest, the "
        f"paper’s test split, and judged by FER2013’s label; ours {selection.view}."
    )
    view.show_chart()
    view.show_table(placeholder="–", height="auto")
    variant = st.selectbox(
        "Variant",
        list(PAPER_VARIANTS),
        index=5,
        format_func=PAPER_VARIANTS.__getitem__,
        key="c_variant",
        bind="query-params",
    )
    title, f1 = PAPER_VARIANTS[variant], results(selection).paper[1][variant]
    lowest = f1.dropna(subset=["f1"]).sort_values("f1").drop_duplicates("model").itertuples()
    explain("F1", f"{title} has its lowest F1: " + "; ".join(f"{r.expression} {r.f1:.3f} ({r.model})" for r in lowest))
    show_chart(class_scores(f1, narrow=narrow_screen()), alt=f"F1 by expression of {title}, reported and measured")
    st.markdown("**The final model, recomputed from the paper’s own table of precision, recall and support**")
    recomputed = paper_recomputed()
    show_table(
        recomputed,
        "The final model recomputed from section 4.5, beside the paper’s figures",
        {
            "metric": PAPER_VARIANTS["vgg16_modified"],
            "recomputed": ("Recomputed from section 4.5", "%.4f"),
            **{str(name): (f"Reported, {name}", "%.4f") for name in recomputed.columns[2:]},
        },
    )
    st.markdown("**Where the paper contradicts itself**")
    st.table(
        {plain(topic): plain(note) for topic, note in paper_notes(variant).items()},
        border="horizontal",
        alt=f"Where the paper contradicts itself about {title}",
    )
    st.caption(f"Names such as VGG16_modified are the paper’s. {PLAIN_MEANS}")


SECTIONS: dict[str, Callable[[Selection], None]] = {
    "Scoreboard": scoreboard,
    "F1 by expression": by_expression,
    "ROC and PR": roc_and_pr,
    "Calibration": calibration,
    "Robustness": robustness,
    "Significance": significance,
    "Training": training,
    "Paper": paper,
    "Model cards": model_card,
}
"""Name of each tab, and the function that shows it. Only the open tab is computed."""


def _milliseconds(model: StoredModel) -> float | None:
    """Return the latency of a model for one face on this computer; None if it cannot predict."""
    try:
        return face_milliseconds(model)
    except FerError:
        return None


def _highlighted(titles: Mapping[str, str], key: str) -> str:
    """Ask for the model to highlight, given titles by name; return its title."""
    names = list(titles)
    name = st.selectbox("Model to highlight", names, format_func=titles.__getitem__, key=key, bind="query-params")
    return titles[name if name in titles else names[0]]


def _at_threshold(at: pd.Series, expression: str) -> None:
    """Show the metrics of the highlighted model at the threshold, each with the counts that it comes from."""
    tp, fp, fn, tn = (
        int(at[kind]) for kind in ("true_positives", "false_positives", "false_negatives", "true_negatives")
    )
    precision, recall, f1 = ("–" if pd.isna(at[name]) else f"{at[name]:.3f}" for name in ("precision", "recall", "f1"))
    with st.grid(4, min_column_width=150):
        explained_metric("Precision", precision, f"{tp} / ({tp} + {fp}) = {precision}.")
        explained_metric("Recall", recall, f"{tp} / ({tp} + {fn}) = {recall}.")
        explained_metric("F1", f1, f"2 × {precision} × {recall} / ({precision} + {recall}) = {f1}.")
        explained_metric(
            "True / false positives",
            f"{tp} / {fp}",
            f"Of {tp + fn:,} faces of {expression}, {tp} are predicted as {expression} (true positives) and {fn} are "
            f"not (false negatives). Of {fp + tn:,} other faces, {fp} are (false positives) and {tn} are not (true "
            "negatives).",
        )


def _calibration_metrics(row: pd.Series, bins: pd.DataFrame) -> None:
    """Show the calibration of the highlighted model in numbers, given its row of the table and its bins."""
    distances = (bins["accuracy"] - bins["confidence"]).abs() * bins["share"]
    largest = bins.iloc[int(distances.argmax())]
    with st.grid(4, min_column_width=150):
        explained_metric(
            "Log loss",
            f"{row['log_loss']:.3f}",
            f"exp(−{row['log_loss']:.3f}) = {exp(-row['log_loss']):.3f}: the geometric mean of the probabilities of "
            "the true expressions.",
        )
        explained_metric(
            "Brier score",
            f"{row['brier']:.3f}",
            f"{row['brier']:.3f}, where the same probability for all seven expressions gives (6/7)² + 6 × (1/7)² = "
            f"{(6 / 7) ** 2 + 6 * (1 / 7) ** 2:.3f}.",
        )
        explained_metric(
            "Calibration error (ECE)",
            f"{row['ece']:.3f}",
            f"The bin from {largest['from']:.0%} to {largest['to']:.0%} adds most: |{largest['accuracy']:.3f} − "
            f"{largest['confidence']:.3f}| × {largest['share']:.3f} of the faces = {distances.max():.3f} of "
            f"{row['ece']:.3f}.",
        )
        explained_metric("Noise floor of the ECE", f"{row['floor']:.3f}", _against_floor(row).replace("**", ""))


def _against_floor(row: pd.Series) -> str:
    """Say whether the calibration error of a model is larger than that of a perfectly calibrated one."""
    place = {"above": "above", "inside": "within", "below": "below"}[row["against_floor"]]
    return (
        f"An ECE of {row['ece']:.3f} is **{place}** what a perfectly calibrated model with the same confidences shows "
        f"by chance: {row['floor']:.3f} on average, {row['floor_low']:.3f} to {row['floor_high']:.3f} in 95 % of draws."
    )


def _with_temperature(row: pd.Series) -> str:
    """Say what the fitted temperature changes on the faces shown."""
    if pd.isna(row["fitted_on"]):
        return "No temperature: there are no predictions of the other test split to fit it on."
    return (
        f"T = {row['temperature']:.2f}, fitted on {row['fitted_on']}: log loss {row['log_loss']:.3f} → "
        f"{row['log_loss_scaled']:.3f}, ECE {row['ece']:.3f} → {row['ece_scaled']:.3f}."
    )
