"""Fit a network to faces by a recipe. A fit that was killed resumes at its last epoch."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from fer_core.data import FaceDataset
from fer_core.files import whole_file
from fer_core.labels import NUM_CLASSES
from fer_core.models import ModelSpec
from fer_core.models.backbones import weights_digest
from fer_core.training.augmentation_layers import augmentation_layers
from fer_core.training.batch_norm import fused_batch_norm
from fer_core.training.callbacks import fit_callbacks
from fer_core.training.recipe import Recipe, uses_features
from fer_core.training.targets import make_loss, make_metrics, make_targets
from fer_core.training.teachers import certainty, teachers_answers
from fer_core.types import FerError
from fer_core.visitors import own_cache

_FEATURES_VERSION: Final = 2  # increase it when the layers before the backbone change

MIN_AVERAGES: Final = 20
"""The weights are averaged over at most one in 20 of a fit's steps, so that the initial weights have no influence."""

PROCESSOR: Final = Path("/proc/cpuinfo")
"""Where Linux lists what the processor can do."""

logger = logging.getLogger(__name__)


def fit(
    network: keras.Model,
    spec: ModelSpec,
    *,
    recipe: Recipe,
    training: FaceDataset,
    holdout: FaceDataset,
    folder: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    keep_features: bool = True,
    unlabelled: NDArray[np.uint8] | None = None,
) -> dict[str, list[float]]:
    """Fit `network` in place.

    If the backbone is frozen and faces are at most mirrored, its features are computed once and cached, and an epoch
    then takes about a second. The hold-out is used for validation; it selects an epoch only if the recipe stops early.

    Args:
        network: built from `spec`, with a second head (`with_votes_head`) if the recipe learns from labels and votes.
            Build it under `precision(recipe)` for mixed precision.
        spec: describes the network.
        recipe: how to fit.
        training: faces to fit on, with votes if the recipe learns from them.
        holdout: faces for validation, also with votes then.
        folder: where `backup/` (the state after each epoch) and `history.csv` are written, and from which a killed fit
            resumes.
        callbacks: additional Keras callbacks.
        keep_features: False computes a frozen backbone in every epoch, to measure what caching saves.
        unlabelled: `(n, 48, 48)` more faces to fit on, with the teachers' answers alone. What the teachers are unsure
            of counts less ("noisy student", Xie et al. 2020).

    Returns:
        The history by column: `loss`, `accuracy`, `val_loss`, `val_accuracy`, `learning_rate`.

    Raises:
        FerError: there are unlabelled faces and no teachers, or a teacher cannot be used.
    """
    if unlabelled is not None and not recipe.teachers:
        raise FerError("Faces without labels need teachers, and this recipe names none.")
    if keep_features and uses_features(spec, recipe):
        model, (x, labels), (val_x, val_labels) = _on_features(network, spec, recipe, training, holdout)
    else:
        model, (x, labels), (val_x, val_labels) = _on_faces(network, recipe, training, holdout)
    y = make_targets(labels, training.votes, recipe.target, recipe.label_smoothing)
    val_y = make_targets(val_labels, holdout.votes, recipe.target, recipe.label_smoothing)
    if recipe.teachers:
        y += recipe.teaching * teachers_answers(recipe, spec, training.images)
    if unlabelled is not None:
        answers = teachers_answers(recipe, spec, unlabelled)
        x, y = (
            np.concatenate([x, unlabelled[..., None]]),
            np.concatenate([y, recipe.teaching * answers * certainty(answers)]),
        )
    model.compile(
        optimizer=make_optimizer(recipe, network, len(x)),
        loss=make_loss(recipe),
        metrics=make_metrics(recipe),
        jit_compile=keras.backend.backend() == "jax",
    )
    with fused_batch_norm(model):
        history = model.fit(
            Batches(x, y, recipe.batch_size, recipe.seed, sample_weights(labels, recipe)),
            validation_data=Batches(val_x, val_y, 512),
            epochs=recipe.epochs,
            shuffle=False,  # Batches shuffles
            callbacks=[*fit_callbacks(recipe, folder, model.optimizer.use_ema), *callbacks],
            verbose=0,
        )
    return {name: [float(v) for v in values] for name, values in history.history.items()}


