"""The sections of the Compare page with curves: ROC and PR, robustness, training."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.faces import DEGRADATIONS
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.robustness import robustness_summary
from fer_core.metrics.curves import curves_of, threshold_table
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import plain, show_table, warn
from pages.parts.compare import drawings
from pages.parts.compare.results import LEGEND, Selection, highlighted
from pages.parts.data import results, shared
from pages.parts.explanations import explain, explained_metric


@st.fragment
def roc_and_pr(selection: Selection) -> None:
    """Show ROC and precision-recall curves of one expression, and the metrics at a threshold."""
    answers = results(selection).shown
    with st.grid(2, min_column_width=250):
        expression = st.selectbox(
            "Expression against the rest", EXPRESSIONS, index=3, key="c_expression", bind="query-params"
        )
        focus = highlighted(answers.titles, "c_focus")
    threshold = st.slider(
        f"Probability from which “{expression}” is predicted",
        0.0,
        1.0,
        0.5,
        0.01,
        key="c_threshold",
        bind="query-params",
    )
    points = threshold_table(answers, expression, threshold)
    at = points[points["model"] == focus].iloc[0]
    _at_threshold(at, expression)
    explain(
        "ROC and precision-recall curves",
        f"At {threshold:.2f}, {focus} is at a false positive rate of {at['fpr']:.3f} and a true positive rate of "
        f"{at['tpr']:.3f} on its ROC curve. It predicts {expression} for "
        f"{at['true_positives'] + at['false_positives']} faces, {at['true_positives']} of them correctly; of the "
        f"{at['true_positives'] + at['false_negatives']} faces of {expression} it misses {at['false_negatives']}.",
        "What are these curves?",
    )
    drawn = results(selection).curve_points
    roc, pr = (curves_of(drawn, curve, expression) for curve in ("roc", "pr"))
    if roc.empty:
        st.info(f"There are no curves of {expression} for these faces.")
    else:
        area, average = (lines.loc[lines["model"] == focus, "area"].iloc[0] for lines in (roc, pr))
        show_chart(
            shared(drawings.roc_and_pr, selection, expression, threshold, focus, narrow_screen()),
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
    st.caption(f"{answers.where}. The dots mark each model at this threshold. {LEGEND}")


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


def robustness(selection: Selection) -> None:
    """Show how accuracy and confidence change on degraded faces."""
    table, without, complaints = results(selection).robustness
    warn(complaints, "Some results on degraded faces are left out:")
    if not table.empty:
        summary = robustness_summary(table)
        focus = highlighted(dict(zip(table["name"], table["model"], strict=True)), "c_robust")
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
            shared(drawings.robustness, selection, focus, narrow_screen()),
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
        of_all = (
            "Confidence is over all faces, also those without one clear answer of the annotators. "
            if selection.by == "plurality"
            else ""
        )
        st.caption(
            f"On {row['faces']:,} fixed test faces of both splits, without mirror images, whatever is chosen above. "
            "Solid: accuracy, with 95 % intervals for the highlighted model. Dashed: its mean confidence; where it is "
            "above the solid line, the model is overconfident. Degraded: the mean over five kinds in five strengths. "
            f"Low light also lowers the contrast; occlusion is a gray square at a random place. {of_all}"
            f"{LEGEND}"
        )
    if without:
        st.caption(
            f"Not measured: {plain(', '.join(without))}. Models that can predict are measured at the end of their "
            "training, or with `fer-lab evaluate NAME --degraded --save`. An ensemble is not measured."
        )


def training(selection: Selection) -> None:
    """Show the training curves."""
    history, without, complaints = results(selection).histories
    warn(complaints, "Some training curves are left out:")
    if not history.empty:
        held = history[(history["faces"] == "hold-out") & (history["what"] == "accuracy")]
        if not held.empty:
            best = held.sort_values("value").iloc[-1]
            explain(
                "Training curves",
                f"{best['model']} reaches the highest hold-out accuracy by the label, {best['value']:.1%}, after epoch "
                f"{best['epoch']:.0f}.",
            )
        show_chart(
            shared(drawings.training, selection, narrow_screen()),
            f"Accuracy and loss over the epochs of training of {history['model'].nunique()} models",
            key="c_training",
        )
        st.caption(
            "Dotted: training faces, augmented; with distillation, the loss includes the teacher’s part. Solid: "
            f"hold-out. {LEGEND}"
        )
    if without:
        st.caption(f"Without curves: {plain(', '.join(without))}.")
