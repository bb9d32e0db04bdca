"""Pretrain a backbone on UTKFace's ages and genders, for models that start from `utkface`."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from fer_core.data import UTKFaceDataset
from fer_core.files import home, whole_file, write_json
from fer_core.models import ModelSpec
from fer_core.models.backbones import backbone_named, build_backbone, pretrained_file
from fer_core.models.networks import backbone_input
from fer_core.training.augmentation import Augmentation
from fer_core.training.augmentation_layers import augmentation_layers
from fer_core.training.callbacks import resumable
from fer_core.training.data import device
from fer_core.training.fit import Batches, fused_batch_norm, make_optimizer, precision
from fer_core.training.recipe import Recipe, pretraining_recipe


def pretrain(
    backbone: str,
    faces: UTKFaceDataset,
    size: int | None = None,
    epochs: int | None = None,
    folder: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train a backbone from random weights to predict the logarithm of the age and the gender, and store its weights.

    An interrupted pretraining resumes at its last epoch.

    Args:
        backbone: its name in `keras.applications`.
        faces: every tenth is used for validation only.
        size: side in pixels of the backbone's input; default: that of the named models.
        epochs: passes over the faces; default: its recipe's.
        folder: where the weights are written; by default `backbones/` in the user's data folder, where training looks
            for them. A `.json` file of the same name says how they were made.
        callbacks: additional Keras callbacks.
        say: called with a sentence for each step.
    """
    side = backbone_named(backbone).size if size is None else size
    recipe = pretraining_recipe(backbone, epochs)
    keras.utils.set_random_seed(recipe.seed)
    network, body = _network(backbone, side, recipe)
    target = (folder or home() / "backbones") / pretrained_file(backbone, side)
    state = target.parent / f".{target.name}-{pretraining_key(recipe, faces)}"
    state.mkdir(parents=True, exist_ok=True)
    held_out = np.arange(len(faces)) % 10 == 0
    training, validation = faces.subset(~held_out), faces.subset(held_out)
    network.compile(
        optimizer=make_optimizer(recipe, network, len(training)),
        loss={"age": "huber", "gender": "binary_crossentropy"},
        metrics={"age": ["mae"], "gender": ["accuracy"]},
        jit_compile=False,
    )
    say(f"Pretraining {backbone} at {side} pixels on {len(training):,} faces, {recipe.epochs} epochs")
    started = time.monotonic()
    with fused_batch_norm(network):
        network.fit(
            Batches(training.images[..., None], _targets(training), recipe.batch_size, recipe.seed),
            validation_data=Batches(validation.images[..., None], _targets(validation), 256),
            epochs=recipe.epochs,
            shuffle=False,  # Batches shuffles
            callbacks=[*resumable(state), *callbacks],
            verbose=0,
        )
    predicted = network.predict(validation.images[..., None], batch_size=256, verbose=0)
    years = np.expm1(np.asarray(predicted["age"])[:, 0])
    correct = (np.asarray(predicted["gender"])[:, 0] > 0.5) == (validation.genders > 0.5)
    measured = {
        "age_mean_absolute_error": float(np.abs(years - validation.ages).mean()),
        "gender_accuracy": float(correct.mean()),
    }
    note = {
        "backbone": backbone,
        "size": side,
        "data": f"UTKFace, {len(training):,} faces for training, {len(validation):,} for validation",
        "recipe": recipe.as_dict(),
        "watched": measured,  # on the validation faces; the key is older than that word
        "seconds_of_last_start": round(time.monotonic() - started),
        "device": device(),
        "backend": keras.backend.backend(),
    }
    with whole_file(target) as partial:
        body.save_weights(partial)
    write_json(target.with_suffix("").with_suffix(".json"), note)
    say(f"On the validation faces: {measured}")
    return target


def pretraining_key(recipe: Recipe, faces: UTKFaceDataset) -> str:
    """Return a hash, 8 hexadecimal digits, of recipe and faces: only the same pretraining is resumed."""
    digest = hashlib.sha256(json.dumps(recipe.as_dict(), sort_keys=True).encode())
    for values in (faces.images, faces.ages, faces.genders):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:8]


def _network(backbone: str, side: int, recipe: Recipe) -> tuple[keras.Model, keras.Model]:
    """Return the network to fit, and the backbone inside it."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision(recipe))
    try:
        body = build_backbone(backbone, side, "random")
        x = inputs = keras.Input((48, 48, 1), dtype="uint8", name="face")
        for layer in augmentation_layers(recipe.augmentation or Augmentation(), recipe.seed):
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
