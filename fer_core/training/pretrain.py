"""Pretrain a backbone on faces with age and gender, for `weights="utkface"`."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from fer_core.data import UTKFaceDataset
from fer_core.files import home, whole_file, write_json
from fer_core.models import ModelSpec
from fer_core.models.backbone import BACKBONE_SIZES, DEFAULT_SIZE, build_backbone, pretrained_file
from fer_core.models.transfer import backbone_input
from fer_core.training.augmentation import Augmentation
from fer_core.training.augmentation_layers import augmentation_layers
from fer_core.training.batches import Batches
from fer_core.training.card import device
from fer_core.training.fit import precision
from fer_core.training.fused import fused_batch_normalization
from fer_core.training.optimizing import make_optimizer
from fer_core.training.recipe import Recipe

PRETRAINING: Final = Recipe(
    epochs=20,
    batch_size=64,
    optimizer="adamw",
    peak_learning_rate=1e-3,
    weight_decay=1e-2,
    label_smoothing=0.0,
    ema=0.0,
    augmentation=Augmentation(48, 15.0, (0.85, 1.15), 3.0, True, 0.15, 0.3, 0.25),
)
CALM: Final = {"VGG16": 2e-4}
"""Peak rates of backbones without batch normalisation, which the usual one would throw off course."""

SHORTER: Final = {"VGG16": 10, "ResNet50": 8, "MobileNetV2": 6, "Xception": 6}
"""Epochs of the backbones behind the shipped models, as far as two cores' hours went: their loss still fell."""

WATCHED: Final = 10
"""Every tenth face is watched."""


def pretrain(
    backbone: str,
    faces: UTKFaceDataset,
    size: int | None = None,
    epochs: int | None = None,
    folder: Path | None = None,
    callbacks: Callable[[], Sequence[keras.callbacks.Callback]] = list,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train a backbone from random weights to tell age (its logarithm, by regression) and gender, and keep it.

    A pretraining that was cut off goes on at its last epoch.

    Args:
        backbone: its name in `keras.applications`.
        faces: to learn from; every tenth is watched only.
        size: side in pixels that the backbone sees; default: the named variants'.
        epochs: passes over the faces; default: 20, or what the shipped models' backbones had (`SHORTER`).
        folder: where the weights go; default: `backbones/` under the user's data folder, where training finds them.
        callbacks: makes more of Keras' callbacks.
        say: told each step.

    Returns:
        The weights' file; a `.json` of the same name says how they came about.

    Raises:
        FerError: there is no such backbone, or it takes no faces of that size.
    """
    side = size or BACKBONE_SIZES.get(backbone, DEFAULT_SIZE)
    recipe = _recipe(backbone, epochs)
    keras.utils.set_random_seed(recipe.seed)
    network, body = _network(backbone, side, recipe)
    target = (folder or home() / "backbones") / pretrained_file(backbone, side)
    state = target.parent / f".{target.name}-{_identity(recipe, faces)}"
    state.mkdir(parents=True, exist_ok=True)
    network.compile(
        optimizer=make_optimizer(recipe, network, len(faces) - len(faces) // WATCHED),
        loss={"age": "huber", "gender": "binary_crossentropy"},
        metrics={"age": ["mae"], "gender": ["accuracy"]},
        jit_compile=False,
    )
    watched = np.arange(len(faces)) % WATCHED == 0
    part, rest = faces.subset(~watched), faces.subset(watched)
    say(f"Pretraining {backbone} at {side} pixels on {len(part):,} faces, {recipe.epochs} epochs")
    started = time.monotonic()
    with fused_batch_normalization(network):
        network.fit(
            Batches(part.images[..., None], _targets(part), recipe.batch_size, recipe.seed),
            validation_data=Batches(rest.images[..., None], _targets(rest), 256),
            epochs=recipe.epochs,
            shuffle=False,  # Batches does it
            callbacks=[
                keras.callbacks.CSVLogger(state / "history.csv", append=True),
                keras.callbacks.BackupAndRestore(state / "backup", double_checkpoint=True, delete_checkpoint=False),
                *callbacks(),
            ],
            verbose=0,
        )
    card = {
        "backbone": backbone,
        "size": side,
        "data": f"UTKFace, {len(part):,} faces to learn from, {len(rest):,} watched",
        "recipe": recipe.as_dict(),
        "watched": _measure(network, rest),
        "seconds_of_last_start": round(time.monotonic() - started),
        "device": device(),
        "backend": keras.backend.backend(),
    }
    with whole_file(target) as partial:
        body.save_weights(partial)
    write_json(target.with_suffix("").with_suffix(".json"), card)
    say(f"Watched faces: {card['watched']}")
    return target


def _identity(recipe: Recipe, faces: UTKFaceDataset) -> str:
    """Hash (8 hex digits) of how and from what a backbone learns: only the same pretraining goes on."""
    digest = hashlib.sha256(json.dumps(recipe.as_dict(), sort_keys=True).encode())
    for values in (faces.images, faces.ages, faces.genders):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:8]


def _recipe(backbone: str, epochs: int | None) -> Recipe:
    values: dict[str, Any] = {**PRETRAINING.as_dict(), "peak_learning_rate": CALM.get(backbone, 1e-3)}
    return Recipe.from_dict({**values, "epochs": epochs or SHORTER.get(backbone, PRETRAINING.epochs)})


def _network(backbone: str, side: int, recipe: Recipe) -> tuple[keras.Model, keras.Model]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision(recipe))
    try:
        body = build_backbone(backbone, side, "random")
        assert recipe.augmentation is not None
        x = inputs = keras.Input((48, 48, 1), dtype="uint8", name="face")
        for layer in augmentation_layers(recipe.augmentation, recipe.seed):
            x = layer(x)
        x = backbone_input(x, ModelSpec("pretraining", "", "transfer", backbone=backbone, backbone_size=side))
        x = layers.GlobalAveragePooling2D(name="pool")(body(x))
        x = layers.Dropout(0.2)(x)
        age = layers.Dense(1, dtype="float32", name="age")(x)
        gender = layers.Dense(1, activation="sigmoid", dtype="float32", name="gender")(x)
        network = keras.Model(inputs, {"age": age, "gender": gender})
    finally:
        keras.config.set_dtype_policy(before)
    return network, body


def _targets(faces: UTKFaceDataset) -> dict[str, NDArray[np.float32]]:
    return {"age": np.log1p(faces.ages)[:, None], "gender": faces.genders[:, None]}


def _measure(network: keras.Model, faces: UTKFaceDataset) -> dict[str, float]:
    """Mean error of age in years and accuracy of gender."""
    said = network.predict(faces.images[..., None], batch_size=256, verbose=0)
    years = np.expm1(np.asarray(said["age"])[:, 0])
    right = (np.asarray(said["gender"])[:, 0] > 0.5) == (faces.genders > 0.5)
    return {"age_mean_absolute_error": float(np.abs(years - faces.ages).mean()), "gender_accuracy": float(right.mean())}
