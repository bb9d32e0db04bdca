"""Contradictions within the paper, with the statements that contradict each other.

"Possible" values are what the printed F1 scores allow on PublicTest: bounds of a linear program over all confusion
matrices, computed in tests/evaluation/test_paper.py. Those of Avg TPR and Avg FPR take the averages as plain means over
the seven classes (macro averages), see `PLAIN_MEANS`. Quotations are verbatim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["values", "impossible", "text", "definition", "rounding", "method", "naming"]
"""values: different numbers for one quantity. impossible: numbers that no set of predictions has, if averages are plain
means. text: the text disagrees with a table. definition: a column does not hold what its title says. method: two
descriptions differ."""

PLAIN_MEANS: Final = (
    "What is said here of possible values of Avg TPR and Avg FPR holds if they are plain means over the seven "
    "expressions (macro averages). The paper does not say how it averages. With means weighted by the number of faces, "
    "three of the four values of Avg FPR are possible; 0.0743 of VGG16_freezed and the Avg TPR of 0.5357 are not."
)
"""For readers of the contradictions: on what the impossible ones rest."""


@dataclass(frozen=True)
class Statement:
    """A number or a quotation, and where the paper has it."""

    where: str
    value: float | str


@dataclass(frozen=True)
class Contradiction:
    """A place where the paper disagrees with itself.

    Attributes:
        kind: see `Kind`.
        topic: the subject in a few words.
        variants: our names of the models; empty if it is about all models.
        statements: at least two that contradict each other.
        note: one sentence that explains the contradiction.
    """

    kind: Kind
    topic: str
    variants: tuple[str, ...]
    statements: tuple[Statement, ...]
    note: str


def _contradiction(
    kind: Kind, topic: str, variants: str, note: str, *statements: tuple[str, float | str]
) -> Contradiction:
    """Build a contradiction; `variants` are separated by spaces, `statements` are pairs of place and value."""
    return Contradiction(kind, topic, tuple(variants.split()), tuple(Statement(*one) for one in statements), note)


_FROZEN = "mobilenetv2_frozen vgg16_frozen xception_frozen resnet50_frozen"

_VALUES: Final = (
    _contradiction(
        "values", "accuracy of VGG16_modified", "vgg16_modified",
        "The same model has 2,096 and 2,212 of 3,589 faces right; the classification report's number follows from "
        "its recalls, the tables carry the other.",
        ("figures 11, 13, 15", 0.584),
        ("section 4.5, Accuracy", 0.584006667137146),
        ("section 4.5, classification report", 0.6163276678740597),
        ("section 4.5, weighted avg recall", 0.6163276678740597),
    ),
    _contradiction(
        "values", "Avg TPR of VGG16_modified", "vgg16_modified",
        "Three values for one model; section 4.5's mean recall agrees with figure 11, and figure 13's is the recall "
        "of Disgust alone (0.5357).",
        ("figure 11", 0.5976),
        ("figure 13", 0.5357),
        ("figure 15", 0.6021),
        ("section 4.5, macro avg recall", 0.5976325969508828),
        ("section 4.5, recall of Disgust", 0.5357142857142857),
    ),
    _contradiction(
        "values", "Avg FPR of VGG16_modified", "vgg16_modified",
        "Three values for one model; section 4.5 recomputes to 0.0656, and figure 13's is the mean of the "
        "two-decimal rates.",
        ("figure 11", 0.065),
        ("figure 13", 0.0657),
        ("figure 15", 0.0643),
        ("section 4.5, recomputed", 0.0655940359639766),
    ),
    _contradiction(
        "values", "macro F1 of ResNet50_freezed", "resnet50_frozen",
        "Macro F1 is the mean of the seven F1 scores, but figure 6's have the mean 0.465.",
        ("figure 5", 0.458),
        ("figure 6, mean of the seven", 0.465),
    ),
    _contradiction(
        "rounding", "macro F1 of VGG16_modified", "vgg16_modified",
        "0.60315 rounded in some places and cut off in others.",
        ("figures 11, 13", 0.6032),
        ("figure 15", 0.6031),
        ("section 4.3", "Macro F1 score (0.6031)"),
        ("section 4.5, macro avg", 0.6031509581846758),
    ),
)  # fmt: skip

_IMPOSSIBLE: Final = (
    _contradiction(
        "impossible", "accuracy of VGG16_modified against its F1 scores", "vgg16_modified",
        "Figure 12's F1 scores cannot come with an accuracy of 0.584; 0.6163 is possible.",
        ("figures 11, 13, 15", 0.584),
        ("figure 12, lowest possible accuracy", 0.5990),
        ("figure 12, highest possible accuracy", 0.6474),
    ),
    _contradiction(
        "impossible", "accuracy of VGG16_mod_face against its F1 scores", "vgg16_modified_face",
        "Figure 16's F1 scores cannot come with an accuracy of 0.5525 on all of PublicTest; section 4.4's argument "
        "against face detection rests on that accuracy.",
        ("figure 15", 0.5525),
        ("figure 16, lowest possible accuracy", 0.5933),
        ("figure 16, highest possible accuracy", 0.6467),
    ),
    _contradiction(
        "impossible", "Avg TPR of VGG16_modified against its F1 scores", "vgg16_modified",
        "Figure 14's F1 scores cannot come with a plain mean recall of 0.5357, nor with one weighted by class size.",
        ("figure 13", 0.5357),
        ("figure 14, lowest possible Avg TPR", 0.5534),
        ("figure 14, highest possible Avg TPR", 0.6901),
    ),
    _contradiction(
        "impossible", "Avg FPR of VGG16_freezed against its accuracy", "vgg16_frozen",
        "Every error is a false positive of one class, so a plain mean FPR is at least (1 - accuracy) / 7 on any test "
        "set; a mean weighted by class size is at least 0.0789 on PublicTest.",
        ("figure 5", 0.0743),
        ("figure 5, (1 - 0.4784) / 7", 0.0745),
        ("figures 5 and 6, lowest possible Avg FPR", 0.0858),
        ("figures 5 and 6, highest possible Avg FPR", 0.0934),
    ),
    _contradiction(
        "impossible", "Avg FPR of MobileNet_freezed against its accuracy and F1 scores", "mobilenetv2_frozen",
        "The reported rate is higher than any plain mean with this accuracy and these F1 scores; a mean weighted by "
        "class size can be so.",
        ("figure 5", 0.0836),
        ("figures 5 and 6, lowest possible Avg FPR", 0.0755),
        ("figures 5 and 6, highest possible Avg FPR", 0.0812),
    ),
    _contradiction(
        "impossible", "Avg FPR of ResNet50_freezed against its accuracy and F1 scores", "resnet50_frozen",
        "The reported rate is lower than any plain mean with this accuracy and these F1 scores; a mean weighted by "
        "class size can be so.",
        ("figure 5", 0.0853),
        ("figures 5 and 6, lowest possible Avg FPR", 0.0858),
        ("figures 5 and 6, highest possible Avg FPR", 0.0925),
    ),
    _contradiction(
        "impossible", "Avg FPR of MobileNet_modified against its accuracy and F1 scores", "mobilenetv2_modified",
        "The reported rate is higher than any plain mean with this accuracy and these F1 scores; a mean weighted by "
        "class size can be so.",
        ("figure 11", 0.0826),
        ("figures 11 and 12, lowest possible Avg FPR", 0.0749),
        ("figures 11 and 12, highest possible Avg FPR", 0.0816),
    ),
    _contradiction(
        "definition", "Avg TPR of the frozen models", _FROZEN,
        "In figure 5 Avg TPR equals accuracy within 0.0002 four times, as a mean weighted by class size would; in "
        "figures 11 to 15 it does not, and section 4.5's is the plain mean.",
        ("figure 5, MobileNet_freezed, accuracy", 0.5352),
        ("figure 5, MobileNet_freezed, Avg TPR", 0.5351),
        ("figure 5, VGG16_freezed, accuracy", 0.4784),
        ("figure 5, VGG16_freezed, Avg TPR", 0.4786),
        ("figure 5, Xception_freezed, accuracy", 0.4873),
        ("figure 5, Xception_freezed, Avg TPR", 0.4871),
        ("figure 5, ResNet50_freezed, accuracy", 0.4823),
        ("figure 5, ResNet50_freezed, Avg TPR", 0.4821),
        ("figure 11, MobileNet_modified, accuracy", 0.5458),
        ("figure 11, MobileNet_modified, Avg TPR", 0.4814),
    ),
)  # fmt: skip

_TEXT: Final = (
    _contradiction(
        "text", "TPR and FPR with and without face detection", "vgg16_modified vgg16_modified_face",
        "Figure 15 gives two different Avg TPR; only the Avg FPR are identical.",
        ("section 4.4", "The average TPR and FPR were also identical for both models"),
        ("figure 15, VGG16_mod_face, Avg TPR", 0.6029),
        ("figure 15, VGG16_modified, Avg TPR", 0.6021),
        ("figure 15, both, Avg FPR", 0.0643),
    ),
    _contradiction(
        "text", "macro F1 with and without face detection", "vgg16_modified vgg16_modified_face",
        "In figure 15 the model with face detection has the higher macro F1, Avg TPR and ROC AUC.",
        ("section 4.4", "the VGG16_modified model had a slightly higher Macro F1-score"),
        ("section 4.4", "superior performance across several metrics, including accuracy and Macro F1-score"),
        ("figure 15, VGG16_mod_face, Macro F1", 0.6131),
        ("figure 15, VGG16_modified, Macro F1", 0.6031),
        ("figure 15, VGG16_mod_face, ROC AUC", 0.8769),
        ("figure 15, VGG16_modified, ROC AUC", 0.8761),
    ),
    _contradiction(
        "text", "the best model", "vgg16_modified vgg16_modified_noise vgg16_modified_face",
        "By the tables VGG16_mod_noise has the highest accuracy and VGG16_mod_face the highest macro F1; only the "
        "report's 0.6163, in no table, makes VGG16_modified the most accurate.",
        ("section 5", "demonstrated superior results in terms of accuracy, Macro F1-score"),
        ("figure 13, VGG16_mod_noise, Accuracy", 0.5979),
        ("figures 11, 13, 15, VGG16_modified, Accuracy", 0.584),
        ("section 4.5, classification report, VGG16_modified, accuracy", 0.6163276678740597),
        ("figure 15, VGG16_mod_face, Macro F1", 0.6131),
        ("figure 15, VGG16_modified, Macro F1", 0.6031),
    ),
    _contradiction(
        "text", "the two best frozen models", _FROZEN,
        "In figure 5 VGG16 has the lowest accuracy and ROC AUC of the four, 5.7 points below MobileNetV2.",
        ("section 3.4.1", "Among the initial models, MobileNetV2 and VGG16 showed better and similar performance."),
        ("figure 5, MobileNet_freezed, Accuracy", 0.5352),
        ("figure 5, Xception_freezed, Accuracy", 0.4873),
        ("figure 5, ResNet50_freezed, Accuracy", 0.4823),
        ("figure 5, VGG16_freezed, Accuracy", 0.4784),
    ),
)  # fmt: skip

_METHOD: Final = (
    _contradiction(
        "method", "how the data was split", "",
        "FER2013's own split by usage, or one of the authors' own; the shares are the same, and section 4.5's "
        "supports are those of PublicTest.",
        ("section 3.1", "private testing (validation), and public testing (test)"),
        ("section 3.2", "splitting the data into training (80%), validation (10%), and testing (10%) sets"),
    ),
    _contradiction(
        "method", "which split chose the model", "",
        "Section 4 chooses by tables whose VGG16_modified values are those of the test split.",
        ("section 3.1", "select the best model architecture, we used the 'Private Testing' set"),
        ("figures 12, 14, 16, VGG16_modified, Angry-F1", 0.5073),
        ("section 4.5, Angry, on PublicTest's 467 faces", 0.5072765072765072),
    ),
    _contradiction(
        "method", "augmentation", "mobilenetv2_modified vgg16_modified vgg16_modified_noise vgg16_modified_face",
        "Shifts in one place, zooming in the other.",
        ("abstract", "random rotations, shifts, and flips"),
        ("section 3.4.2", "random rotations, horizontal flips, and zooming"),
    ),
    _contradiction(
        "method", "face alignment", "vgg16_modified_face",
        "Only detection and cropping are described afterwards.",
        ("abstract", "face detection and alignment using OpenCV libraries"),
        ("section 3.4.4", "This involved detecting and cropping faces in the images"),
    ),
    _contradiction(
        "method", "which models were fine-tuned", _FROZEN,
        "Xception and ResNet50 were trained with every layer frozen and left there.",
        ("section 3.3", "we fine-tuned these four pre-trained models"),
        ("section 4.2", "we fine-tuned the VGG16 and MobileNetV2 models"),
    ),
    _contradiction(
        "method", "order of noise and batch normalisation", "vgg16_modified_noise",
        "Several orders are announced, one result is given, and its order is not named.",
        ("abstract", "These additional layers were added in various orders"),
        ("figure 13, VGG16_mod_noise, Accuracy", 0.5979),
    ),
    _contradiction(
        "naming", "names of the models and expressions", "",
        "One thing, several names.",
        ("figure 5", "VGG16_freezed"),
        ("figure 6", "VGG16_frozen"),
        ("figure 15", "VGG16_mod_face"),
        ("section 4.4", "VGG16_mod.face"),
        ("figure 12", "Angry-F1"),
        ("figure 21", "Predicted: Anger"),
    ),
)  # fmt: skip

CONTRADICTIONS: Final[tuple[Contradiction, ...]] = _VALUES + _IMPOSSIBLE + _TEXT + _METHOD


def contradictions_about(variant: str) -> tuple[Contradiction, ...]:
    """Return the contradictions about one of our variants, and those about all models."""
    return tuple(item for item in CONTRADICTIONS if not item.variants or variant in item.variants)
