"""The results that the paper reports, as printed, and where they contradict each other."""

from fer_core.evaluation.paper.contradictions import CONTRADICTIONS, PLAIN_MEANS, contradictions_about
from fer_core.evaluation.paper.results import (
    AUTHORS,
    OVERALL,
    TITLE,
    VARIANTS,
    recompute_vgg16_modified,
    reported,
    reported_f1,
)

__all__ = [
    "AUTHORS",
    "CONTRADICTIONS",
    "OVERALL",
    "PLAIN_MEANS",
    "TITLE",
    "VARIANTS",
    "contradictions_about",
    "recompute_vgg16_modified",
    "reported",
    "reported_f1",
]
