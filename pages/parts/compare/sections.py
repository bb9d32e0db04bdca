"""The sections of the Compare page, each one view of the models on show."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from fer_core.columns import METRICS
from fer_core.comparison import (
    LEVEL,
    Answers,
    both_ways,
    curves_of,
    robustness_curves,
    robustness_summary,
    thresholds,
)
from fer_core.faces import DEGRADATIONS
from fer_core.figures import (
    class_bars,
    confidence_bars,
    model_key,
    pair_matrix,
    pr_chart,
    ranking,
    reliability_chart,
    robustness_chart,
    roc_chart,
    training_chart,
)
from fer_core.labels import EXPRESSIONS
from pages.parts.common import choose, note_utkface, plain, show_table, warn
from pages.parts.compare import results
from pages.parts.compare.paper import paper
from pages.parts.compare.results import Selection


def scoreboard(selection: Selection) -> None:
    """Show the models ranked by one metric, and a table of all numbers."""
    metric = choose("Rank by", METRICS, "c_metric", format_func=METRICS.__getitem__)
    table = results.scoreboard(selection)
    best = table.sort_values(metric, ascending=metric == "avg_fpr").iloc[0]
    st.altair_chart(
        ranking(table, metric, METRICS[metric], ascending=metric == "avg_fpr"),
        alt=f"{METRICS[metric]} of {len(table)} models with 95 % intervals; best: {best['model']}, {best[metric]:.3f}",
    )
    answers = results.shown(selection)
    st.caption(
        f"On {len(answers.labels):,} faces of {answers.where}. A line is the 95 % interval. Models whose intervals "
        "overlap widely may well be equally good; see Significance."
    )
    note_utkface(results.all_cards(selection).values())
    if st.button(
        "Measure latency here", icon=":material/timer:", help="One face on this computer, a second per model."
    ):
        st.session_state["c_latency"] = {n: results.milliseconds(folder, s) for n, folder, s in selection.stamps}
    measured = pd.Series(st.session_state.get("c_latency", {}), dtype=float)
    table = table.assign(latency_ms=table["name"].map(measured))
    numbers: dict[str, str | tuple[str, str]] = {}
    for name, words in METRICS.items():
        numbers |= {name: (words, "%.3f"), f"{name}_interval": "95 % interval"}
    show_table(
        table,
        f"Scoreboard of {len(table)} models on {answers.where}",
        {
            "model": "Model",
            **numbers,
            "degraded_accuracy": ("Accuracy, degraded", "%.3f"),
            "latency_ms": ("Latency, ms per face", "%.1f"),
            "size_bytes": ("Size", "bytes"),
            "parameters": ("Parameters", "compact"),
            "trained": "Trained",
            "weights_from": "Weights from",
        },
        height="content",
    )


def by_expression(selection: Selection) -> None:
    """Show F1 of every model and expression."""
    table = results.class_f1(selection)
    hardest = table.groupby("expression")["f1"].mean().idxmin()
    st.altair_chart(class_bars(table), alt=f"F1 by expression of each model with 95 % intervals; lowest for {hardest}")
    st.caption(f"{results.shown(selection).where}. Rare expressions have wide intervals: disgust has about 55 faces.")


@st.fragment
def curves(selection: Selection) -> None:
    """Show ROC and precision-recall curves of one expression, and the metrics at a threshold."""
    answers = results.shown(selection)
    with st.container(horizontal=True):
        expression = st.selectbox(
            "Expression against the rest", EXPRESSIONS, index=3, key="c_expression", bind="query-params"
        )
        front = _highlighted(answers.titles, "c_focus")
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
    at = points[points["model"] == front].iloc[0]
    with st.container(horizontal=True):
        for label, value in (("Precision", at["precision"]), ("Recall", at["recall"]), ("F1", at["f1"])):
            st.metric(label, "–" if pd.isna(value) else f"{value:.3f}", border=True)
        st.metric("Correct predictions / Errors", f"{at['true_positives']} / {at['false_positives']}", border=True)
    drawn = results.curve_points(selection)
    key = _key(answers, drawn)
    with st.grid(2, min_column_width=330):
        for curve, chart, words in (("roc", roc_chart, "ROC"), ("pr", pr_chart, "Precision against recall")):
            lines = curves_of(drawn, curve, expression)
            if lines.empty:
                st.info(f"There is no {words} curve of {expression} for these faces.")
            else:
                area = lines.loc[lines["model"] == front, "area"].iloc[0]
                st.altair_chart(
                    chart(lines, points, front, key=key), alt=f"{words} for {expression}; area {area:.3f} for {front}"
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
    )
    st.caption(f"{answers.where}. The dots mark each model at this threshold.")


def calibration(selection: Selection) -> None:
    """Show whether predictions made with a confidence of 80 % are right 80 % of the time."""
    answers = results.shown(selection)
    front = _highlighted(answers.titles, "c_calibrated")
    bins, table = results.reliability_bins(selection), results.calibration(selection)
    row = table[table["model"] == front].iloc[0]
    with st.container(horizontal=True):
        st.metric("Expected calibration error", f"{row['ece']:.3f}", border=True)
        st.metric("Mean confidence", f"{row['confidence']:.1%}", border=True)
        st.metric("Accuracy", f"{row['accuracy']:.1%}", border=True)
    st.altair_chart(
        reliability_chart(bins, front), alt=f"Reliability diagram; calibration error of {front} {row['ece']:.3f}"
    )
    st.altair_chart(confidence_bars(bins[bins["model"] == front]), alt=f"How often each confidence of {front} occurs")
    show_table(
        table,
        "Calibration of every model",
        {
            "model": "Model",
            "ece": ("Calibration error", "%.3f"),
            "confidence": ("Mean confidence", "%.3f"),
            "accuracy": ("Accuracy", "%.3f"),
            "temperature": ("Temperature", "%.2f"),
            "ece_scaled": ("Error with temperature", "%.3f"),
        },
        height="content",
    )
    st.caption(
        f"{answers.where}. Below the dashed line a model is overconfident, above it underconfident. The "
        f"temperature that corrects this is fitted on {selection.other_split.split}, never on the faces shown."
    )


def robustness(selection: Selection) -> None:
    """Show how accuracy and confidence change on degraded faces."""
    table, without, complaints = results.robustness(selection)
    warn(complaints, "Some results on degraded faces are left out:")
    if not table.empty:
        answers, summary = results.shown(selection), robustness_summary(table)
        front = _highlighted(dict(zip(table["name"], table["model"], strict=True)), "c_robust")
        row = summary[summary["model"] == front].iloc[0]
        with st.container(horizontal=True):
            st.metric("Accuracy, clean", f"{row['clean']:.1%}", border=True)
            st.metric("Accuracy, degraded", f"{row['degraded']:.1%}", border=True)
            st.metric("Mean confidence, degraded", f"{row['confidence']:.1%}", border=True)
        key = _key(answers, table)
        with st.grid(2, min_column_width=330):
            for kind, one in DEGRADATIONS.items():
                st.altair_chart(
                    robustness_chart(robustness_curves(table, kind), one.title, one.unit, key, front),
                    alt=f"{one.title}: accuracy of {front} {row['clean']:.0%} when clean, on average {row[kind]:.0%}",
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
            "Low light also lowers the contrast; occlusion is a gray square at a random place."
        )
    if without:
        st.caption(
            f"Not measured: {plain(', '.join(without))}. Models that can predict are measured at the end of their "
            "training, or with `fer-lab evaluate NAME --degraded --save`. An ensemble is not measured."
        )


def significance(selection: Selection) -> None:
    """Show which differences between models are significant."""
    table = results.pairs(selection)
    if table.empty:
        st.info("Two models are needed to compare. Choose more above.", icon=":material/info:")
        return
    order = list(results.scoreboard(selection)["model"])
    significant = int((table["p_holm"] < LEVEL).sum())
    st.altair_chart(
        pair_matrix(both_ways(table), order),
        alt=f"Differences in accuracy of every pair; {significant} of {len(table)} significant",
    )
    st.caption(
        f"{results.shown(selection).where}. Percentage points by which the model at the left is more accurate "
        "than the one below. Coloured: significant (McNemar’s test, Holm’s correction over all pairs, p < 0.05). In "
        "brackets: not significant."
    )
    points = {column: 100 * table[column] for column in ("difference", "low", "high")}
    show_table(
        table.assign(**points),
        "McNemar’s test of every pair of models",
        {
            "first": "First",
            "second": "Second",
            "difference": ("Points ahead", "%+.1f"),
            "low": ("95 % from", "%+.1f"),
            "high": ("to", "%+.1f"),
            "only_first": "Only first right",
            "only_second": "Only second right",
            "p_holm": ("p (Holm)", "%.2g"),
            "verdict": "Verdict",
        },
    )


def training(selection: Selection) -> None:
    """Show the training curves."""
    history, without, complaints = results.histories(selection)
    warn(complaints, "Some training curves are left out:")
    if not history.empty:
        key = _key(results.shown(selection), history)
        with st.grid(2, min_column_width=330):
            for what in ("accuracy", "loss"):
                st.altair_chart(
                    training_chart(history, what, key=key), alt=f"{what.title()} over the epochs of training"
                )
        st.caption(
            "Solid: training faces, augmented; with distillation, the loss includes the teacher’s part. Dashed: "
            "hold-out."
        )
    if without:
        st.caption(f"Without curves: {plain(', '.join(without))}.")


def _highlighted(titles: Mapping[str, str], key: str) -> str:
    """Ask for the model to highlight, given titles by name; return its title."""
    names = list(titles)
    name = st.selectbox("Model to highlight", names, format_func=titles.__getitem__, key=key, bind="query-params")
    return titles[name if name in titles else names[0]]


def _key(answers: Answers, table: pd.DataFrame) -> list[str]:
    """Show the models of the charts below with the colours that they have in every section; return all models."""
    drawn = list(table["model"].unique())
    models = list(dict.fromkeys([*answers.titles.values(), *drawn]))
    st.altair_chart(model_key(models, drawn), alt=f"Colours of {len(drawn)} models")
    return models


SECTIONS: dict[str, Callable[[Selection], None]] = {
    "Scoreboard": scoreboard,
    "F1 by expression": by_expression,
    "ROC and PR": curves,
    "Calibration": calibration,
    "Robustness": robustness,
    "Significance": significance,
    "Training": training,
    "Paper": paper,
}
"""Name of each tab, and the function that shows it. Only the open tab is computed."""
