"""Knowledge distillation: learn the answers of teacher networks as well as the labels (Hinton et al. 2015).

The answers are computed once for each face. At temperature 1 the distillation loss is, up to a constant, the
cross-entropy with the teachers' probabilities, so they are added to the targets and cost nothing in training.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.files import cache_folder, whole_file
from fer_core.labels import NUM_CLASSES
from fer_core.models import ModelSpec, build_network
from fer_core.models.backbones import weights_digest
from fer_core.store.folders import load_model
from fer_core.store.stored_model import StoredModel
from fer_core.training.initial_weights import stored_network
from fer_core.training.recipe import Recipe
from fer_core.types import FerError

if TYPE_CHECKING:
    import keras

_VERSION: Final = 1

logger = logging.getLogger(__name__)


def teacher(name: str, student: ModelSpec, *, heads: int = 1) -> keras.Model:
    """Return a stored model as a teacher for distillation.

    Args:
        name: of the stored model.
        student: the spec of the network that learns from it.
        heads: number of the student's heads. Two are taught by both heads of a teacher that learned labels and votes;
            one that learned labels alone says nothing to the votes head, and the other way round.

    Returns:
        A model from faces to probabilities `(batch, 7)`, or `(batch, 14)` for two heads, labels first. Those of a head
        that the teacher lacks are all zero.

    Raises:
        FerError: there is no such model with Keras weights, its faces are preprocessed differently, or it learned
            labels and votes but its heads are not stored.
    """
    model = load_model(name)
    spec = model.card.spec
    if spec is None:
        raise FerError(f"The card of {name} does not describe a network that this version can build.")
    if spec.preprocessing != student.preprocessing:
        raise FerError(
            f"{name} uses the preprocessing '{spec.preprocessing}', {student.name} '{student.preprocessing}'. Choose a "
            f"teacher with the same preprocessing."
        )
    network = build_network(replace(spec, weights_from="random"))
    network.set_weights(stored_network(name).get_weights())
    if heads == 2:
        network = _with_two_heads(network, model)
    network.trainable = False
    return network


def _with_two_heads(network: keras.Model, model: StoredModel) -> keras.Model:
    """Return a teacher with two heads, of which one answers zero if the stored model learned labels or votes alone."""
    import keras

    from fer_core.training.targets import with_heads

    target = model.card.recipe.get("target", "labels")
    if target == "both":
        return with_heads(network, model.heads())
    answers = [network.output, keras.ops.zeros_like(network.output)]
    return keras.Model(network.input, keras.ops.concatenate(answers if target == "labels" else answers[::-1], axis=1))


def teachers_answers(recipe: Recipe, spec: ModelSpec, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the teachers of a recipe answer on faces: the mean over the teachers, a face and its mirror image.

    Args:
        recipe: names the teachers and what is learned.
        spec: of the student.
        faces: `(n, 48, 48)` uint8, preprocessed for the student.

    Returns:
        Probabilities `(n, 7)`, or `(n, 14)` for two heads, labels first. A head is the mean over those who teach it; it
        is zero if none does.

    Raises:
        FerError: a teacher cannot be used, see `teacher`.
    """
    heads = 2 if recipe.target == "both" else 1
    answers = np.stack([_answers(name, spec, faces, heads) for name in recipe.teachers])
    by_head = answers.reshape(len(answers), len(faces), heads, NUM_CLASSES)
    taught = (by_head.sum(axis=3) > 0).sum(axis=0)[..., None]
    return (by_head.sum(axis=0) / np.maximum(taught, 1)).reshape(len(faces), -1).astype(np.float32)


def certainty(answers: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return how sure teachers are, 0 to 1 for each face and head: 1 minus the entropy as a share of its maximum.

    Args:
        answers: `(n, 7)` or `(n, 14)`.

    Returns:
        In the shape of `answers`: equal for the seven probabilities of a head; 0 where a head is not taught.
    """
    by_head = answers.reshape(len(answers), -1, NUM_CLASSES)
    entropy = -(by_head * np.log(np.clip(by_head, 1e-12, None))).sum(axis=2, keepdims=True)
    sure = np.where(by_head.sum(axis=2, keepdims=True) > 0, 1 - entropy / np.log(NUM_CLASSES), 0.0)
    return np.broadcast_to(sure, by_head.shape).reshape(answers.shape).astype(np.float32)


def _answers(name: str, spec: ModelSpec, faces: NDArray[np.uint8], heads: int) -> NDArray[np.float32]:
    """Return the answers of one teacher, from the cache if possible: `cache_folder("answers")`."""
    network = teacher(name, spec, heads=heads)
    pixels = hashlib.sha256(np.ascontiguousarray(faces).data).hexdigest()
    key = json.dumps([_VERSION, weights_digest(network), heads, pixels])
    path = cache_folder("answers") / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npy"
    if (cached := _read(path, len(faces), heads)) is not None:
        return cached
    views = [_predict(network, view) for view in (faces, faces[:, :, ::-1])]
    answers = ((views[0] + views[1]) / 2).astype(np.float32)
    try:
        with whole_file(path) as partial, partial.open("wb") as file:
            np.save(file, answers)
    except (OSError, FerError) as error:
        logger.warning("The teachers' answers could not be cached (%s) and will be computed again next time.", error)
    return answers


def _predict(network: keras.Model, faces: NDArray[np.uint8], at_once: int = 4096) -> NDArray[np.float32]:
    parts = (faces[start : start + at_once, ..., None] for start in range(0, len(faces), at_once))
    return np.concatenate([network.predict(part.astype(np.float32), batch_size=64, verbose=0) for part in parts])


def _read(path: Path, faces: int, heads: int) -> NDArray[np.float32] | None:
    """Return cached answers; None if there are none or they are damaged."""
    try:
        answers = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return answers if answers.shape == (faces, heads * NUM_CLASSES) else None
