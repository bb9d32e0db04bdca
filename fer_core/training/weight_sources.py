"""Which weights a network can start from here, and why others cannot be had."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from fer_core.files import home
from fer_core.models import ModelSpec
from fer_core.models.backbone import FOLDER_VARIABLE, pretrained_file
from fer_core.store import KERAS, StoredModel, list_models
from fer_core.training.kept_backbone import kept_backbone

_SAME = ("architecture", "widths", "backbone", "backbone_size", "batch_normalization")
"""What two specs must share for one's weights to fit the other."""


@dataclass(frozen=True)
class Starts:
    """What a network can start from.

    Attributes:
        sources: values for `ModelSpec.weights_from`, the spec's own first.
        notes: a sentence for each source that is not offered, or that has to be fetched first.
    """

    sources: tuple[str, ...]
    notes: tuple[str, ...]


def starts(spec: ModelSpec) -> Starts:
    """Return what a named network can start from on this computer."""
    sources, notes = ["random"], []
    if spec.architecture == "transfer":
        sources.append("imagenet")
        if not _imagenet_here(spec.backbone):
            notes.append(
                f"The ImageNet weights of {spec.backbone} are not here yet: a run that starts from them downloads them "
                f"once, and fails without internet."
            )
        here = (home() / "backbones" / pretrained_file(spec.backbone, spec.backbone_size)).is_file()
        if here or kept_backbone(spec) is not None:
            sources.append("utkface")
        else:
            notes.append(
                f"utkface is not offered: {spec.backbone} is not pretrained on UTKFace here. Do it once: "
                f"python -m fer_core pretrain {spec.backbone} --data utkface.parquet"
            )
    for model in list_models()[0]:
        if _fits(spec, model.card.spec):
            if _has_weights(model):
                sources.append(model.name)
            else:
                notes.append(
                    f"{model.name} is not offered: only training it again makes the Keras weights to start from."
                )
    sources.sort(key=lambda source: source != spec.weights_from)
    return Starts(tuple(sources), tuple(notes))


def _fits(spec: ModelSpec, other: ModelSpec | None) -> bool:
    """Whether a stored model is the same network."""
    return other is not None and all(getattr(spec, name) == getattr(other, name) for name in _SAME)


def _has_weights(model: StoredModel) -> bool:
    return model.servable and (model.folder / KERAS).is_file()


def _imagenet_here(backbone: str) -> bool:
    """Whether a file of these weights is in `FER_BACKBONE_DIR` or in Keras' own cache, judged by its name."""
    folders = [Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"]
    if os.environ.get(FOLDER_VARIABLE):
        folders.append(Path(os.environ[FOLDER_VARIABLE]).expanduser())
    names = [path.name for folder in folders if folder.is_dir() for path in folder.iterdir()]
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]
    return any(name.startswith(backbone.lower()) and "notop" in name for name in plain)
