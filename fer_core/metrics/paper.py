"""The results that the paper reports, as printed, and where they contradict each other.

The data are in `paper_results.toml` and `paper_contradictions.toml`; they are checked when this module is imported.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from fer_core.labels import NUM_CLASSES


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
