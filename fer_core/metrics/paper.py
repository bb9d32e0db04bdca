"""What the paper reports, as printed, where it contradicts itself, and our results beside it.

The data are in `paper_results.toml` and `paper_contradictions.toml`; they are checked when this module is imported."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from fer_core.labels import EXPRESSIONS, NUM_CLASSES
from fer_core.metrics.core import Measured, metric_titles
from fer_core.metrics.predictions import Predictions
from fer_core.models import model_spec


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(f"paper_{name}.toml").read_text(encoding="utf-8"))


_RESULTS: Final = _read("results")


_CONTRADICTIONS: Final = _read("contradictions")


TITLE: Final[str] = _RESULTS["title"]


AUTHORS: Final = tuple(_RESULTS["authors"])


VARIANTS: Final[dict[str, str]] = _RESULTS["variants"]
"""The paper's names of its models (two for each frozen one), with the names of our variants."""


PLAIN_MEANS: Final[str] = _CONTRADICTIONS.pop("plain_means")
"""For readers of the contradictions: on what the impossible ones rest."""


@dataclass(frozen=True)
class _Reported:
    """A row of a table: the number of its figure, and the paper's name of the model.

    Raises:
        ValueError: on creation, if the name is not one of `VARIANTS`, or a number is not from 0 to 1.
    """

    figure: int
    name: str

    def _check(self, *numbers: Any) -> None:
        if self.name not in VARIANTS:
            raise ValueError(f"Expected one of {', '.join(VARIANTS)}. Received: {self.name}")
        for value in numbers:
            if not isinstance(value, float) or not 0 <= value <= 1:
                raise ValueError(f"Expected a number from 0 to 1. Received: {value!r}")

    @property
    def variant(self) -> str:
        """Name of our variant."""
        return VARIANTS[self.name]


@dataclass(frozen=True)
class ReportedOverall(_Reported):
    """One row of figure 5, 11, 13 or 15, measured on PublicTest (section 3.1)."""

    accuracy: float
    roc_auc: float
    avg_tpr: float
    avg_fpr: float
    macro_f1: float

    def __post_init__(self) -> None:
        self._check(self.accuracy, self.roc_auc, self.avg_tpr, self.avg_fpr, self.macro_f1)


@dataclass(frozen=True)
class ReportedF1(_Reported):
    """One row of figure 6, 12, 14 or 16: F1 of the seven expressions in the order of `labels.EXPRESSIONS`."""

    f1: tuple[float, ...]

    def __post_init__(self) -> None:
        self._check(*self.f1)
        if len(self.f1) != NUM_CLASSES:
            raise ValueError(f"Expected {NUM_CLASSES} numbers. Received: {self.f1}")


class Statement(NamedTuple):
    """A number or a quotation, and where the paper has it."""

    where: str
    value: float | str


@dataclass(frozen=True)
class Contradiction:
    """A place where the paper disagrees with itself.

    Attributes:
        kind: the name of its table in the file, which explains them.
        topic: the subject in a few words.
        variants: our names of the models; empty if it is about all models.
        note: one sentence that explains the contradiction.
        statements: at least two that contradict each other.

    Raises:
        ValueError: on creation, if a variant is unknown, or there are fewer than two statements.
    """

    kind: str
    topic: str
    variants: tuple[str, ...]
    note: str
    statements: tuple[Statement, ...]

    def __post_init__(self) -> None:
        if unknown := set(self.variants) - set(VARIANTS.values()):
            raise ValueError(f"Expected variants of the paper. Received: {', '.join(unknown)} ({self.topic})")
        if len(self.statements) < 2:
            raise ValueError(f"Expected at least two statements. Received: {self.statements} ({self.topic})")


def _contradiction(kind: str, variants: list[str], statements: list[list[Any]], **texts: str) -> Contradiction:
    pairs = tuple(Statement(*pair) for pair in statements)
    return Contradiction(kind=kind, variants=tuple(variants), statements=pairs, **texts)


OVERALL: Final = tuple(ReportedOverall(**row) for row in _RESULTS["overall"])


