"""What the paper reports, as printed, where it contradicts itself, and our results beside it.

The data are in `paper_results.toml` and `paper_contradictions.toml`; results of others are in `published.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from fer_core.columns import TEST_SPLITS, percent
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.core import REPORTED, Measured, metric_titles
from fer_core.metrics.predictions import Predictions
from fer_core.models import model_spec


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


class ReportedOverall(NamedTuple):
    """One row of figure 5, 11, 13 or 15, measured on PublicTest (section 3.1), with the paper's name of the model."""

    figure: int
    name: str
    accuracy: float
    roc_auc: float
    avg_tpr: float
    avg_fpr: float
    macro_f1: float


_RESULTS: Final = _read("paper_results")

TITLE: Final[str] = _RESULTS["title"]

AUTHORS: Final[list[str]] = _RESULTS["authors"]

VARIANTS: Final[dict[str, str]] = _RESULTS["variants"]
"""The paper's names of its models (two for each frozen one), with the names of our variants."""

OVERALL: Final = tuple(ReportedOverall(**row) for row in _RESULTS["overall"])

F1_BY_CLASS: Final[list[dict[str, Any]]] = _RESULTS["f1_by_class"]
"""The rows of figure 6, 12, 14 and 16: `figure`, `name`, and `f1` in the order of `labels.EXPRESSIONS`."""

FINAL: Final[dict[str, Any]] = _RESULTS["final"]
"""What section 4.5 reports of the final model, VGG16_modified: lists of `support`, `precision`, `recall`, `f1`, `tpr`
and `fpr` of the expressions, `macro_avg` and `weighted_avg` of precision, recall and F1, `roc_auc`, two accuracies."""

CLAIMS: Final[list[dict[str, Any]]] = _RESULTS["claims"]
"""What the paper concludes, each as a comparison of accuracies; see the file."""

CHANGES: Final[list[dict[str, Any]]] = [
    {**group, "change": change, "first": first}
    for group in _RESULTS["changes"]
    for change, first in group["first"].items()
]
"""What the paper or its future work changes: `group`, `change`, our model with it (`first`) and without it (`other`),
`against` in words, and the `seeds` without which so small a difference is not judged."""

CONTRADICTIONS: Final = _read("paper_contradictions")
"""Where the paper disagrees with itself, by kind: `topic`, `variants` (our names; none if it is about all models),
`note`, and `statements`: two or more pairs of where the paper says what."""

PLAIN_MEANS: Final[str] = CONTRADICTIONS.pop("plain_means")
"""For readers of the contradictions: on what the impossible ones rest."""

OTHER_WEIGHTS: Final = {"_faces": "face weights", "_utk": "UTKFace weights"}
"""Models that stand in for a variant that is not trained on ImageNet weights as in the paper: suffix and label."""

PAPER_VARIANTS: Final[dict[str, str]] = {
    name: model_spec(name).title for name in dict.fromkeys(VARIANTS[row.name] for row in OVERALL)
}
"""Our names of the eight models in the paper, in its order, and the titles that people read."""

_PUBLISHED: Final = _read("published")

PUBLISHED: Final[list[dict[str, Any]]] = _PUBLISHED["results"]
"""Published accuracies on FER2013's PrivateTest by its own label, and what others could reproduce; see the file."""

IN_PACKAGES: Final[list[dict[str, Any]]] = _PUBLISHED["measured"]
"""Models in packages of others, as measured by this code; see the file."""

IN_PACKAGES_ARE: Final = (
    "Accuracy by FER2013’s label with 95 % intervals, and macro F1, on whole faces as FER2013 frames them. Whether "
    "these models saw test faces in training is unknown."
)


def published_table() -> pd.DataFrame:
    """Return `PUBLISHED` as text: `Method`, `Claimed`, `Reproduced` and `Source`."""
    rows = []
    for result in PUBLISHED:
        sources = [result[key] for key in ("source", "reproduced_source") if key in result]
        row = {"Method": result["what"], "Claimed": f"{result['claimed']:.2f} %"}
        rows.append(row | {"Reproduced": result.get("reproduced", "–"), "Source": "; reproduced: ".join(sources)})
    return pd.DataFrame(rows)


def packages_table() -> pd.DataFrame:
    """Return `IN_PACKAGES` as text: `Package`, `Claimed`, a column for each test split, and `Command`."""
    rows = []
    for model in IN_PACKAGES:
        row = {"Package": model["what"], "Claimed": model.get("claimed", "–")}
        for split, key in TEST_SPLITS.items():
            accuracy, low, high = (100 * share for share in model[key])
            row[split] = f"{accuracy:.1f} % ({low:.1f} – {high:.1f}), F1 {percent(model[f'{key}_f1'], '.1%')}"
        rows.append(row | {"Command": f"`{model['command']}`"})
    return pd.DataFrame(rows)


def reported(variant: str) -> list[ReportedOverall]:
    """Return the rows of the overall tables about one of our variants, in the order of the paper."""
    return [row for row in OVERALL if VARIANTS[row.name] == variant]


def paper_metrics() -> dict[str, str]:
    """Return the titles of the metrics that the paper reports, by key."""
    return {key: title for key, title in metric_titles().items() if hasattr(OVERALL[0], key)}


