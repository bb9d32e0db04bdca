"""The sections of the Compare page, each one view of the models on show."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import exp
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from fer_core.figures.curves import confidence_bars
from fer_core.figures.diagram import diagram_text, network_diagram
from fer_core.figures.scores import class_scores
from fer_core.measuring.scoreboard import face_milliseconds
from fer_core.metrics.calibration import faces_in_bins
from fer_core.metrics.core import METRICS, metric_titles
from fer_core.metrics.ensembles import Ensemble
from fer_core.metrics.paper import (
    PAPER_VARIANTS,
    PLAIN_MEANS,
    paper_metrics,
    paper_notes,
    paper_report,
)
from fer_core.metrics.paper_claims import CLAIMS_CAPTION, in_prose
from fer_core.sections import sections
from fer_core.sections.cards import model_readme, model_text
from fer_core.sections.sections import Section
from fer_core.store.folders import DEFAULT_MODEL
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import choose, choose_model, explain, explained_metric, offer_download, plain, show_table, warn
from pages.parts.data import Selection, computed, results, shared

LEGEND: Final = "A click on a name in the legend shows or hides a model, a double click shows it alone."


def _view(make: Callable[..., Section], selection: Selection, **choices: Any) -> tuple[Section, go.Figure | None]:
    """Return a section of `fer_core.sections.sections`, and its chart for this screen; nobody may change them."""
    return shared(_made, make, selection, choices, narrow_screen())


def _made(
    make: Callable[..., Section], selection: Selection, choices: Mapping[str, Any], narrow: bool
) -> tuple[Section, go.Figure | None]:
    section = make(results(selection), **choices)
    if not section.charts:
        return section, None
    (chart,) = section.charts
    return section, chart.draw(narrow=narrow) if chart.adapts else chart.draw()


def _show_chart(section: Section, figure: go.Figure | None, key: str | None = None) -> None:
    show_chart(figure, section.charts[0].alt, key=key)


def _show_table(section: Section, **settings: Any) -> None:
    show_table(section.table, section.alt, dict(section.columns or {}), **{"height": "content", **settings})


def report_html(selection: Selection) -> str:
    """Return a report about the models on show as the text of an HTML file."""
    from fer_core.sections.html import render
    from fer_core.sections.results import build_report

    fusion = selection.fusion if isinstance(results(selection).ensemble, Ensemble) else None
    return render(build_report(selection.chosen, selection.split, view=selection.view, fusion=fusion, by=selection.by))


def _scoreboard(selection: Selection) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = metric_titles()
        metric = choose("Rank by", titles, "c_metric", format_func=titles.__getitem__)
        section, figure = _view(sections.scoreboard, selection, metric=metric)
        explain(METRICS[metric].title, section.example)
    _show_chart(section, figure)
    st.caption(section.caption)
    words = "One face on this computer, a second per model."
    if st.button("Measure latency here", icon=":material/timer:", help=words):
        with st.spinner("Measuring each model for a second", show_time=True):
            st.session_state["c_latency"] = {model.name: computed(_milliseconds, model) for model in selection.models}
    measured = pd.Series(st.session_state.get("c_latency", {}), dtype=float)
    _show_table(replace(section, table=section.table.assign(latency_ms=section.table["name"].map(measured))))


def _milliseconds(model: StoredModel) -> float | None:
    try:
        return face_milliseconds(model)
    except FerError:
        return None


def _by_expression(selection: Selection) -> None:
    section, figure = _view(sections.by_expression, selection)
    explain("F1", section.example)
    _show_chart(section, figure, key="c_class_scores")
    st.caption(f"{section.caption} {LEGEND}")
    focus = _highlighted(results(selection).answers.titles, "c_report_of", "Classification report of")
    section, _ = _view(sections.classification, selection, focus=focus)
    with st.grid(2, min_column_width=480):
        with st.container():
            st.markdown(f"**{plain(focus)}**")
            _show_table(section)
        if not results(selection).answers.own:
            with st.container():
                st.markdown("**VGG16_modified, as the paper prints it in section 4.5**")
                words = "Classification report of VGG16_modified, as the paper prints it"
                show_table(paper_report(), words, dict(section.columns or {}), height="content", placeholder="–")
    st.caption(section.caption)


def _highlighted(titles: Mapping[str, str], key: str, label: str = "Model to highlight") -> str:
    """Ask for the model to highlight, given titles by name; return its title."""
    names = list(titles)
    name = st.selectbox(label, names, format_func=titles.__getitem__, key=key, bind="query-params")
    return titles[name if name in titles else names[0]]


def _with_probabilities(selection: Selection) -> dict[str, str]:
    """Return the titles of the models that answer with probabilities by name, and say which do not."""
    answers, graded = results(selection).answers, results(selection).graded
    names = graded.names if graded else []
    if others := [plain(answers.titles[name]) for name in answers.names if name not in names]:
        st.info(f"Left out, because the answers have no probabilities: {', '.join(others)}.", icon=":material/info:")
    return {name: answers.titles[name] for name in names}


@st.fragment
def _roc_and_pr(selection: Selection) -> None:
    if not (titles := _with_probabilities(selection)):
        return
    label = "Expression against the rest"
    with st.grid(2, min_column_width=250):
        classes = results(selection).answers.classes
        place = min(3, len(classes) - 1)
        expression = st.selectbox(label, classes, index=place, key="c_expression", bind="query-params")
        focus = _highlighted(titles, "c_focus")
    label = f"Probability from which “{expression}” is predicted"
    threshold = st.slider(label, 0.0, 1.0, 0.5, 0.01, key="c_threshold", bind="query-params")
    choices = {"expressions": [expression], "threshold": threshold, "focus": focus}
    section, figure = _view(sections.roc_and_pr, selection, **choices)
    _at_threshold(section.table[section.table["model"] == focus].iloc[0], expression)
    explain("ROC and precision-recall curves", section.example, "What are these curves?")
    if section.charts:
        _show_chart(section, figure, key="c_roc_pr")
    else:
        st.info(f"There are no curves of {expression} for these faces.")
    _show_table(section, placeholder="–")
    st.caption(f"{section.caption} {LEGEND}")


def _at_threshold(at: pd.Series, expression: str) -> None:
    """Show the metrics of the highlighted model at the threshold, each with the counts that it comes from."""
    counts = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    tp, fp, fn, tn = (int(at[name]) for name in counts)
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


@st.fragment
def _calibration(selection: Selection) -> None:
    if not (titles := _with_probabilities(selection)):
        return
    focus = _highlighted(titles, "c_calibrated")
    section, figure = _view(sections.calibration, selection, focus=focus)
    row = section.table[section.table["model"] == focus].iloc[0]
    bins = results(selection).reliability
    bins = bins[bins["model"] == focus]
    _calibration_metrics(row, bins)
    st.markdown(
        f"{_against_floor(row)}  \n{_with_temperature(row)}  \n"
        f"Mean confidence {row['confidence']:.1%}, accuracy {row['accuracy']:.1%}."
    )
    explain("Reliability diagram", section.example, "What is this diagram?")
    _show_chart(section, figure, key="c_reliability")
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
    _show_table(section)
    st.caption(f"{section.caption} {LEGEND}")


def _calibration_metrics(row: pd.Series, bins: pd.DataFrame) -> None:
    loss, brier, ece, floor = (f"{row[name]:.3f}" for name in ("log_loss", "brier", "ece", "floor"))
    distances = (bins["accuracy"] - bins["confidence"]).abs() * bins["share"]
    largest = bins.iloc[int(distances.argmax())]
    with st.grid(4, min_column_width=150):
        explained_metric(
            "Log loss",
            loss,
            f"exp(−{loss}) = {exp(-row['log_loss']):.3f}: the geometric mean of the probabilities of the true "
            "expressions.",
        )
        explained_metric(
            "Brier score",
            brier,
            f"{brier}, where the same probability for all seven expressions gives (6/7)² + 6 × (1/7)² = "
            f"{(6 / 7) ** 2 + 6 * (1 / 7) ** 2:.3f}.",
        )
        explained_metric(
            "Calibration error (ECE)",
            ece,
            f"The bin from {largest['from']:.0%} to {largest['to']:.0%} adds most: |{largest['accuracy']:.3f} − "
            f"{largest['confidence']:.3f}| × {largest['share']:.3f} of the faces = {distances.max():.3f} of {ece}.",
        )
        explained_metric("Noise floor of the ECE", floor, _against_floor(row).replace("**", ""))


def _against_floor(row: pd.Series) -> str:
    place = {"above": "above", "inside": "within", "below": "below"}[row["against_floor"]]
    return (
        f"An ECE of {row['ece']:.3f} is **{place}** what a perfectly calibrated model with the same confidences shows "
        f"by chance: {row['floor']:.3f} on average, {row['floor_low']:.3f} to {row['floor_high']:.3f} in 95 % of draws."
    )


def _with_temperature(row: pd.Series) -> str:
    if pd.isna(row["fitted_on"]):
        return "No temperature: there are no predictions of the other test split to fit it on."
    return (
        f"T = {row['temperature']:.2f}, fitted on {row['fitted_on']}: log loss {row['log_loss']:.3f} → "
        f"{row['log_loss_scaled']:.3f}, ECE {row['ece']:.3f} → {row['ece_scaled']:.3f}."
    )


def _robustness(selection: Selection) -> None:
    table, without, complaints = results(selection).degraded
    warn(complaints, "Some results on degraded faces are left out:")
    if not table.empty:
        focus = _highlighted(dict(zip(table["name"], table["model"], strict=True)), "c_robust")
        section, figure = _view(sections.robustness, selection, focus=focus)
        row = section.table[section.table["model"] == focus].iloc[0]
        with st.container(horizontal=True):
            st.metric("Accuracy, clean", f"{row['clean']:.1%}", border=True)
            st.metric("Accuracy, degraded", f"{row['degraded']:.1%}", border=True)
            st.metric("Mean confidence, degraded", f"{row['confidence']:.1%}", border=True)
        explain("Robustness", section.example)
        _show_chart(section, figure, key="c_robustness")
        _show_table(section)
        st.caption(f"{section.caption} {LEGEND}")
    if without:
        own = results(selection).answers.own
        how = f"`fer-lab evaluate NAME --degraded {f'--on {selection.split}' if own else '--save'}`"
        at_once = "" if own else "at the end of their training, or "
        st.caption(
            f"Not measured: {plain(', '.join(without))}. Models that can predict are measured {at_once}with {how}. "
            "An ensemble is not measured."
        )


def _significance(selection: Selection) -> None:
    section, figure = _view(sections.significance, selection)
    if not section.charts:
        st.info("Two models are needed to compare. Choose more above.", icon=":material/info:")
        return
    explain("McNemar’s test", section.example)
    _show_chart(section, figure)
    st.caption(section.caption.replace("In brackets:", "Gray:") if narrow_screen() else section.caption)
    _show_table(section, height="auto")


def _training(selection: Selection) -> None:
    _, without, complaints = results(selection).histories
    warn(complaints, "Some training curves are left out:")
    section, figure = _view(sections.training, selection)
    if section.example:
        explain("Training curves", section.example)
    if section.charts:
        _show_chart(section, figure, key="c_training")
        st.caption(f"{section.caption} {LEGEND}")
    if without:
        st.caption(f"Without curves: {plain(', '.join(without))}.")


def _paper(selection: Selection) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = paper_metrics()
        metric = choose("Metric", titles, "c_paper_metric", format_func=titles.__getitem__)
        section, figure = _view(sections.paper, selection, metric=metric)
        explain(titles[metric], section.example)
    st.caption(
        "Reported numbers are as the paper prints them, with its contradictions. Both are always on PublicTest, the "
        f"paper’s test split, and judged by FER2013’s label; ours {selection.view}. Ours learn from at most 26,040 "
        "of the 28,709 faces of Training, and everything is chosen on the others; the paper learns from all and "
        "chooses on PrivateTest. `fer-lab train NAME --papers-split --recipe paper` does so."
    )
    _show_chart(section, figure)
    _show_table(section, placeholder="–", height="auto")
    st.markdown("**The paper’s conclusions, judged**")
    st.markdown("\n".join(f"- {sentence}" for sentence in in_prose(results(selection).claims)))
    st.caption(CLAIMS_CAPTION)
    variants, title_of = list(PAPER_VARIANTS), PAPER_VARIANTS.__getitem__
    variant = st.selectbox("Variant", variants, 5, format_func=title_of, key="c_variant", bind="query-params")
    title, f1 = title_of(variant), results(selection).paper[1][variant]
    lowest = f1.dropna(subset=["f1"]).sort_values("f1").drop_duplicates("model").itertuples()
    explain("F1", f"{title} has its lowest F1: " + "; ".join(f"{r.expression} {r.f1:.3f} ({r.model})" for r in lowest))
    show_chart(class_scores(f1, narrow=narrow_screen()), alt=f"F1 by expression of {title}, reported and measured")
    st.markdown("**Where the paper contradicts itself**")
    st.table(
        {plain(topic): plain(note) for topic, note in paper_notes(variant).items()},
        border="horizontal",
        alt=f"Where the paper contradicts itself about {title}",
    )
    st.caption(f"Names such as VGG16_modified are the paper’s. {PLAIN_MEANS}")


def _model_card(selection: Selection) -> None:
    models = list(selection.models)
    first = next((place for place, model in enumerate(models) if model.name == DEFAULT_MODEL), 0)
    (model,) = choose_model(models, "c_card", "Model card of", index=first, width=420)
    if blocks := model.card.training.get("blocks"):
        show_chart(network_diagram(blocks, narrow=narrow_screen()), diagram_text(blocks), key="c_diagram")
    st.markdown(computed(_card_text, model))
    file_name, readme = f"{model.name}-README.md", lambda: model_readme(model)
    offer_download("In Hugging Face’s form", readme, file_name, "text/markdown", "download", "c_card_file")


def _card_text(model: StoredModel) -> str:
    """Return the card with headings that fit into a page; names that people gave are shown as they are."""
    training = {name: plain(str(told)) if name == "data" else told for name, told in model.card.training.items()}
    model = replace(model, card=replace(model.card, title=plain(model.title), training=training))
    return re.sub(r"^#+ ", "#### ", model_text(model), flags=re.MULTILINE)


SECTIONS: Final[dict[str, Callable[[Selection], None]]] = {
    "Scoreboard": _scoreboard,
    "F1 by expression": _by_expression,
    "ROC and PR": _roc_and_pr,
    "Calibration": _calibration,
    "Robustness": _robustness,
    "Significance": _significance,
    "Training": _training,
    "Paper": _paper,
    "Model cards": _model_card,
}
"""Name of each tab, and the function that shows it. Only the open tab is computed."""

OF_FER2013: Final = ("Paper",)
"""Tabs that show results on FER2013 whatever is chosen, so that they are left out on another data set."""