def precision(recipe: Recipe) -> keras.DTypePolicy:
    """Return the dtype policy to build a network under for this recipe on this machine."""
    return keras.DTypePolicy("mixed_bfloat16" if recipe.mixed_precision and computes_bfloat16() else "float32")


@cache
def computes_bfloat16() -> bool:
    """Whether this machine computes in bfloat16: a GPU, or a processor with instructions for it.

    Other processors emulate it. There a step of `compact_cnn` took 11 s in bfloat16 and 1.0 s in float32.
    """
    if keras.distribution.list_devices("gpu"):
        return True
    try:
        flags = PROCESSOR.read_text(encoding="utf-8", errors="replace").split()
    except OSError:  # not Linux
        return False
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)


def make_optimizer(recipe: Recipe, network: keras.Model, faces: int) -> keras.optimizers.Optimizer:
    """Build the optimizer with its schedule.

    Args:
        recipe: names the optimizer, the schedule and their settings.
        network: the model to fit. Weight decay applies to its kernels only.
        faces: number of faces in the training part.
    """
    decay = {"weight_decay": recipe.weight_decay or None}
    momentum = min(recipe.ema, 1 - MIN_AVERAGES / _steps(recipe, faces))
    average = {"use_ema": True, "ema_momentum": momentum} if momentum > 0 else {}
    rate = _learning_rate(recipe, faces)
    if recipe.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(rate, momentum=recipe.momentum, nesterov=True, **decay, **average)
    elif recipe.optimizer == "adam":
        optimizer = keras.optimizers.Adam(rate, **decay, **average)
    else:
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **average)
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay([v for v in network.trainable_variables if not v.name.endswith("kernel")])
    return optimizer


