"""The paper's results as data, to show beside ours: reported numbers as reported, contradictions named."""

from fer_core.evaluation.paper.consistency import Recomputed, possible_range, recompute_vgg16_modified
from fer_core.evaluation.paper.contradiction import Contradiction, Statement
from fer_core.evaluation.paper.contradictions import CONTRADICTIONS, contradictions_about
from fer_core.evaluation.paper.tables import (
    AUTHORS,
    F1_BY_CLASS,
    FINAL,
    OVERALL,
    SPLIT,
    TITLE,
    VARIANTS,
    Averages,
    ReportedF1,
    ReportedFinal,
    ReportedOverall,
    reported,
    reported_f1,
)

__all__ = [
    "AUTHORS",
    "CONTRADICTIONS",
    "F1_BY_CLASS",
    "FINAL",
    "OVERALL",
    "SPLIT",
    "TITLE",
    "VARIANTS",
    "Averages",
    "Contradiction",
    "Recomputed",
    "ReportedF1",
    "ReportedFinal",
    "ReportedOverall",
    "Statement",
    "contradictions_about",
    "possible_range",
    "recompute_vgg16_modified",
    "reported",
    "reported_f1",
]
