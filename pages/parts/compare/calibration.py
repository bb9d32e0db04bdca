"""The section of the Compare page on calibration: whether predictions are right as often as their confidence says."""

from __future__ import annotations

from math import exp

import pandas as pd
import streamlit as st

from fer_core.figures import confidence_bars
from fer_core.metrics.calibration import faces_in_bins
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import show_table
from pages.parts.compare import drawings
from pages.parts.compare.results import LEGEND, Selection, highlighted
from pages.parts.data import results, shared
from pages.parts.explanations import explain, explained_metric


@st.fragment
def calibration(selection: Selection) -> None:
    """Show whether predictions made with a confidence of 80 % are right 80 % of the time."""
    answers = results(selection).shown
    focus = highlighted(answers.titles, "c_calibrated")
    bins, table = results(selection).reliability_bins, results(selection).calibration
    row = table[table["model"] == focus].iloc[0]
    one = bins[bins["model"] == focus]
    _calibration_metrics(row, one)
    st.markdown(
        f"{_against_floor(row)}  \n{_with_temperature(row)}  \n"
        f"Mean confidence {row['confidence']:.1%}, accuracy {row['accuracy']:.1%}."
    )
    last = one.iloc[-1]
    explain(
        "Reliability diagram",
        f"{focus} predicts {last['faces']:,} faces with a confidence of {last['from']:.0%} or more, on average "
        f"{last['confidence']:.1%}; {last['accuracy']:.1%} of these predictions are correct.",
        "What is this diagram?",
    )
    show_chart(
        shared(drawings.reliability, selection, focus, narrow_screen()),
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
        f"here uses them. {LEGEND}"
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
