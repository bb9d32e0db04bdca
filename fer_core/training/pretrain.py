"""Pretrain a backbone on faces without expressions, for models that start from one of `PRETRAINED`."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from fer_core.columns import counted
from fer_core.data import UTKFaceDataset
from fer_core.files import home, whole_file, write_json
from fer_core.models import ModelSpec
from fer_core.models.backbones import backbone_named, build_backbone, pretrained_file, weights_digest
from fer_core.models.networks import backbone_input
from fer_core.training.augmentation_layers import augmentation_layers
from fer_core.training.callbacks import resumable
from fer_core.training.data import device
from fer_core.training.fit import Batches, fused_batch_norm, make_optimizer, precision
from fer_core.training.frozen import face_features
from fer_core.training.initial_weights import VGGFACE2_SOURCE, has_pretrained, load_pretrained, vggface2_weights
from fer_core.training.recipe import Recipe, pretraining_recipe

HEADS: Final = {
    "age": ("linear", "huber", "mae"),  # of the logarithm
    "gender": ("sigmoid", "binary_crossentropy", "accuracy"),
    "features": ("linear", "mse", "r2_score"),
}
"""By target: the activation of its linear layer, its loss and its metric."""


@dataclass(frozen=True, eq=False)
class Pretext:
    """What a backbone learns before expressions.

    Attributes:
        source: which of `PRETRAINED` the result is.
        data: the faces and what is learned of them, in words.
        images: `(n, 48, 48)` gray faces.
        targets: `(n, values)` for each of some `HEADS`.
    """

    source: str
    data: str
    images: NDArray[np.uint8]
    targets: dict[str, NDArray]

    def subset(self, selection: NDArray) -> Pretext:
        """Return the faces that a boolean mask or indices select, in that order."""
        targets = {name: values[selection] for name, values in self.targets.items()}
        return replace(self, images=self.images[selection], targets=targets)


def ages_and_genders(faces: UTKFaceDataset) -> Pretext:
    """Return the pretext for `utkface`: the logarithm of the age, and the gender."""
    targets = {"age": np.log1p(faces.ages)[:, None], "gender": faces.genders[:, None]}
    return Pretext("utkface", "Ages and genders of UTKFace", faces.images, targets)


def features_of_faces(faces: NDArray[np.uint8]) -> Pretext:
    """Return the pretext for `faces`: the features that `face_features` has of faces and their mirror images.

    Each feature gets a mean of 0 and a standard deviation of 1. Faces `(n, 48, 48)` need no labels; a `FerError` is
    raised if the weights of the network that has the features cannot be downloaded.
    """
    vggface2_weights(faces)
    images = np.stack([faces, faces[:, :, ::-1]], axis=1).reshape(-1, *faces.shape[1:])  # neighbours
    features = face_features(images)
    mean, deviation = features.mean(axis=0, dtype=np.float32), features.std(axis=0, dtype=np.float32)
    features = ((features - mean) / (deviation + 1e-6)).astype(np.float16)
    data = f"Faces of FER2013 and UTKFace with their mirror images, and features of another network. {VGGFACE2_SOURCE}"
    return Pretext("faces", data, images, {"features": features})


def pretrain(
    backbone: str,
    pretext: Pretext,
    *,
    size: int | None = None,
    epochs: int | None = None,
    folder: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train a backbone for a pretext, and store its weights.

    It starts from random weights; for `faces` from those of `utkface`, where there are any. An interrupted pretraining
    resumes at its last epoch.

    Args:
        backbone: its name in `keras.applications`.
        pretext: every tenth pair of neighbouring faces is used for validation only.
        size: side in pixels of the backbone's input; default: that of the named models.
        epochs: passes over the faces; default: its recipe's.
        folder: where the weights are written; by default `backbones/` in the user's data folder, where training looks
            for them. A `.json` file of the same name says how they were made.
        callbacks: additional Keras callbacks.
        say: called with a sentence for each step.
    """
    side = backbone_named(backbone).size if size is None else size
    recipe = pretraining_recipe(backbone, pretext.source, epochs=epochs)
    keras.utils.set_random_seed(recipe.seed)
    start = ModelSpec("start", "", "transfer", weights_from="utkface", backbone=backbone, backbone_size=side)
    network, body = _network(start, recipe, pretext)
    if continued := pretext.source == "faces" and has_pretrained(start):
        load_pretrained(body, start)
    target = (folder or home() / "backbones") / pretrained_file(backbone, side, pretext.source)
    state = target.parent / f".{target.name}-{pretraining_key(recipe, pretext, body)}"
    state.mkdir(parents=True, exist_ok=True)
    held_out = np.arange(len(pretext.images)) // 2 % 10 == 0  # a face and its mirror image are neighbours
    training, validation = pretext.subset(~held_out), pretext.subset(held_out)
    network.compile(
        optimizer=make_optimizer(recipe, network, len(training.images)),
        loss={name: HEADS[name][1] for name in pretext.targets},
        metrics={name: [HEADS[name][2]] for name in pretext.targets},
        jit_compile=False,
    )
    say(f"Pretraining {backbone} at {side} pixels on {len(training.images):,} faces, {counted(recipe.epochs, 'epoch')}")
    started = time.monotonic()
    watched = Batches(validation.images[..., None], validation.targets, 256)
    with fused_batch_norm(network):
        network.fit(
            Batches(training.images[..., None], training.targets, recipe.batch_size, recipe.seed),
            validation_data=watched,
            epochs=recipe.epochs,
            shuffle=False,  # Batches shuffles
            callbacks=[*resumable(state), *callbacks],
            verbose=0,
        )
    measured = network.evaluate(watched, return_dict=True, verbose=0)
    note = {
        "backbone": backbone,
        "size": side,
        "start": "utkface" if continued else "random",
        "data": pretext.data,
        "faces": len(training.images),
        "validation_faces": len(validation.images),
        "recipe": recipe.as_dict(),
        "watched": {name: float(value) for name, value in measured.items()},  # the key is older than "validation"
        "seconds_of_last_start": round(time.monotonic() - started),
        "device": device(),
        "backend": keras.backend.backend(),
    }
    with whole_file(target) as partial:
        body.save_weights(partial)
    write_json(target.with_suffix("").with_suffix(".json"), note)
    say(f"On the validation faces: {note['watched']}")
    return target


