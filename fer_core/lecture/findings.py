"""The sentences of the screens that show measurements, made from their numbers."""

from __future__ import annotations

import pandas as pd

from fer_core.columns import percent


def votes_in_words(cells: pd.DataFrame) -> str:
    """Return how often most annotators give the label, of all faces and of the expression with the fewest.

    Args:
        cells: as of `metrics.confusion.label_cells`.
    """
    same = cells[cells["actual"] == cells["predicted"]]
    worst = same.sort_values("rate").iloc[0]
    share = same["count"].sum() / cells["count"].sum()
    return (
        f"Most annotators give the label to {percent(share)} of the faces, but only to {percent(worst['rate'])} of "
        f"those labelled {worst['actual']}."
    )


def confusion_in_words(cells: pd.DataFrame) -> str:
    """Return the pair of expressions that is confused most, as a share of the faces of the actual one.

    Args:
        cells: as of `metrics.confusion.confusion_cells`.
    """
    wrong = cells[cells["actual"] != cells["predicted"]]
    most = wrong.sort_values("rate").iloc[-1]
    return f"Of 100 {most['actual']} faces, {100 * most['rate']:.0f} are taken for {most['predicted']}."


def accuracy_in_words(measured: pd.DataFrame) -> str:
    """Return the most accurate model by most annotators; `measured` as of `figures.scores.accuracy_intervals`."""
    best = measured.sort_values("accuracy").iloc[-1]
    return f"{best['model']} agrees with most annotators on {percent(best['accuracy'])} of the test faces."


def gap_in_words(rates: pd.DataFrame, title: str) -> str:
    """Return the groups with the highest and the lowest recall of the expression whose recall differs most.

    Args:
        rates: as of `fairness.groups.GroupAudit.rates`.
        title: what the groups differ by, "Brightness".
    """
    recall = rates[(rates["rate"] == "recall") & rates["compared"]].sort_values("value")
    parts = [part for _, part in recall.groupby("expression")]
    widest = max(parts, key=lambda part: part["value"].iloc[-1] - part["value"].iloc[0])
    low, high = widest.iloc[0], widest.iloc[-1]
    return (
        f"{title} {low['group']}: {low['expression']} is found in {percent(low['value'])} of the faces; "
        f"{high['group']}: in {percent(high['value'])}."
    )