def paper_overall(predictions: Predictions | None, measured: Measured) -> pd.DataFrame:
    """Return each row of the overall tables in the paper beside our measurement.

    The predictions and their metrics are of PublicTest, the test split of the paper.

    Returns:
        Columns `variant`, `title`, `paper_name`, `reported` ("reported, figure 11"), `measured` ("measured, PublicTest
        plain", followed by ", UTKFace weights" for a stand-in, or "not trained here yet"), and for each of
        `paper_metrics` `…_reported`, `…_measured`, `…_low`, `…_high` (NaN where not measured).
    """
    rows = []
    for variant, title in PAPER_VARIANTS.items():
        name, weights = _trained_as(variant, measured)
        words, numbers = "not trained here yet", dict.fromkeys(paper_metrics(), (np.nan, np.nan, np.nan))
        if predictions and name in measured:
            words = f"measured, {predictions.split} {predictions.view}{weights}"
            metrics, intervals = measured[name]
            numbers = {key: (metrics[key], intervals[key].low, intervals[key].high) for key in numbers}
        for line in reported(variant):
            row: dict[str, object] = {"variant": variant, "title": title, "paper_name": line.name}
            row |= {"reported": f"reported, figure {line.figure}", "measured": words}
            for key, (value, low, high) in numbers.items():
                row |= {f"{key}_reported": getattr(line, key), f"{key}_measured": value}
                row |= {f"{key}_low": low, f"{key}_high": high}
            rows.append(row)
    return pd.DataFrame(rows)


def paper_marks(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return a metric of `paper_overall` with a row for each value: `title`, `source` ("reported", or "measured here"
    with the weights of stand-ins), `where`, `value`, `low`, `high`."""
    printed = table[["title", "reported", f"{metric}_reported"]].set_axis(["title", "where", "value"], axis=1)
    ours = table[["title", "measured", f"{metric}_measured", f"{metric}_low", f"{metric}_high"]]
    ours = ours.set_axis(["title", "where", "value", "low", "high"], axis=1).drop_duplicates("title")
    weights = ours["where"].str.extract("(, [^,]* weights)$", expand=False).fillna("")
    ours = ours.assign(source="measured here" + weights).dropna(subset=["value"])
    return pd.concat([printed.assign(source="reported"), ours], ignore_index=True)


def paper_f1(variant: str, measured: Measured) -> pd.DataFrame:
    """Return F1 by expression of one variant: `model` ("reported, figure 12" or "measured here", with the weights of a
    stand-in), `expression`, `f1`, `low`, `high`."""
    columns = ["model", "expression", "f1", "low", "high"]
    printed = [row for row in F1_BY_CLASS if VARIANTS[row["name"]] == variant]
    rows: list[tuple[object, ...]] = []
    for line in {tuple(row["f1"]): row for row in reversed(printed)}.values():
        title = f"reported, figure {line['figure']}"
        rows += [(title, name, f1, np.nan, np.nan) for name, f1 in zip(EXPRESSIONS, line["f1"], strict=True)]
    name, weights = _trained_as(variant, measured)
    if name in measured:
        metrics, intervals = measured[name]
        ours = zip(zip(EXPRESSIONS, intervals.f1, strict=True), metrics.per_class.f1, strict=True)
        rows += [(f"measured here{weights}", name, f1, ends.low, ends.high) for (name, ends), f1 in ours]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], float))


def paper_report() -> pd.DataFrame:
    """Return the classification report of section 4.5, columns as `core.report_table`; NaN where nothing is printed."""
    rows = pd.DataFrame({"expression": EXPRESSIONS, **{name: FINAL[name] for name in REPORTED}})
    means = pd.DataFrame(
        {"expression": title, **dict(zip(REPORTED, FINAL[key], strict=False)), "support": sum(FINAL["support"])}
        for title, key in {"macro avg": "macro_avg", "weighted avg": "weighted_avg"}.items()
    )
    table = pd.concat([rows, means], ignore_index=True)
    return table.assign(name="", model="VGG16_modified, as the paper reports it")[["name", "model", *table.columns]]


def paper_notes(variant: str) -> dict[str, str]:
    """Return the contradictions in the paper about a variant or about all: one sentence by topic."""
    items = [item for items in CONTRADICTIONS.values() for item in items]
    return {item["topic"]: item["note"] for item in items if not item["variants"] or variant in item["variants"]}


def paper_contradictions() -> pd.DataFrame:
    """Return all contradictions in the paper: columns `variants`, `topic`, `note`, `statements`."""
    table = pd.DataFrame([item for items in CONTRADICTIONS.values() for item in items])
    variants = [", ".join(names) or "all" for names in table["variants"]]
    statements = ["; ".join(f"{where}: {value}" for where, value in pairs) for pairs in table["statements"]]
    return table.assign(variants=variants, statements=statements)[["variants", "topic", "note", "statements"]]


def _trained_as(variant: str, measured: Measured) -> tuple[str, str]:
    """Return the stored model for a variant, and a label of its weights if they are not ImageNet's."""
    for ending, words in OTHER_WEIGHTS.items():
        if variant not in measured and f"{variant}{ending}" in measured:
            return f"{variant}{ending}", f", {words}"
    return variant, ""