F1_BY_CLASS: Final = tuple(ReportedF1(**{**row, "f1": tuple(row["f1"])}) for row in _RESULTS["f1_by_class"])


CONTRADICTIONS: Final = tuple(_contradiction(kind, **item) for kind, items in _CONTRADICTIONS.items() for item in items)


FINAL: Final[dict[str, list[float]]] = _RESULTS["final"]
"""Support, precision and recall of the expressions for the final model, VGG16_modified, in section 4.5."""


def reported(variant: str) -> tuple[ReportedOverall, ...]:
    """Return the rows of the overall tables about one of our variants, in the order of the paper."""
    return tuple(row for row in OVERALL if row.variant == variant)


def reported_f1(variant: str) -> tuple[ReportedF1, ...]:
    """Return the rows of the F1 tables about one of our variants, in the order of the paper."""
    return tuple(row for row in F1_BY_CLASS if row.variant == variant)


def contradictions_about(variant: str) -> tuple[Contradiction, ...]:
    """Return the contradictions about one of our variants, and those about all models."""
    return tuple(item for item in CONTRADICTIONS if not item.variants or variant in item.variants)


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


class PublishedResult(NamedTuple):
    """One claim.

    Attributes:
        what: method or people.
        claimed: accuracy in percent, as its authors report it.
        reproduced: what others report, in words; empty if we know of no report.
        source: of the claim, as Markdown with a link.
        reproduced_source: of the reports, likewise.
    """

    what: str
    claimed: float
    reproduced: str
    source: str
    reproduced_source: str = ""


_RMN: Final = "https://github.com/phamquiluan/ResidualMaskingNetwork/issues"


_RESEMOTENET: Final = "https://github.com/ArnabKumarRoy02/ResEmoteNet/issues"


def _arxiv(number: str) -> str:
    return f"[arXiv:{number}](https://arxiv.org/abs/{number})"


PUBLISHED: Final[tuple[PublishedResult, ...]] = (
    PublishedResult("People", 65.0, "", f"Goodfellow et al. 2013: 65 ± 5 %, {_arxiv('1307.0414')}"),
    PublishedResult("Winner of the challenge (SVM loss)", 71.16, "", f"Tang 2013, {_arxiv('1306.0239')}"),
    PublishedResult("VGG", 72.7, "", f"Pramerdorfer and Kampel 2016, {_arxiv('1612.02903')}"),
    PublishedResult("Ensemble of eight networks", 75.2, "", f"Pramerdorfer and Kampel 2016, {_arxiv('1612.02903')}"),
    PublishedResult("VGGNet", 73.28, "", f"Khaireddin and Chen 2021, {_arxiv('2105.03588')}"),
    PublishedResult(
        "Residual Masking Network (RMN)",
        74.14,
        "65.6, 69.1 and 73.6 %, trained by users",
        "Pham, Vu and Tran 2021 (ICPR), [IEEE 9411919](https://ieeexplore.ieee.org/document/9411919)",
        f"its GitHub issues [9]({_RMN}/9) and [41]({_RMN}/41)",
    ),
    PublishedResult(
        "ResEmoteNet",
        79.79,
        "65.9 and 71.6 %, by users with the authors’ weights",
        f"Roy, Kathania, Sharma, Dey and Ansari 2024, {_arxiv('2409.10545')}",
        f"its GitHub issues [46]({_RESEMOTENET}/46) and [13]({_RESEMOTENET}/13)",
    ),
)


OTHER_WEIGHTS: Final = {"_utk": "UTKFace weights"}
"""Models that stand in for a variant that is not trained on ImageNet weights as in the paper: suffix and label."""


PAPER_VARIANTS: Final[dict[str, str]] = {
    name: model_spec(name).title for name in dict.fromkeys(VARIANTS[row.name] for row in OVERALL)
}
"""Our names of the eight models in the paper, in its order, and the titles that people read."""


def paper_metrics() -> dict[str, str]:
    """Return the titles of the metrics that the paper reports, by key."""
    return {key: title for key, title in metric_titles().items() if hasattr(OVERALL[0], key)}


def paper_overall(answers: Predictions | None, measured: Measured) -> pd.DataFrame:
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
