"""The results that the paper reports, beside those measured here for the same variants."""

from __future__ import annotations

from typing import Final

import pandas as pd

from fer_core.comparison.answers import Answers
from fer_core.comparison.scoreboard import Measured
from fer_core.labels import EXPRESSIONS
from fer_core.metrics import metric_titles
from fer_core.metrics.paper import (
    CONTRADICTIONS,
    OVERALL,
    VARIANTS,
    contradictions_about,
    recompute_vgg16_modified,
    reported,
    reported_f1,
)
from fer_core.models import model_spec

OTHER_WEIGHTS: Final = {"_utk": "UTKFace weights"}
"""Models that stand in for a variant that is not trained on ImageNet weights as in the paper: suffix and label."""

PAPER_VARIANTS: Final[dict[str, str]] = {
    name: model_spec(name).title for name in dict.fromkeys(VARIANTS[row.name] for row in OVERALL)
}
"""Our names of the eight models in the paper, in its order, and the titles that people read."""


def paper_metrics() -> dict[str, str]:
    """Return the titles of the metrics that the paper reports, by key."""
    return {key: title for key, title in metric_titles().items() if hasattr(OVERALL[0], key)}


def paper_overall(answers: Answers | None, measured: Measured) -> pd.DataFrame:
    """Return each row of the overall tables in the paper beside our measurement.

    Args:
        answers: predictions of PublicTest, the test split of the paper; None if there are none.
        measured: metrics of these predictions.

    Returns:
        Columns `variant`, `title`, `paper_name`, `reported` ("reported, figure 11"), `measured` ("measured, PublicTest
        plain", followed by ", UTKFace weights" for a stand-in, or "not trained here yet"), and for each of
        `paper_metrics` `…_reported`, `…_measured`, `…_low`, `…_high` (NaN where not measured).
    """
    rows = []
    for line in (line for variant in PAPER_VARIANTS for line in reported(variant)):
        name, weights = _trained_as(line.variant, measured)
        ours = measured.get(name)
        row: dict[str, object] = {
            "variant": line.variant,
            "title": PAPER_VARIANTS[line.variant],
            "paper_name": line.name,
            "reported": f"reported, figure {line.figure}",
            "measured": "not trained here yet",
        }
        if ours and answers:
            row["measured"] = f"measured, {answers.split} {answers.view}{weights}"
        for metric in paper_metrics():
            interval = ours[1][metric] if ours else None
            row[f"{metric}_reported"] = getattr(line, metric)
            row[f"{metric}_measured"] = ours[0][metric] if ours else None
            row[f"{metric}_low"] = interval.low if interval else None
            row[f"{metric}_high"] = interval.high if interval else None
        rows.append(row)
    table = pd.DataFrame(rows)
    numbers = [column for column in table if str(column).endswith(("_reported", "_measured", "_low", "_high"))]
    return table.astype(dict.fromkeys(numbers, float))


def paper_marks(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return one metric of `paper_overall` with one row for each value.

    Returns:
        Columns `title`, `source` ("reported" or "measured here"), `where`, `value`, `low`, `high`.
    """
    printed = table[["title", "reported", f"{metric}_reported"]].set_axis(["title", "where", "value"], axis=1)
    ours = table[["title", "measured", f"{metric}_measured", f"{metric}_low", f"{metric}_high"]]
    ours = ours.set_axis(["title", "where", "value", "low", "high"], axis=1).drop_duplicates("title")
    return pd.concat(
        [printed.assign(source="reported"), ours.dropna(subset=["value"]).assign(source="measured here")],
        ignore_index=True,
    )


def paper_f1(variant: str, measured: Measured) -> pd.DataFrame:
    """Return F1 by expression of one variant.

    Returns:
        Columns `model` ("reported, figure 12" or "measured here", with the weights of a stand-in), `expression`, `f1`,
        `low`, `high`.
    """
    rows: list[dict[str, object]] = []
    for line in {row.f1: row for row in reversed(reported_f1(variant))}.values():
        title = f"reported, figure {line.figure}"
        rows += [{"model": title, "expression": e, "f1": v} for e, v in zip(EXPRESSIONS, line.f1, strict=True)]
    name, weights = _trained_as(variant, measured)
    if name in measured:
        metrics, intervals = measured[name]
        for index, expression in enumerate(EXPRESSIONS):
            interval = intervals.f1[expression]
            value = metrics.per_class.f1[index]
            ours = {"model": f"measured here{weights}", "expression": expression, "f1": value}
            rows.append({**ours, "low": interval.low, "high": interval.high})
    table = pd.DataFrame(rows, columns=["model", "expression", "f1", "low", "high"])
    return table.astype({"f1": float, "low": float, "high": float})


def paper_recomputed() -> pd.DataFrame:
    """Return VGG16_modified recomputed from section 4.5, beside what the figures report of it.

    Returns:
        Rows for accuracy, macro F1, Avg TPR and Avg FPR; columns `metric`, `recomputed` and one for each figure
        ("figure 11", …).
    """
    found = recompute_vgg16_modified()
    titles = {name: title for name, title in paper_metrics().items() if name in found}
    return pd.DataFrame(
        {
            "metric": list(titles.values()),
            "recomputed": [found[name] for name in titles],
            **{f"figure {row.figure}": [getattr(row, name) for name in titles] for row in reported("vgg16_modified")},
        }
    )


def paper_notes(variant: str) -> dict[str, str]:
    """Return the contradictions in the paper about a variant or about all: one sentence by topic."""
    return {one.topic: one.note for one in contradictions_about(variant)}


def paper_contradictions() -> pd.DataFrame:
    """Return all contradictions in the paper: columns `variants`, `topic`, `note`, `statements`."""
    return pd.DataFrame(
        [
            {
                "variants": ", ".join(one.variants) or "all",
                "topic": one.topic,
                "note": one.note,
                "statements": "; ".join(f"{side.where}: {side.value}" for side in one.statements),
            }
            for one in CONTRADICTIONS
        ]
    )


def _trained_as(variant: str, measured: Measured) -> tuple[str, str]:
    """Return the stored model for a variant, and a label of its weights if they are not ImageNet's."""
    for ending, words in OTHER_WEIGHTS.items():
        if variant not in measured and f"{variant}{ending}" in measured:
            return f"{variant}{ending}", f", {words}"
    return variant, ""
