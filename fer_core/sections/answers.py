"""What the pages found: one sentence each as plain text, made from the numbers that the chart below it shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pandas as pd

from fer_core.columns import percent, percent_text
from fer_core.labels import NOT_SURE
from fer_core.metrics.confusion import HARDEST
from fer_core.metrics.core import METRICS
from fer_core.metrics.significance import LEVEL
from fer_core.types import FaceResult

WEAK: Final = 0.25  # share of the scale below which a map of evidence is nearly dark


def best_model(board: pd.DataFrame, metric: str = "accuracy", *, judge: str) -> str:
    """Say which model is best, and how many others may be as good, because the intervals overlap.

    Args:
        board: columns `model`, the metric, and the metric with `_low` and `_high`.
        metric: a key of `METRICS`.
        judge: what predictions are judged by.
    """
    rising = not METRICS[metric].higher_is_better
    best, *rest = board.sort_values(metric, ascending=rising, kind="stable").to_dict("records")
    overlap = [
        row
        for row in rest
        if row[f"{metric}_low"] <= best[f"{metric}_high"] and row[f"{metric}_high"] >= best[f"{metric}_low"]
    ]
    if pd.isna(best[metric]):
        return f"No model shown has a {METRICS[metric].title}: these answers are not probabilities."
    share = percent(best[metric], ".1%")
    words = f"{best['model']} is right on {share} of the faces, judged by {judge}"
    if metric != "accuracy":
        words = f"{best['model']} has the best {METRICS[metric].title}, {share}, judged by {judge}"
    if not rest:
        return f"{words}."
    others = f"{len(overlap) or 'None'} of the {len(rest)} others shown {'may be' if overlap else 'is'} as good"
    if len(rest) == 1:
        others = f"The other one shown {'may be' if overlap else 'is not'} as good"
    return f"{words}. {others}: the 95 % intervals {'overlap' if overlap else 'are apart'}."


def extremes(class_f1: pd.DataFrame) -> str:
    """Say which expression is the hardest and which the easiest, from columns `model`, `expression` and `f1`."""
    best = class_f1.dropna(subset=["f1"]).sort_values("f1", kind="stable").drop_duplicates("expression", keep="last")
    low, high = best.iloc[0], best.iloc[-1]
    return (
        f"{low['expression'].capitalize()} is the hardest expression: no model has a higher F1 than "
        f"{percent(low['f1'], '.1%')} ({low['model']}). {high['expression'].capitalize()} is the easiest, with "
        f"{percent(high['f1'], '.1%')}."
    )


def at_threshold(row: pd.Series, expression: str) -> str:
    """Say what a model finds and how much of it is right, from columns `model`, `recall` and `precision`."""
    right = (
        f"calls no face {expression}"
        if pd.isna(row["precision"])
        else f"{percent(row['precision'])} of what it calls {expression} is {expression}"
    )
    found = percent(row["recall"])
    return f"{row['model']} finds {found} of the {expression} faces, and {right}."


def confidence(row: pd.Series) -> str:
    """Say whether a model is more or less sure than it is right, from `model`, `confidence` and `accuracy`."""
    points = 100 * (row["confidence"] - row["accuracy"])
    much = (
        f"{abs(points):.1f} points too {'sure' if points > 0 else 'unsure'}"
        if abs(points) >= 0.05
        else "as sure as right"
    )
    return (
        f"{row['model']} is {much}: on average it is {percent(row['confidence'], '.1%')} sure, and right on "
        f"{percent(row['accuracy'], '.1%')} of the faces."
    )


def falls(row: pd.Series, kinds: dict[str, str]) -> str:
    """Say how far a model falls on degraded faces: `model`, `clean`, `degraded`, and a column for each of `kinds`."""
    worst = min(kinds, key=lambda kind: float(row[kind]))
    return (
        f"{row['model']} falls from {percent(row['clean'], '.1%')} on clean faces to "
        f"{percent(row['degraded'], '.1%')} on degraded ones; {kinds[worst].lower()} is worst, with "
        f"{percent(row[worst], '.1%')}."
    )


def apart(pairs: pd.DataFrame) -> str:
    """Say how many pairs of models differ by more than chance, from the column `p_holm`."""
    clear = int((pairs["p_holm"] < LEVEL).sum())
    return f"{clear} of {len(pairs)} pairs of models differ by more than the choice of test faces explains."


def confusion(cells: pd.DataFrame, title: str) -> tuple[str, tuple[str, str]]:
    """Say which mistake a model makes most often; also return this cell, actual and predicted.

    Args:
        cells: as `metrics.confusion.confusion_cells` returns them.
        title: of the model.
    """
    wrong = cells[cells["actual"] != cells["predicted"]].sort_values(["count", "rate"], na_position="first")
    cell = (str(wrong.iloc[-1]["actual"]), str(wrong.iloc[-1]["predicted"]))
    right = cells[(cells["actual"] == cell[0]) & (cells["predicted"] == cell[0])].iloc[0]
    words = confusion_cell(cells, title, cell)[:-1]
    return f"{words}, its most frequent mistake. It calls {percent(right['rate'])} of them {cell[0]}.", cell


def confusion_cell(cells: pd.DataFrame, title: str, cell: tuple[str, str]) -> str:
    """Say what one cell of a confusion matrix means; `cell` is the actual and the predicted expression."""
    actual, predicted = cell
    row = cells[cells["actual"] == actual]
    at = row[row["predicted"] == predicted].iloc[0]
    share = percent(at["rate"])
    return f"{title} calls {share} of the {actual} faces {predicted} ({at['count']:,} of {row['count'].sum():,})."


def differing(cells: pd.DataFrame, first: str, second: str) -> str:
    """Say where two models differ most, from the cells of the first minus those of the second."""
    cell = cells.sort_values("rate", key=abs, na_position="first", kind="stable").iloc[-1]
    more = "more" if cell["rate"] > 0 else "fewer"
    return (
        f"Of 100 {cell['actual']} faces, {first} calls {abs(100 * cell['rate']):.0f} {more} {cell['predicted']} "
        f"than {second}."
    )


def classes(counts: pd.DataFrame) -> str:
    """Say how unequal the expressions are, from numbers of faces with a row for each split."""
    totals = counts.sum().sort_values(kind="stable")
    totals = totals[totals > 0]
    rare, frequent, share = totals.index[0], totals.index[-1], percent(totals.iloc[-1] / totals.sum())
    return (
        f"{str(frequent).capitalize()} is {totals.iloc[-1] / totals.iloc[0]:.1f} times as frequent as {rare}: "
        f"{totals.iloc[-1]:,} faces against {totals.iloc[0]:,}. Always answering {frequent} is right on {share}."
    )


def labels(cells: pd.DataFrame) -> str:
    """Say how often the label is what most annotators say, from `metrics.confusion.label_cells`."""
    same = cells[cells["actual"] == cells["predicted"]]
    share, worst = same["count"].sum() / cells["count"].sum(), same.sort_values("rate", kind="stable").iloc[0]
    return (
        f"FER2013’s label is what most annotators say on {percent(share, '.1%')} of the faces; for {worst['actual']} "
        f"only on {percent(worst['rate'])}."
    )


def faces(shown: int, of: int, conditions: Iterable[str] = ()) -> str:
    """Say how many faces pass the conditions."""
    return " · ".join([f"{shown:,} of {of:,} faces", *conditions])


def hardest(order: str, number: int, *, of: int) -> str:
    """Say how many faces `metrics.confusion.hardest_faces` finds in one of the orders of `HARDEST`."""
    found = "most different answers first" if order == "divided" else f"{number:,} of {of:,} faces"
    return f"{HARDEST[order]}: {found}"


def copies(counts: dict[str, int]) -> str:
    """Say how many pictures occur more than once, from `metrics.label_truth.copies_counted`."""
    return (
        f"FER2013 holds {counts['exact']:,} pairs of faces with equal pixels, and {counts['near']:,} more that are "
        f"nearly the same picture. In {counts['across']:,} of the pairs, models have seen a test face in training."
    )


def consistency(rates: pd.DataFrame, title: str) -> str:
    """Say after which change two groups differ most in how many of their faces keep their prediction.

    `rates` has the columns `columns.CONSISTENCY_COLUMNS`, of one division with this title.
    """
    ordered = rates.sort_values("value", kind="stable")
    if rates["group"].eq(rates["group"].iloc[0]).all():
        least = ordered.iloc[0]
        of = f" that are “{least['group']}”" if least["group"] else ""
        return (
            f"{percent(least['value'])} of the faces{of} keep their prediction after the change “{least['change']}”, "
            "more after the others."
        )
    pairs = [(part.iloc[0], part.iloc[-1]) for _, part in ordered.groupby("change")]
    lowest, highest = max(pairs, key=lambda ends: ends[1]["value"] - ends[0]["value"])
    return (
        f"{title}: after the change “{lowest['change']}”, {percent(lowest['value'])} of the faces that are "
        f"“{lowest['group']}” keep their prediction, and {percent(highest['value'])} of those that are "
        f"“{highest['group']}”."
    )


def gap(gaps: pd.DataFrame, title: str) -> str:
    """Say between which groups a rate differs most, those gaps first that chance does not explain.

    Args:
        gaps: of one rate, as in `fairness.groups.GroupAudit`.
        title: of the division.
    """
    if gaps.empty:
        return f"{title}: no two groups have enough faces to compare."
    ordered = gaps.assign(chance=gaps["p_holm"] >= LEVEL).sort_values(
        ["chance", "gap"], ascending=[True, False], kind="stable"
    )
    row = ordered.iloc[0]
    what = {
        "recall": f"{row['expression']} is found in",
        "precision": f"the answer {row['expression']} is right in",
        "selection_rate": f"{row['expression']} is the answer for",
        "accuracy": "the answer is right for",
    }[row["rate"]]
    low, high = percent(row["lowest_value"]), percent(row["highest_value"])
    chance = "can" if row["chance"] else "does not"
    return (
        f"{title}: {what} {low} of the faces that are “{row['lowest']}”, and {high} of those that are "
        f"“{row['highest']}”. Chance {chance} explain this gap."
    )


def failures(leaves: pd.DataFrame) -> str:
    """Say on which kind of faces a model is wrong most often, from `fairness.groups.error_tree`."""
    overall, worst = leaves["wrong"].sum() / leaves["faces"].sum(), leaves.iloc[0]
    return (
        f"The model is wrong on {percent(overall)} of these faces, and most often where {worst['where']}: on "
        f"{percent(worst['value'])} of {worst['faces']:,} faces."
    )


def evidence(share: float, expression: str, against: str | None) -> str:
    """Say what an activation map shows, whose strongest place is at this share of the scale, against another if any."""
    if against and share < WEAK:
        return f"Little separates {expression} from {against}"
    if against:
        return f"Blue places speak for {expression}, orange ones for {against}"
    if share < WEAK:
        return f"Little speaks for {expression}: at most {percent_text(share)} of the strongest evidence in this face"
    return f"Bright places speak for {expression}"


def covering(points: int, expression: str, against: str | None) -> str:
    """Say what an occlusion map shows, whose largest drop is of so many points, against another expression if any."""
    if against:
        to = f"Covering blue places shifts the balance from {expression} to {against}"
        return f"{to}, covering orange ones from {against} to {expression}"
    if points > 0:
        return f"Covering bright places lowers {expression} most, by up to {points} points"
    return f"Covering any place lowers {expression} by less than 1 point"


def changed(before: FaceResult, after: FaceResult, edited: bool) -> str:
    """Say what a model says about a face after edits of the picture, if it was `edited`, and what it said before."""
    was, now = (_answer(face) for face in (before, after))
    if not edited:
        return f"{was}: move a control"
    if (before.expression, before.sure) == (after.expression, after.sure):
        return f"Still {now}, before {percent_text(before.confidence)}"
    return f"Now {now}, before {was}"


def _answer(face: FaceResult) -> str:
    likely = f"{face.expression} {percent_text(face.confidence)}"
    return likely if face.sure else f"{NOT_SURE} ({likely})"
