"""How a fine-tuning run starts: the weights that are available on this computer, and a recipe for few faces."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fer_core.files import home
from fer_core.models import ModelSpec
from fer_core.models.backbone import FOLDER_VARIABLE, pretrained_file
from fer_core.store import KERAS, StoredModel, list_models
from fer_core.training.augmentation import AS_THE_PAPER, MIRROR_ONLY, Augmentation
from fer_core.training.kept_backbone import kept_backbone
from fer_core.training.recipe import Recipe
from fer_core.training.recipes import recipe_for

AUGMENTATIONS: Final[tuple[str, ...]] = ("off", "mirror", "weak", "medium", "strong", "as the paper")
"""Names for `augmentation_named`."""

_STRENGTHS: Final = {"weak": 0.5, "medium": 1.0, "strong": 1.5}

_MIN_STEPS: Final = 4
"""Steps per epoch below which batches are made smaller."""

_STORED_MODEL_RATE: Final = 0.1
"""Factor on the learning rate where training continues from a stored model: a higher one would undo its training."""

_SHARED: Final = ("architecture", "widths", "backbone", "backbone_size", "batch_normalization")
"""Fields in which two specs must agree for the weights of one to fit the other."""


@dataclass(frozen=True)
class WeightSources:
    """The weights that a network can start from.

    Attributes:
        names: values for `ModelSpec.weights_from`, the spec's own first.
        notes: a sentence for each source that is not available, or that a run has to download first.
    """

    names: tuple[str, ...]
    notes: tuple[str, ...]


def weight_sources(spec: ModelSpec) -> WeightSources:
    """Return the weights that a network can start from on this computer."""
    names, notes = ["random"], []
    if spec.architecture == "transfer":
        names.append("imagenet")
        if not _has_imagenet(spec.backbone):
            notes.append(
                f"The ImageNet weights of {spec.backbone} are not here yet: a run that starts from them downloads them "
                f"once, and fails without internet."
            )
        pretrained = home() / "backbones" / pretrained_file(spec.backbone, spec.backbone_size)
        if pretrained.is_file() or kept_backbone(spec) is not None:
            names.append("utkface")
        else:
            notes.append(
                f"utkface is not available: {spec.backbone} is not pretrained on UTKFace here. To do this once, run "
                f"python -m fer_core pretrain {spec.backbone} --data utkface.parquet"
            )
    for model in list_models()[0]:
        if _fits(spec, model.card.spec):
            if _has_weights(model):
                names.append(model.name)
            else:
                notes.append(f"{model.name} is not available: its Keras weights are not stored. Train it again first.")
    names.sort(key=lambda name: name != spec.weights_from)
    return WeightSources(tuple(names), tuple(notes))


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


def _fits(spec: ModelSpec, other: ModelSpec | None) -> bool:
    """Whether a stored model is the same network."""
    return other is not None and all(getattr(spec, name) == getattr(other, name) for name in _SHARED)


def _has_weights(model: StoredModel) -> bool:
    return model.servable and (model.folder / KERAS).is_file()


def _has_imagenet(backbone: str) -> bool:
    """Whether a file of these weights, judged by its name, is in `FER_BACKBONE_DIR` or in the cache of Keras."""
    folders = [Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"]
    if os.environ.get(FOLDER_VARIABLE):
        folders.append(Path(os.environ[FOLDER_VARIABLE]).expanduser())
    names = [path.name for folder in folders if folder.is_dir() for path in folder.iterdir()]
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]
    return any(name.startswith(backbone.lower()) and "notop" in name for name in plain)
