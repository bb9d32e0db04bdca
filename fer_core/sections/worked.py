"""Numbers of Compare and Fairness worked out in words, for the explanations beside them."""

from __future__ import annotations

from math import exp

import pandas as pd

from fer_core.columns import percent
from fer_core.fairness.groups import ALL
from fer_core.metrics.significance import LEVEL


def at_threshold(at: pd.Series, expression: str) -> dict[str, tuple[str, str]]:
    """Return the metrics of a row of `metrics.curves.threshold_table` by title, each as text and as a calculation."""
    counts = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    tp, fp, fn, tn = (int(at[name]) for name in counts)
    precision, recall, f1 = (_share(at[name]) for name in ("precision", "recall", "f1"))
    none = f"No face is predicted as {expression}, so it is undefined."
    return {
        "Precision": (precision, f"{tp} / ({tp} + {fp}) = {precision}." if tp + fp else none),
        "Recall": (recall, f"{tp} / ({tp} + {fn}) = {recall}."),
        "F1": (f1, f"2 × {precision} × {recall} / ({precision} + {recall}) = {f1}." if tp + fp else f"{f1}. {none}"),
        "True / false positives": (
            f"{tp} / {fp}",
            f"Of {tp + fn:,} faces of {expression}, {tp} are predicted as {expression} (true positives) and {fn} are "
            f"not (false negatives). Of {fp + tn:,} other faces, {fp} are (false positives) and {tn} are not (true "
            "negatives).",
        ),
    }


def calibration(row: pd.Series, bins: pd.DataFrame, classes: int = 7) -> dict[str, tuple[str, str]]:
    """Return the same of a row of `metrics.calibration.calibration_table`, with its rows of `reliability_table`."""
    loss, brier, ece = f"{row['log_loss']:.3f}", f"{row['brier']:.3f}", _share(row["ece"])
    even = (1 - 1 / classes) ** 2 + (classes - 1) / classes**2
    distances = (bins["accuracy"] - bins["confidence"]).abs() * bins["share"]
    largest = bins.iloc[int(distances.argmax())]
    return {
        "Log loss": (
            loss,
            f"exp(−{loss}) = {exp(-row['log_loss']):.3f}: the geometric mean of the probabilities of the true "
            "expressions.",
        ),
        "Brier score": (brier, f"{brier}, where the same probability for all {classes} gives {even:.3f}."),
        "Calibration error (ECE)": (
            ece,
            f"The bin from {percent(largest['from'])} to {percent(largest['to'])} adds most: |"
            f"{100 * largest['accuracy']:.1f} − {100 * largest['confidence']:.1f}| × {largest['share']:.3f} of the "
            f"faces = {_share(distances.max())} of {ece}.",
        ),
        "Noise floor of the ECE": (_share(row["floor"]), against_floor(row)),
    }


def against_floor(row: pd.Series) -> str:
    """Say whether a calibration error is more than chance."""
    place = {"above": "above", "inside": "within", "below": "below"}[row["against_floor"]]
    return (
        f"An ECE of {_share(row['ece'])} is {place} what a perfectly calibrated model with the same confidences shows "
        f"by chance: {_share(row['floor'])} on average, {_share(row['floor_low'])} to {_share(row['floor_high'])} in "
        "95 % of draws."
    )


def with_temperature(row: pd.Series) -> str:
    """Say what a temperature would change."""
    if pd.isna(row["fitted_on"]):
        return "No temperature: there are no predictions of the other test split to fit it on."
    return (
        f"T = {row['temperature']:.2f}, fitted on {row['fitted_on']}: log loss {row['log_loss']:.3f} → "
        f"{row['log_loss_scaled']:.3f}, ECE {_share(row['ece'])} → {_share(row['ece_scaled'])}."
    )


def largest_gap(gaps: pd.DataFrame) -> str:
    """Say what the first row of `fairness.groups.GroupAudit.gaps` means."""
    if gaps.empty:
        return "No two groups have enough faces."
    gap = gaps.iloc[0]
    what = "" if gap["expression"] == ALL else f"{gap['expression']}: "
    chance = "larger than chance explains" if gap["p_holm"] < LEVEL else "which chance can explain"
    return (
        f"{what}{gap['highest']} {_share(gap['highest_value'])}, {gap['lowest']} {_share(gap['lowest_value'])}, so the "
        f"gap is {100 * gap['gap']:.1f} points, {chance} (p = {gap['p_holm']:.3f} after Holm)."
    )


def _share(value: float) -> str:
    return percent(value, ".1%")
