"""The recipe of a fine-tuning run on few faces, and its augmentation by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fer_core.models import ModelSpec
from fer_core.training.augmentation import AS_THE_PAPER, MIRROR_ONLY, Augmentation
from fer_core.training.recipe import Recipe, recipe_for

AUGMENTATIONS: Final[tuple[str, ...]] = ("off", "mirror", "weak", "medium", "strong", "as the paper")
"""Names for `augmentation_named`."""

_STRENGTHS: Final = {"weak": 0.5, "medium": 1.0, "strong": 1.5}

_MIN_STEPS: Final = 4
"""Steps per epoch below which batches are made smaller."""

_STORED_MODEL_RATE: Final = 0.1
"""Factor on the learning rate where training continues from a stored model: a higher one would undo its training."""


def fine_tuning_recipe(spec: ModelSpec, faces: int, epochs: int) -> Recipe:
    """Return the recipe of a network, adapted to few faces and epochs.

    Batches are smaller if an epoch would have too few steps. A stored model gets a tenth of the learning rate.
    """
    recipe = recipe_for(spec)
    batch = recipe.batch_size
    while batch > 8 and faces < _MIN_STEPS * batch:
        batch //= 2
    factor = 1 if spec.weights_from in {"random", "imagenet", "utkface"} else _STORED_MODEL_RATE
    return replace(recipe, epochs=epochs, batch_size=batch, peak_learning_rate=recipe.peak_learning_rate * factor)


def augmentation_named(name: str, spec: ModelSpec) -> Augmentation | None:
    """Return one of `AUGMENTATIONS` for a network."""
    if name == "off":
        return None
    if name == "mirror":
        return MIRROR_ONLY
    if name == "as the paper":
        return AS_THE_PAPER
    return Augmentation.of_strength(_STRENGTHS[name], crop=48 if spec.architecture == "transfer" else 44)


def recipe_summary(spec: ModelSpec, recipe: Recipe) -> str:
    """Return one line that says how a network will be fitted."""
    smoothing = f", label smoothing {recipe.label_smoothing:g}" if recipe.label_smoothing else ""
    augmented = "no augmentation"
    if (kinds := recipe.augmentation) is not None:
        augmented = "faces mirrored" if kinds.only_mirrors else f"faces augmented (±{kinds.rotation:.0f}°, mirrored …)"
    return (
        f"{spec.title}: trains {spec.trained}; {recipe.optimizer}, learning rate {recipe.peak_learning_rate:g} "
        f"({recipe.schedule.replace('_', ' ')}), batches of {recipe.batch_size}{smoothing}; {augmented}."
    )
