"""The sections of the Compare page with curves: ROC and PR, calibration, robustness, training."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from fer_core.comparison import curves_of, faces_in_bins, robustness_summary, thresholds
from fer_core.faces import DEGRADATIONS
from fer_core.figures import confidence_bars
from fer_core.labels import EXPRESSIONS
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import plain, show_table, warn
from pages.parts.compare import drawings, results
from pages.parts.compare.results import Selection
from pages.parts.explanations import explain


@st.fragment
def roc_and_pr(selection: Selection) -> None:
    """Show ROC and precision-recall curves of one expression, and the metrics at a threshold."""
    answers = results.shown(selection)
    with st.container(horizontal=True):
        expression = st.selectbox(
            "Expression against the rest", EXPRESSIONS, index=3, key="c_expression", bind="query-params"
        )
        focus = _highlighted(answers.titles, "c_focus")
    threshold = st.slider(
        f"Probability from which “{expression}” is predicted",
        0.0,
        1.0,
        0.5,
        0.01,
        key="c_threshold",
        bind="query-params",
    )
    points = thresholds(answers, expression, threshold)
    at = points[points["model"] == focus].iloc[0]
    with st.container(horizontal=True):
        for label, value in (("Precision", at["precision"]), ("Recall", at["recall"]), ("F1", at["f1"])):
            st.metric(label, "–" if pd.isna(value) else f"{value:.3f}", border=True)
        st.metric("True / false positives", f"{at['true_positives']} / {at['false_positives']}", border=True)
    explain(
        "ROC and precision-recall curves",
        f"At {threshold:.2f}, {focus} predicts {expression} for {at['true_positives'] + at['false_positives']} faces, "
        f"{at['true_positives']} of them correctly; of the {at['true_positives'] + at['false_negatives']} faces of "
        f"{expression} it misses {at['false_negatives']}.",
    )
    drawn = results.curve_points(selection)
    roc, pr = (curves_of(drawn, curve, expression) for curve in ("roc", "pr"))
    if roc.empty:
        st.info(f"There are no curves of {expression} for these faces.")
    else:
        area, average = (lines.loc[lines["model"] == focus, "area"].iloc[0] for lines in (roc, pr))
        show_chart(
            drawings.roc_and_pr(selection, expression, threshold, focus, narrow_screen()),
            f"ROC and precision-recall curves for {expression}; areas {area:.3f} and {average:.3f} for {focus}",
            key="c_roc_pr",
        )
    show_table(
        points,
        f"Every model at threshold {threshold:.2f} for {expression}",
        {
            "model": "Model",
            **{name: (name.title(), "%.3f") for name in ("precision", "recall", "f1")},
            "fpr": ("False positive rate", "%.3f"),
            "true_positives": "True positives",
            "false_positives": "False positives",
        },
        height="content",
        placeholder="–",
    )
    st.caption(f"{answers.where}. The dots mark each model at this threshold. {results.LEGEND}")


@st.fragment
def calibration(selection: Selection) -> None:
    """Show whether predictions made with a confidence of 80 % are right 80 % of the time."""
    answers = results.shown(selection)
    focus = _highlighted(answers.titles, "c_calibrated")
    bins, table = results.reliability_bins(selection), results.calibration(selection)
    row = table[table["model"] == focus].iloc[0]
    with st.container(horizontal=True):
        st.metric("Log loss", f"{row['log_loss']:.3f}", border=True)
        st.metric("Brier score", f"{row['brier']:.3f}", border=True)
        st.metric("Calibration error (ECE)", f"{row['ece']:.3f}", border=True)
        st.metric("Noise floor of the ECE", f"{row['floor']:.3f}", border=True)
    one = bins[bins["model"] == focus]
    last = one.iloc[-1]
    explain(
        "Reliability and calibration error",
        f"{focus} predicts {last['faces']:,} faces with a confidence of {last['from']:.0%} or more, on average "
        f"{last['confidence']:.1%}; {last['accuracy']:.1%} of these predictions are correct.",
    )
    st.markdown(
        f"{_against_floor(row)}  \n{_with_temperature(row)}  \n"
        f"Mean confidence {row['confidence']:.1%}, accuracy {row['accuracy']:.1%}."
    )
    show_chart(
        drawings.reliability(selection, focus, narrow_screen()),
        f"Reliability diagram; calibration error of {focus} {row['ece']:.3f}",
        key="c_reliability",
    )
    picked = show_chart(
        confidence_bars(one),
        f"How often each confidence of {focus} occurs",
        key="c_confidence",
        on_select="rerun",
    )
    chosen = one.iloc[sorted(place for place in picked.selection.point_indices if place < len(one))]
    if chosen.empty:
        st.caption("Click a bar, or drag over several, to see how often such predictions are correct.")
    else:
        found = faces_in_bins(chosen)
        st.markdown(
            f"**{len(chosen)} selected bins**: {found['faces']:,} faces ({found['share']:.0%} of all) with a mean "
            f"confidence of {found['confidence']:.1%}; {found['accuracy']:.1%} of these predictions are correct "
            f"(95 % interval {found['low']:.1%} to {found['high']:.1%})."
        )
    show_table(
        table.assign(
            floor_range=[f"{low:.3f}–{high:.3f}" for low, high in table[["floor_low", "floor_high"]].to_numpy()]
        ),
        "Calibration of every model",
        {
            "model": "Model",
            "log_loss": ("Log loss", "%.3f"),
            "brier": ("Brier score", "%.3f"),
            "ece": ("ECE", "%.3f"),
            "floor": ("Noise floor", "%.3f"),
            "floor_range": "95 % range",
            "against_floor": "ECE is",
            "temperature": ("T", "%.2f"),
            "log_loss_scaled": ("Log loss with T", "%.3f"),
            "ece_scaled": ("ECE with T", "%.3f"),
            "confidence": ("Confidence", "%.3f"),
            "accuracy": ("Accuracy", "%.3f"),
        },
        height="content",
    )
    st.caption(
        f"{answers.where}. Below the dashed line a model is overconfident, above it underconfident. Noise floor: the "
        "mean ECE of a perfectly calibrated model with the same confidences, from 1,000 draws of labels; the ECE is "
        "above, inside or below the range of 95 % of the draws. Temperatures T "
        f"are fitted on {selection.other_split.split}, because predictions for the hold-out are not stored; no model "
        f"here uses them. {results.LEGEND}"
    )


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


def robustness(selection: Selection) -> None:
    """Show how accuracy and confidence change on degraded faces."""
    table, without, complaints = results.robustness(selection)
    warn(complaints, "Some results on degraded faces are left out:")
    if not table.empty:
        summary = robustness_summary(table)
        focus = _highlighted(dict(zip(table["name"], table["model"], strict=True)), "c_robust")
        row = summary[summary["model"] == focus].iloc[0]
        with st.container(horizontal=True):
            st.metric("Accuracy, clean", f"{row['clean']:.1%}", border=True)
            st.metric("Accuracy, degraded", f"{row['degraded']:.1%}", border=True)
            st.metric("Mean confidence, degraded", f"{row['confidence']:.1%}", border=True)
        explain(
            "Robustness",
            f"{focus} falls from {row['clean']:.1%} on clean faces to {row['degraded']:.1%} on average, while its mean "
            f"confidence there is {row['confidence']:.1%}.",
        )
        show_chart(
            drawings.robustness(selection, focus, narrow_screen()),
            f"Accuracy on degraded faces; {focus}: {row['clean']:.0%} when clean, on average "
            + ", ".join(f"{one.title.lower()} {row[kind]:.0%}" for kind, one in DEGRADATIONS.items()),
            key="c_robustness",
        )
        show_table(
            summary,
            "Accuracy of every model on degraded faces",
            {
                "model": "Model",
                "clean": ("Clean", "%.3f"),
                "degraded": ("Degraded", "%.3f"),
                **{kind: (one.title, "%.3f") for kind, one in DEGRADATIONS.items()},
                "confidence": ("Mean confidence, degraded", "%.3f"),
            },
            height="content",
        )
        st.caption(
            f"On {row['faces']:,} fixed test faces of both splits, without mirror images, whatever is chosen above. "
            "Solid: accuracy, with 95 % intervals for the highlighted model. Dashed: its mean confidence; where it is "
            "above the solid line, the model is overconfident. Degraded: the mean over five kinds in five strengths. "
            f"Low light also lowers the contrast; occlusion is a gray square at a random place. {results.LEGEND}"
        )
    if without:
        st.caption(
            f"Not measured: {plain(', '.join(without))}. Models that can predict are measured at the end of their "
            "training, or with `fer-lab evaluate NAME --degraded --save`. An ensemble is not measured."
        )


def training(selection: Selection) -> None:
    """Show the training curves."""
    history, without, complaints = results.histories(selection)
    warn(complaints, "Some training curves are left out:")
    if not history.empty:
        held = history[(history["faces"] == "hold-out") & (history["what"] == "accuracy")]
        if not held.empty:
            best = held.sort_values("value").iloc[-1]
            explain(
                "Training curves",
                f"{best['model']} reaches the highest hold-out accuracy, {best['value']:.1%}, after epoch "
                f"{best['epoch']:.0f}.",
            )
        show_chart(
            drawings.training(selection, narrow_screen()),
            f"Accuracy and loss over the epochs of training of {history['model'].nunique()} models",
            key="c_training",
        )
        st.caption(
            "Dotted: training faces, augmented; with distillation, the loss includes the teacher’s part. Solid: "
            f"hold-out. {results.LEGEND}"
        )
    if without:
        st.caption(f"Without curves: {plain(', '.join(without))}.")


def _highlighted(titles: Mapping[str, str], key: str) -> str:
    """Ask for the model to highlight, given titles by name; return its title."""
    names = list(titles)
    name = st.selectbox("Model to highlight", names, format_func=titles.__getitem__, key=key, bind="query-params")
    return titles[name if name in titles else names[0]]