def pretraining_key(recipe: Recipe, pretext: Pretext, start: keras.Model) -> str:
    """Return a hash, 8 hexadecimal digits, of all that a pretraining depends on: only the same one is resumed."""
    digest = hashlib.sha256(json.dumps([recipe.as_dict(), weights_digest(start)], sort_keys=True).encode())
    for values in (pretext.images, *pretext.targets.values()):
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()[:8]


def _network(spec: ModelSpec, recipe: Recipe, pretext: Pretext) -> tuple[keras.Model, keras.Model]:
    """Return the network to fit, and the backbone inside it."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision(recipe))
    try:
        body = build_backbone(spec.backbone, spec.backbone_size, "random")
        x = inputs = keras.Input((48, 48, 1), dtype="uint8", name="face")
        for layer in augmentation_layers(recipe.augmentation, recipe.seed) if recipe.augmentation else ():
            x = layer(x)
        x = layers.GlobalAveragePooling2D(name="pool")(body(backbone_input(x, spec)))
        x = layers.Dropout(0.2)(x)
        outputs: dict[str, Any] = {}
        for name, values in pretext.targets.items():
            head = layers.Dense(values.shape[1], activation=HEADS[name][0], dtype="float32", name=name)
            outputs[name] = head(x)
        network = keras.Model(inputs, outputs)
    finally:
        keras.config.set_dtype_policy(before)
    return network, body
