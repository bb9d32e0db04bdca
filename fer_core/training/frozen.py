"""What networks that do not change say of training faces: features of a frozen backbone, and the answers of teachers.

Both are computed once for each face and cached.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fer_core.data import FaceDataset
from fer_core.files import cache_folder, whole_file
from fer_core.labels import NUM_CLASSES
from fer_core.models import ModelSpec
from fer_core.models.backbones import BACKBONES, VGGFACE2_BACKBONE, build_backbone, weights_digest
from fer_core.models.networks import backbone_input, outputs_of
from fer_core.store.folders import load_model
from fer_core.training.initial_weights import stored_network
from fer_core.training.recipe import Recipe
from fer_core.training.targets import with_heads
from fer_core.types import FerError
from fer_core.visitors import own_cache

logger = logging.getLogger(__name__)


def pooled_features(
    network: keras.Model, spec: ModelSpec, faces: FaceDataset, *, mirrored: bool
) -> NDArray[np.float16]:
    """Return what the layer `pool` of a frozen backbone has for faces, or for their mirror images, `(n, channels)`.

    It is kept in the cache `features`. A ValueError is raised if a layer below `pool` is trainable, as it would change.
    """
    extractor = keras.Model(network.input, network.get_layer("pool").output)
    if count := len(extractor.trainable_weights):
        raise ValueError(f"Expected a frozen backbone below the layer pool. Received: {count} trainable weights")

    def compute() -> NDArray[np.float16]:
        return outputs_of(extractor, faces.images[:, :, ::-1] if mirrored else faces.images).astype(np.float16)

    layers = [spec.architecture, spec.backbone, spec.backbone_size, weights_digest(extractor)]
    key = [2, faces.fingerprint, *layers, mirrored]  # increase the number when the layers before the backbone change
    return _cached(own_cache("features"), key, (len(faces), extractor.output.shape[-1]), compute)


def face_features(faces: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Return what a network that tells the faces of VGGFace2 apart says of faces `(n, 48, 48)`: `(n, 3072)`.

    They are the means over the positions of its blocks 10 to 13, at 160 pixels, and are kept in the cache `features`.
    """
    spec = ModelSpec("face_features", "", "transfer", weights_from="vggface2", backbone=VGGFACE2_BACKBONE)
    spec = replace(spec, backbone_size=BACKBONES[spec.backbone].size)
    body = build_backbone(spec.backbone, spec.backbone_size, spec.weights_from)
    blocks = [body.get_layer(f"conv_pw_{block}_relu").output for block in range(10, 14)]
    pooled = [keras.layers.GlobalAveragePooling2D()(block) for block in blocks]
    inputs = keras.Input((48, 48, 1))
    extractor = keras.Model(body.input, keras.layers.Concatenate()(pooled))
    network = keras.Model(inputs, extractor(backbone_input(inputs, spec)))
    key = [1, weights_digest(network), hashlib.sha256(np.ascontiguousarray(faces).data).hexdigest()]
    shape = (len(faces), network.output.shape[-1])
    return _cached(cache_folder("features"), key, shape, lambda: outputs_of(network, faces).astype(np.float16))


def teacher(name: str, student: ModelSpec, *, heads: int = 1) -> keras.Model:
    """Return a stored model as a teacher for distillation.

    It answers `(batch, 7)`, or `(batch, 14)` for a student of two heads, labels first. Two heads are taught by both
    heads of a teacher that learned labels and votes; one that learned labels alone says nothing to the votes head, and
    the other way round: its answers for a head that it lacks are all zero.

    Raises:
        FerError: there is no such model with Keras weights, its faces are preprocessed differently, or it learned
            labels and votes but its heads are not stored.
    """
    model = load_model(name, classes=student.classes)
    spec, target = model.card.spec, model.card.recipe.get("target", "labels")
    if spec is None:
        raise FerError(f"The card of {name} does not describe a network that this version can build.")
    if spec.preprocessing != student.preprocessing:
        raise FerError(
            f"{name} uses the preprocessing '{spec.preprocessing}', {student.name} '{student.preprocessing}'. Choose a "
            f"teacher with the same preprocessing."
        )
    network = stored_network(name)
    if heads == 2 and target == "both":
        network = with_heads(network, model.heads())
    elif heads == 2:
        answers = [network.output, keras.ops.zeros_like(network.output)]
        both = keras.ops.concatenate(answers if target == "labels" else answers[::-1], axis=1)
        network = keras.Model(network.input, both)
    network.trainable = False
    return network


def teachers_answers(recipe: Recipe, spec: ModelSpec, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the teachers of a recipe answer on faces: the mean over the teachers, a face and its mirror image.

    This is for knowledge distillation (Hinton et al. 2015). At temperature 1 the distillation loss is, up to a
    constant, the cross-entropy with the teachers' probabilities, so they are added to the targets and cost nothing in
    training. Each teacher's answers are kept in the cache `answers`.

    `spec` is that of the student, for which the faces `(n, 48, 48)` are preprocessed. The result is `(n, 7)`, or
    `(n, 14)` for two heads, labels first. A head is the mean over those who teach it; it is zero if none does.
    """
    heads = 2 if recipe.target == "both" else 1
    answers = np.stack([_answers(name, spec, faces, heads) for name in recipe.teachers])
    by_head = answers.reshape(len(answers), len(faces), heads, NUM_CLASSES)
    taught = (by_head.sum(axis=3) > 0).sum(axis=0)[..., None]
    return (by_head.sum(axis=0) / np.maximum(taught, 1)).reshape(len(faces), -1).astype(np.float32)


def certainty(answers: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return how sure teachers are, 0 to 1 for each face and head: 1 minus the entropy as a share of its maximum.

    It has the shape of `answers`, `(n, 7)` or `(n, 14)`: equal for the seven probabilities of a head; 0 where a head is
    not taught.
    """
    by_head = answers.reshape(len(answers), -1, NUM_CLASSES)
    entropy = -(by_head * np.log(np.clip(by_head, 1e-12, None))).sum(axis=2, keepdims=True)
    sure = np.where(by_head.sum(axis=2, keepdims=True) > 0, 1 - entropy / np.log(NUM_CLASSES), 0.0)
    return np.broadcast_to(sure, by_head.shape).reshape(answers.shape).astype(np.float32)


def _answers(name: str, spec: ModelSpec, faces: NDArray[np.uint8], heads: int) -> NDArray[np.float32]:
    network = teacher(name, spec, heads=heads)

    def compute() -> NDArray[np.float32]:
        return ((outputs_of(network, faces) + outputs_of(network, faces[:, :, ::-1])) / 2).astype(np.float32)

    pixels = hashlib.sha256(np.ascontiguousarray(faces).data).hexdigest()
    key = [1, weights_digest(network), heads, pixels]
    return _cached(cache_folder("answers"), key, (len(faces), heads * NUM_CLASSES), compute)


def _cached(folder: Path, key: Sequence[Any], shape: tuple[int, int], compute: Callable[[], NDArray]) -> NDArray:
    """Return an array from a cache; it is computed if it is not there or damaged (the archive has a checksum)."""
    path = folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:24]}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if (values := arrays["values"]).shape == shape:
                return values
    except FileNotFoundError:
        pass
    except Exception as error:  # whatever is wrong with the cache, the values can be computed again
        logger.warning("The cached file %s cannot be used (%s) and will be computed again.", path.name, error)
    values = compute()
    try:
        with whole_file(path) as partial:
            np.savez(partial, values=values)
    except (OSError, FerError) as error:
        logger.warning("%s could not be cached (%s) and will be computed again next time.", path.name, error)
    return values