def _learning_rate(recipe: Recipe, faces: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    steps, peak = _steps(recipe, faces), recipe.peak_learning_rate
    if recipe.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(peak, steps)
    if recipe.schedule == "one_cycle":
        warmup = int(steps * recipe.warmup)
        return keras.optimizers.schedules.CosineDecay(
            peak / 25, decay_steps=max(1, steps - warmup), warmup_target=peak, warmup_steps=warmup
        )
    return peak


def _steps(recipe: Recipe, faces: int) -> int:
    return recipe.epochs * math.ceil(faces / recipe.batch_size)


class Batches(keras.utils.PyDataset):
    """Feed arrays to `keras.Model.fit` in batches, in a new order in every epoch.

    Keras would accept the arrays themselves. On TensorFlow, however, `tf.data` then tunes its own threads, and the end
    of an epoch waits for that: half a minute on average after epochs of a minute or more. Keras does not use this
    tuning for a `PyDataset`.

    Args:
        x: faces or features, `(n, …)`.
        y: targets, `(n, …)`, or a dictionary of targets by output name.
        batch_size: rows in a batch; the last batch may be smaller.
        seed: of the order; None keeps the given order, for validation.
        sample_weight: weight of each row, `(n,)`.
    """

    def __init__(
        self,
        x: NDArray[Any],
        y: NDArray[Any] | dict[str, NDArray[Any]],
        batch_size: int,
        seed: int | None = None,
        sample_weight: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self._arrays = (x, y) if sample_weight is None else (x, y, sample_weight)
        self._batch_size, self._order = batch_size, np.arange(len(x))
        self._random = None if seed is None else np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return tuple(
            {name: values[rows] for name, values in part.items()} if isinstance(part, dict) else part[rows]
            for part in self._arrays
        )

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        if self._random is not None:
            self._order = self._random.permutation(len(self._order))


class Features(NamedTuple):
    """Pooled features `(n, channels)` float16, and the seconds it took to compute them at first."""

    values: NDArray[np.float16]
    seconds: float


def pooled_features(network: keras.Model, spec: ModelSpec, faces: FaceDataset, mirrored: bool) -> Features:
    """Return the pooled features of a frozen backbone, from the cache if possible.

    The cache, `own_cache("features")`, has a key for the faces, the backbone and its size, the weights of all layers
    below `pool`, and the view. A damaged file is computed again.

    Args:
        network: has a layer `pool`; no layer below it is trainable.
        spec: describes the network.
        faces: any faces.
        mirrored: use their mirror images.

    Raises:
        ValueError: a layer below `pool` is trainable, so the features would change.
    """
    extractor = keras.Model(network.input, network.get_layer("pool").output)
    if extractor.trainable_weights:
        raise ValueError(
            f"Expected a frozen backbone below the layer pool. Received: {len(extractor.trainable_weights)} trainable "
            f"weights"
        )
    layers = [spec.architecture, spec.backbone, spec.backbone_size, weights_digest(extractor)]
    key = json.dumps([_FEATURES_VERSION, faces.fingerprint, *layers, mirrored])
    path = own_cache("features") / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"
    features = _read_features(path, len(faces))
    if features is None:
        started = time.monotonic()
        values = _compute_features(extractor, faces.images[:, :, ::-1] if mirrored else faces.images)
        features = Features(values, time.monotonic() - started)
        try:
            with whole_file(path) as partial:
                np.savez(partial, values=features.values, seconds=np.array(features.seconds))
        except (OSError, FerError) as error:
            logger.warning("The features could not be cached (%s) and will be computed again next time.", error)
    return features


Part = tuple[NDArray[Any], NDArray[np.int64]]


def _on_faces(
    network: keras.Model, recipe: Recipe, training: FaceDataset, holdout: FaceDataset
) -> tuple[keras.Model, Part, Part]:
    """Return the model to fit, from faces through the augmentation, and both parts as its inputs and labels.

    Teachers have seen each face as it is: the student learns to answer on a degraded face as they do on the original.
    """
    x = inputs = keras.Input((*training.images.shape[1:], 1), dtype="uint8")
    if recipe.augmentation:
        for layer in augmentation_layers(recipe.augmentation, recipe.seed):
            x = layer(x)
    model = keras.Model(inputs, network(x))
    return model, (training.images[..., None], training.labels), (holdout.images[..., None], holdout.labels)


def _on_features(
    network: keras.Model, spec: ModelSpec, recipe: Recipe, training: FaceDataset, holdout: FaceDataset
) -> tuple[keras.Model, Part, Part]:
    """Return the layers above the pooled features as a model, and both parts as features and labels."""
    views = (False, True) if recipe.augmentation and recipe.augmentation.flip else (False,)
    x = np.concatenate([pooled_features(network, spec, training, mirrored).values for mirrored in views])
    val_x = pooled_features(network, spec, holdout, mirrored=False).values
    above = network.layers[[layer.name for layer in network.layers].index("pool") + 1 :]
    model = keras.Sequential([keras.Input(x.shape[1:], dtype="float16"), *above])
    return model, (x, np.tile(training.labels, len(views))), (val_x, holdout.labels)


def sample_weights(labels: NDArray[np.int64], recipe: Recipe) -> NDArray[np.float32] | None:
    """Return a weight for each face so that all classes have the same total weight and the mean weight is 1."""
    if recipe.class_weights == "none":
        return None
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    return (len(labels) / (np.count_nonzero(counts) * counts[labels])).astype(np.float32)


def _compute_features(extractor: keras.Model, images: NDArray[np.uint8], at_once: int = 4096) -> NDArray[np.float16]:
    """Run the backbone on parts of the faces, to limit the memory for float32 copies."""
    parts = [
        extractor.predict(images[start : start + at_once, ..., None].astype(np.float32), batch_size=64, verbose=0)
        for start in range(0, len(images), at_once)
    ]
    return np.concatenate(parts).astype(np.float16)


def _read_features(path: Path, faces: int) -> Features | None:
    """Return cached features; None if there are none or they are damaged (the archive has a checksum)."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            values, seconds = arrays["values"], float(arrays["seconds"])
        if values.ndim != 2 or len(values) != faces or values.dtype != np.float16:
            raise ValueError(f"expected float16 features of {faces} faces, found {values.dtype} {values.shape}")
        return Features(values, seconds)
    except Exception as error:  # whatever is wrong with the cache, the features can be computed again
        logger.warning("The cached features %s cannot be used (%s) and will be computed again.", path.name, error)
        return None
