"""The recipe of each named network. Keras-free."""

from __future__ import annotations

from dataclasses import replace

from fer_core.models import ModelSpec
from fer_core.training.augmentation import AS_THE_PAPER, MIRROR_ONLY, ROBUST
from fer_core.training.recipe import Recipe

COMPACT = Recipe(epochs=64)
"""64 epochs take 40 minutes on two fast cores, up to twice that on others. The hold-out came to rest over the last
ten."""

DISTILLED = Recipe(
    epochs=84,  # beyond the first's: a teacher that sees the same views leaves more to learn (Beyer et al. 2022)
    peak_learning_rate=0.05,  # half: the loss is four times the labels' alone
    seed=1,  # another start and order than the teacher's
    teachers=("compact_cnn",),
    temperature=1.0,  # smoothed labels made its answers soft already: more of it harms (Chandrasegaran et al. 2022)
    teaching=3.0,  # a quarter is left to the labels, of which about one in ten is wrong
)
"""The same network again, from random weights, learning from the first more than from labels: a born-again network
(Furlanello et al. 2018). One more generation, taught by the mean of both for 72 epochs (seed 2), came out level: 70.3
against 70.6 % on the hold-out, each in int8. More than this wants a stronger teacher."""

LABELS_AND_VOTES = Recipe(epochs=64, target="both", augmentation=ROBUST)
"""For what most people would say, and for faces from cameras: a head for FER2013's labels and one for FER+'s votes."""

FROZEN = Recipe(
    epochs=20,  # a linear head is a convex problem: 20 epochs of a falling rate bring the hold-out curve to rest
    batch_size=256,
    optimizer="adamw",
    schedule="cosine",
    peak_learning_rate=2e-3,
    weight_decay=0.3,
    label_smoothing=0.0,
    ema=0.0,
    augmentation=MIRROR_ONLY,  # so that the features are computed once
)

FROZEN_UTKFACE = replace(FROZEN, epochs=30, peak_learning_rate=1e-2, weight_decay=0.01)
"""By the hold-out, over VGG16's and ResNet50's features: their heads have further to go than ImageNet's."""

MODIFIED = Recipe(
    epochs=15,
    batch_size=64,
    optimizer="adam",
    schedule="one_cycle",
    peak_learning_rate=3e-4,
    weight_decay=0.0,
    label_smoothing=0.1,
    ema=0.99,
    augmentation=AS_THE_PAPER,
)

MODIFIED_UTKFACE = replace(MODIFIED, epochs=8)
"""As far as two cores' hours went; the hold-out still rose."""


BY_NAME = {
    "compact_cnn_distilled": DISTILLED,
    "compact_cnn_votes": LABELS_AND_VOTES,
    "compact_cnn_wide": replace(LABELS_AND_VOTES, epochs=60, seed=1),
}
"""Recipes of named models that learn from more than their faces' labels."""


def recipe_for(spec: ModelSpec) -> Recipe:
    """Return the recipe that suits a network best, on whichever faces."""
    if spec.architecture == "transfer":
        frozen, ours = spec.open_layers == 0, spec.weights_from == "utkface"
        if frozen:
            return FROZEN_UTKFACE if ours else FROZEN
        return MODIFIED_UTKFACE if ours else MODIFIED
    return COMPACT
