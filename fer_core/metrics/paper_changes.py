"""What each change that the paper or its future work names gains here: one model with it, one without."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from fer_core.metrics.intervals import Interval
from fer_core.metrics.paper import CHANGES
from fer_core.metrics.paper_claims import NOT_TRAINED, UNKNOWN, mean_difference, points, same_start
from fer_core.metrics.predictions import Predictions

TRIALS_FILE: Final = Path(__file__).with_name("paper_trials.csv")
"""Small trainings: `name`, `seed` and `predicted`, a digit for each face of PublicTest; by tests/paper_trials.py."""

CHANGES_CAPTION: Final = (
    "Accuracy on PublicTest by FER2013’s label, mean over seeds, and its difference to the model without the change, "
    "with 95 % intervals (bootstrap over test faces and trainings). A change helps or hurts if the interval is on one "
    "side of 0 and there are as many seeds as so small a difference needs. Small: the head of MobileNetV2 at 96 "
    "pixels, six epochs on 3,000 faces."
)


def paper_changes(predictions: Predictions | None) -> pd.DataFrame:
    """Return the gain of each of `CHANGES` by predictions of PublicTest and the small trainings.

    Models are compared only with models that start from the same weights. All stored seeds count.

    Returns:
        Columns `group`, `change`, `against`, `model` (for people, with the group), `first` and `other` (our names),
        `accuracy` and `difference` with `_low` and `_high` (shares, NaN where not trained), `seeds` of the model with
        fewer, `n` faces, and `verdict`: helps, hurts, cannot be told or not trained.
    """
    known = None if predictions is None else with_trials(predictions)
    return pd.DataFrame([_gain(change, known) for change in CHANGES])


def with_trials(predictions: Predictions) -> Predictions:
    """Return predictions of PublicTest with those of the small trainings, as `<name>_small_seed<seed>`."""
    ranks = np.argsort(np.argsort(predictions.rows))  # digits are in the order of FER2013's rows
    for line in TRIALS_FILE.read_text(encoding="utf-8").splitlines()[1:]:
        name, seed, text = line.split(",")
        if len(text) == len(ranks):
            answers = np.eye(7)[np.frombuffer(text.encode(), np.uint8) - ord("0")]
            predictions = predictions.plus(f"{name}_small_seed{seed}", "", answers[ranks])
    return predictions


def changes_in_prose(changes: pd.DataFrame) -> list[str]:
    """Return what each group of `paper_changes` shows, a sentence of Markdown for each that has a trained model."""
    sentences = []
    for group, rows in changes[changes["verdict"] != NOT_TRAINED].groupby("group", sort=False):
        parts = [
            f"{row['change']}: {row['verdict']} ({points(row['difference'])} points against {row['against']}, "
            f"{points(row['difference_low'])} to {points(row['difference_high'])})"
            for row in rows.to_dict("records")
        ]
        sentences.append(f"**{group}.** {'; '.join(parts)}.")
    return sentences


def changes_table(changes: pd.DataFrame) -> pd.DataFrame:
    """Return trained rows of `paper_changes` as text: accuracy and difference with intervals, seeds, faces, verdict."""
    rows = []
    for row in changes.to_dict("records"):
        accuracy, low, high = (f"{100 * row[f'accuracy{end}']:.1f}" for end in ("", "_low", "_high"))
        gain, least, most = (points(row[f"difference{end}"]) for end in ("", "_low", "_high"))
        rows.append(
            {
                "Change": row["model"],
                "Against": row["against"],
                "Accuracy without": f"{100 * (row['accuracy'] - row['difference']):.1f} %",
                "Accuracy": f"{accuracy} % ({low} to {high})",
                "Difference in points": f"{gain} ({least} to {most})",
                "Seeds": row["seeds"],
                "Faces": f"{row['n']:,}",
                "Verdict": row["verdict"],
            }
        )
    return pd.DataFrame(rows)


def _gain(change: dict[str, Any], predictions: Predictions | None) -> dict[str, Any]:
    row = {name: change[name] for name in ("group", "change", "against", "first", "other")}
    row |= {"model": f"{change['group']}: {change['change']}", "seeds": 0, "n": 0, "verdict": NOT_TRAINED}
    numbers = {"accuracy": (np.nan, Interval()), "difference": (np.nan, Interval())}
    if predictions and (pair := same_start(change["first"], change["other"], predictions)):
        first, other = pair[1]
        numbers = {
            "accuracy": mean_difference(first, np.zeros_like(first)),
            "difference": mean_difference(first, other),
        }
        ends, seeds = numbers["difference"][1], min(len(first), len(other))
        words = "helps" if ends.low > 0 else "hurts" if ends.high < 0 else UNKNOWN
        row |= {"seeds": seeds, "n": first.shape[1], "verdict": words if seeds >= change.get("seeds", 1) else UNKNOWN}
    for name, (value, interval) in numbers.items():
        row |= {name: value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row
