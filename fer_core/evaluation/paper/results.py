"""The result tables of the paper as printed: figures 5, 6 and 11 to 16, and section 4.5. Nothing is corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

ClassValues = tuple[float, float, float, float, float, float, float]
"""One number for each expression, in the order of `labels.EXPRESSIONS`, which the paper uses, too."""

TITLE: Final = "Facial Expression Recognition using Deep Learning"
AUTHORS: Final = ("Adarsh Ramesh Kumar", "Dane Ukken")

VARIANTS: Final[dict[str, str]] = {
    "MobileNet_freezed": "mobilenetv2_frozen",
    "MobileNet": "mobilenetv2_frozen",
    "VGG16_freezed": "vgg16_frozen",
    "VGG16_frozen": "vgg16_frozen",
    "Xception_freezed": "xception_frozen",
    "Xception_frozen": "xception_frozen",
    "ResNet50_freezed": "resnet50_frozen",
    "ResNet50": "resnet50_frozen",
    "MobileNet_modified": "mobilenetv2_modified",
    "VGG16_modified": "vgg16_modified",
    "VGG16_mod_noise": "vgg16_modified_noise",
    "VGG16_mod_face": "vgg16_modified_face",
}
"""The paper's names of its models (two for each frozen one), with the names of our variants."""


@dataclass(frozen=True)
class ReportedOverall:
    """One row of figure 5, 11, 13 or 15, measured on PublicTest (section 3.1)."""

    figure: int
    name: str
    accuracy: float
    roc_auc: float
    avg_tpr: float
    avg_fpr: float
    macro_f1: float

    @property
    def variant(self) -> str:
        """Name of our variant."""
        return VARIANTS[self.name]


@dataclass(frozen=True)
class ReportedF1:
    """One row of figure 6, 12, 14 or 16: F1 by expression."""

    figure: int
    name: str
    f1: ClassValues

    @property
    def variant(self) -> str:
        """Name of our variant."""
        return VARIANTS[self.name]


@dataclass(frozen=True)
class Recomputed:
    """The final model, VGG16_modified, recomputed from precision, recall and support in section 4.5."""

    accuracy: float
    macro_f1: float
    avg_tpr: float
    avg_fpr: float


OVERALL: Final[tuple[ReportedOverall, ...]] = (
    ReportedOverall(5, "MobileNet_freezed", 0.5352, 0.8488, 0.5351, 0.0836, 0.5267),
    ReportedOverall(5, "VGG16_freezed", 0.4784, 0.795, 0.4786, 0.0743, 0.4753),
    ReportedOverall(5, "Xception_freezed", 0.4873, 0.8187, 0.4871, 0.083, 0.4686),
    ReportedOverall(5, "ResNet50_freezed", 0.4823, 0.7984, 0.4821, 0.0853, 0.458),
    ReportedOverall(11, "MobileNet_modified", 0.5458, 0.8481, 0.4814, 0.0826, 0.4941),
    ReportedOverall(11, "VGG16_modified", 0.584, 0.8761, 0.5976, 0.065, 0.6032),
    ReportedOverall(13, "VGG16_mod_noise", 0.5979, 0.8733, 0.5143, 0.07, 0.5232),
    ReportedOverall(13, "VGG16_modified", 0.584, 0.8761, 0.5357, 0.0657, 0.6032),
    ReportedOverall(15, "VGG16_mod_face", 0.5525, 0.8769, 0.6029, 0.0643, 0.6131),
    ReportedOverall(15, "VGG16_modified", 0.584, 0.8761, 0.6021, 0.0643, 0.6031),
)
"""Columns as printed: accuracy, ROC AUC, Avg TPR, Avg FPR, macro F1."""

F1_BY_CLASS: Final[tuple[ReportedF1, ...]] = (
    ReportedF1(6, "MobileNet", (0.4531, 0.4138, 0.4131, 0.701, 0.4627, 0.7456, 0.4972)),
    ReportedF1(6, "VGG16_frozen", (0.3325, 0.5263, 0.376, 0.6032, 0.404, 0.669, 0.4164)),
    ReportedF1(6, "Xception_frozen", (0.3757, 0.3, 0.4023, 0.6422, 0.4247, 0.6579, 0.4775)),
    ReportedF1(6, "ResNet50", (0.3605, 0.4576, 0.3387, 0.5978, 0.4371, 0.6508, 0.4125)),
    ReportedF1(12, "MobileNet_modified", (0.4142, 0.2769, 0.4142, 0.7273, 0.4155, 0.7238, 0.4871)),
    ReportedF1(12, "VGG16_modified", (0.5073, 0.5769, 0.5189, 0.7965, 0.516, 0.7698, 0.5367)),
    ReportedF1(14, "VGG16_mod_noise", (0.5127, 0.1333, 0.4302, 0.7998, 0.5164, 0.7266, 0.5435)),
    ReportedF1(14, "VGG16_modified", (0.5073, 0.5769, 0.5189, 0.7965, 0.516, 0.7698, 0.5367)),
    ReportedF1(16, "VGG16_mod_face", (0.5152, 0.6813, 0.4882, 0.8027, 0.5086, 0.7606, 0.5354)),
    ReportedF1(16, "VGG16_modified", (0.5073, 0.5769, 0.5189, 0.7965, 0.516, 0.7698, 0.5367)),
)

FINAL_SUPPORT: Final = (467, 56, 496, 895, 653, 415, 607)
FINAL_PRECISION: Final[ClassValues] = (
    0.49292929292929294,
    0.625,
    0.5117647058823529,
    0.8251497005988024,
    0.5128593040847201,
    0.7783251231527094,
    0.5252365930599369,
)
FINAL_RECALL: Final[ClassValues] = (
    0.5224839400428265,
    0.5357142857142857,
    0.5262096774193549,
    0.7698324022346369,
    0.5191424196018377,
    0.7614457831325301,
    0.5485996705107083,
)
"""Classification report of the final model, VGG16_modified, in section 4.5. The supports are those of PublicTest."""


def reported(variant: str) -> tuple[ReportedOverall, ...]:
    """Return the rows of the overall tables about one of our variants, in the order of the paper."""
    return tuple(row for row in OVERALL if row.variant == variant)


def reported_f1(variant: str) -> tuple[ReportedF1, ...]:
    """Return the rows of the F1 tables about one of our variants, in the order of the paper."""
    return tuple(row for row in F1_BY_CLASS if row.variant == variant)


def recompute_vgg16_modified() -> Recomputed:
    """Recompute accuracy, macro F1, Avg TPR and Avg FPR of VGG16_modified from section 4.5.

    The printed fractions determine the counts: recall times support, and the true positives divided by precision, are
    integers, and the predicted counts sum to the 3,589 faces.
    """
    support = np.array(FINAL_SUPPORT)
    hits = np.rint(np.array(FINAL_RECALL) * support).astype(int)
    predicted = np.rint(hits / np.array(FINAL_PRECISION)).astype(int)
    return Recomputed(
        accuracy=float(hits.sum() / support.sum()),
        macro_f1=float((2 * hits / (support + predicted)).mean()),
        avg_tpr=float((hits / support).mean()),
        avg_fpr=float(((predicted - hits) / (support.sum() - support)).mean()),
    )
