"""What the paper reports, as printed, where it contradicts itself, and our results beside it.

The data are in `paper_results.toml` and `paper_contradictions.toml`; results of others are in `published.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from fer_core.labels import EXPRESSIONS
from fer_core.metrics.core import Measured, metric_titles
from fer_core.metrics.predictions import Predictions
from fer_core.models import model_spec


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


_RESULTS: Final = _read("paper_results")

_CONTRADICTIONS: Final = _read("paper_contradictions")

TITLE: Final[str] = _RESULTS["title"]

AUTHORS: Final = tuple(_RESULTS["authors"])

VARIANTS: Final[dict[str, str]] = _RESULTS["variants"]
"""The paper's names of its models (two for each frozen one), with the names of our variants."""

PLAIN_MEANS: Final[str] = _CONTRADICTIONS.pop("plain_means")
"""For readers of the contradictions: on what the impossible ones rest."""


class ReportedOverall(NamedTuple):
    """One row of figure 5, 11, 13 or 15, measured on PublicTest (section 3.1), with the paper's name of the model."""

    figure: int
    name: str
    accuracy: float
    roc_auc: float
    avg_tpr: float
    avg_fpr: float
    macro_f1: float


class ReportedF1(NamedTuple):
    """One row of figure 6, 12, 14 or 16: F1 of the seven expressions in the order of `labels.EXPRESSIONS`."""

    figure: int
    name: str
    f1: tuple[float, ...]


class Statement(NamedTuple):
    """A number or a quotation, and where the paper has it."""

    where: str
    value: float | str


class Contradiction(NamedTuple):
    """A place where the paper disagrees with itself.

    Attributes:
        kind: the name of its table in the file, which explains them.
        topic: the subject in a few words.
        variants: our names of the models; empty if it is about all models.
        note: one sentence that explains the contradiction.
        statements: at least two that contradict each other.
    """

    kind: str
    topic: str
    variants: tuple[str, ...]
    note: str
    statements: tuple[Statement, ...]


class PublishedResult(NamedTuple):
    """A result of others, see `published.toml`."""

    what: str
    claimed: float
    source: str
    reproduced: str = ""
    reproduced_source: str = ""


def _contradiction(kind: str, variants: list[str], statements: list[list[Any]], **texts: str) -> Contradiction:
    pairs = tuple(Statement(*pair) for pair in statements)
    return Contradiction(kind=kind, variants=tuple(variants), statements=pairs, **texts)


OVERALL: Final = tuple(ReportedOverall(**row) for row in _RESULTS["overall"])

F1_BY_CLASS: Final = tuple(ReportedF1(**{**row, "f1": tuple(row["f1"])}) for row in _RESULTS["f1_by_class"])

CONTRADICTIONS: Final = tuple(_contradiction(kind, **item) for kind, items in _CONTRADICTIONS.items() for item in items)

FINAL: Final[dict[str, list[float]]] = _RESULTS["final"]
"""Support, precision and recall of the expressions for the final model, VGG16_modified, in section 4.5."""

OTHER_WEIGHTS: Final = {"_utk": "UTKFace weights"}
"""Models that stand in for a variant that is not trained on ImageNet weights as in the paper: suffix and label."""

PAPER_VARIANTS: Final[dict[str, str]] = {
    name: model_spec(name).title for name in dict.fromkeys(VARIANTS[row.name] for row in OVERALL)
}
"""Our names of the eight models in the paper, in its order, and the titles that people read."""

PUBLISHED: Final = tuple(PublishedResult(**row) for row in _read("published")["results"])
"""Published accuracies on FER2013's PrivateTest by its own label, and what others could reproduce."""


def reported(variant: str) -> tuple[ReportedOverall, ...]:
    """Return the rows of the overall tables about one of our variants, in the order of the paper."""
    return tuple(row for row in OVERALL if VARIANTS[row.name] == variant)


def recompute_vgg16_modified() -> dict[str, float]:
    """Recompute accuracy, macro F1, Avg TPR and Avg FPR of VGG16_modified from section 4.5, by key of the metric.

    The printed fractions determine the counts: recall times support, and the true positives divided by precision, are
    integers, and the predicted counts sum to the 3,589 faces.
    """
    support, precision, recall = (np.array(FINAL[name]) for name in ("support", "precision", "recall"))
    hits = np.rint(recall * support).astype(int)
    predicted = np.rint(hits / precision).astype(int)
    return {
        "accuracy": float(hits.sum() / support.sum()),
        "macro_f1": float((2 * hits / (support + predicted)).mean()),
        "avg_tpr": float((hits / support).mean()),
        "avg_fpr": float(((predicted - hits) / (support.sum() - support)).mean()),
    }


def paper_metrics() -> dict[str, str]:
    """Return the titles of the metrics that the paper reports, by key."""
    return {key: title for key, title in metric_titles().items() if hasattr(OVERALL[0], key)}


def paper_overall(predictions: Predictions | None, measured: Measured) -> pd.DataFrame:
    """Return each row of the overall tables in the paper beside our measurement.

    Args:
        predictions: of PublicTest, the test split of the paper; None if there are none.
        measured: metrics of these predictions.

    Returns:
        Columns `variant`, `title`, `paper_name`, `reported` ("reported, figure 11"), `measured` ("measured, PublicTest
        plain", followed by ", UTKFace weights" for a stand-in, or "not trained here yet"), and for each of
        `paper_metrics` `…_reported`, `…_measured`, `…_low`, `…_high` (NaN where not measured).
    """
    rows = []
    order = list(PAPER_VARIANTS)
    for line in sorted(OVERALL, key=lambda line: order.index(VARIANTS[line.name])):
        variant = VARIANTS[line.name]
        name, weights = _trained_as(variant, measured)
        ours = measured.get(name)
        row: dict[str, object] = {
            "variant": variant,
            "title": PAPER_VARIANTS[variant],
            "paper_name": line.name,
            "reported": f"reported, figure {line.figure}",
            "measured": "not trained here yet",
        }
        if ours and predictions:
            row["measured"] = f"measured, {predictions.split} {predictions.view}{weights}"
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
    printed = [row for row in F1_BY_CLASS if VARIANTS[row.name] == variant]
    for line in {row.f1: row for row in reversed(printed)}.values():
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
    recomputed = recompute_vgg16_modified()
    titles = {name: title for name, title in paper_metrics().items() if name in recomputed}
    return pd.DataFrame(
        {
            "metric": list(titles.values()),
            "recomputed": [recomputed[name] for name in titles],
            **{f"figure {row.figure}": [getattr(row, name) for name in titles] for row in reported("vgg16_modified")},
        }
    )


def paper_notes(variant: str) -> dict[str, str]:
    """Return the contradictions in the paper about a variant or about all: one sentence by topic."""
    return {item.topic: item.note for item in CONTRADICTIONS if not item.variants or variant in item.variants}


def paper_contradictions() -> pd.DataFrame:
    """Return all contradictions in the paper: columns `variants`, `topic`, `note`, `statements`."""
    rows = [
        {
            "variants": ", ".join(item.variants) or "all",
            "topic": item.topic,
            "note": item.note,
            "statements": "; ".join(f"{where}: {value}" for where, value in item.statements),
        }
        for item in CONTRADICTIONS
    ]
    return pd.DataFrame(rows)


def _trained_as(variant: str, measured: Measured) -> tuple[str, str]:
    """Return the stored model for a variant, and a label of its weights if they are not ImageNet's."""
    for ending, words in OTHER_WEIGHTS.items():
        if variant not in measured and f"{variant}{ending}" in measured:
            return f"{variant}{ending}", f", {words}"
    return variant, ""
