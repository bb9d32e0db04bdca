"""Fit a network to faces by a recipe. A fit that was killed resumes at its last epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_sample_weight

from fer_core.data import FaceDataset
from fer_core.models import ModelSpec
from fer_core.training.augmentation_layers import augmentation_layers
from fer_core.training.callbacks import fit_callbacks
from fer_core.training.frozen import certainty, pooled_features, teachers_answers
from fer_core.training.recipe import Recipe, uses_features
from fer_core.training.targets import make_loss, make_metrics, make_targets
from fer_core.types import FerError

PROCESSOR: Final = Path("/proc/cpuinfo")  # where Linux lists what the processor can do


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
        network: built from `spec` under `precision(recipe)`, with a second head (`with_votes_head`) if the recipe
            learns from labels and votes.
        training: faces to fit on, with votes if the recipe learns from them.
        holdout: faces for validation, also with votes then.
        folder: where `backup/` (the state after each epoch) and `history.csv` are written, and from which a killed fit
            resumes.
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
    labels = training.labels
    if keep_features and uses_features(spec, recipe):  # only the layers above the pooled features are fitted
        views = (False, True) if recipe.augmentation and recipe.augmentation.flip else (False,)
        x = np.concatenate([pooled_features(network, spec, training, mirrored=mirrored) for mirrored in views])
        val_x: NDArray = pooled_features(network, spec, holdout, mirrored=False)
        labels = np.tile(labels, len(views))
        above = network.layers[[layer.name for layer in network.layers].index("pool") + 1 :]
        model = keras.Sequential([keras.Input(x.shape[1:], dtype="float16"), *above])
    else:  # teachers see each face as it is: the student learns to answer on a degraded face as they do on the original
        x, val_x = training.images[..., None], holdout.images[..., None]
        images = inputs = keras.Input(x.shape[1:], dtype="uint8")
        for layer in augmentation_layers(recipe.augmentation, recipe.seed) if recipe.augmentation else ():
            images = layer(images)
        model = keras.Model(inputs, network(images))
    learned: dict[str, Any] = {
        "target": recipe.target,
        "smoothing": recipe.label_smoothing,
        "classes": len(training.classes),
    }
    y = make_targets(labels, training.votes, **learned)
    val_y = make_targets(holdout.labels, holdout.votes, **learned)
    if recipe.teachers:
        y += recipe.teaching * teachers_answers(recipe, spec, training.images)
    if unlabelled is not None:
        answers = teachers_answers(recipe, spec, unlabelled)
        x = np.concatenate([x, unlabelled[..., None]])
        y = np.concatenate([y, recipe.teaching * answers * certainty(answers)])
    weights = None
    if recipe.class_weights == "balanced":  # all classes have the same total weight, and the mean weight is 1
        weights = compute_sample_weight("balanced", labels).astype(np.float32)
    model.compile(
        optimizer=make_optimizer(recipe, network, len(x)),
        loss=make_loss(recipe),
        metrics=make_metrics(recipe),
        jit_compile=keras.backend.backend() == "jax",
    )
    with fused_batch_norm(model):
        history = model.fit(
            Batches(x, y, recipe.batch_size, recipe.seed, weights),
            validation_data=Batches(val_x, val_y, 512),
            epochs=recipe.epochs,
            shuffle=False,  # Batches shuffles
            callbacks=[*fit_callbacks(recipe, folder, model.optimizer.use_ema), *callbacks],
            verbose=0,
        )
    return {name: [float(value) for value in values] for name, values in history.history.items()}


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
    """Build a recipe's optimizer with its schedule for a number of training faces; only kernels decay."""
    steps = recipe.epochs * math.ceil(faces / recipe.batch_size)
    # averaged over at most one in 20 of the steps, so that the initial weights have no influence
    average = min(recipe.ema, 1 - 20 / steps)
    settings: dict[str, Any] = {"use_ema": True, "ema_momentum": average} if average > 0 else {}
    settings["weight_decay"] = recipe.weight_decay or None
    rate: Any = recipe.peak_learning_rate
    if recipe.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    elif recipe.schedule == "one_cycle":
        warmup = int(steps * recipe.warmup)
        rate = keras.optimizers.schedules.CosineDecay(
            rate / 25, decay_steps=max(1, steps - warmup), warmup_target=rate, warmup_steps=warmup
        )
    if recipe.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(rate, momentum=recipe.momentum, nesterov=True, **settings)
    elif recipe.optimizer == "adam":
        optimizer = keras.optimizers.Adam(rate, **settings)
    else:
        optimizer = keras.optimizers.AdamW(rate, **settings | {"weight_decay": recipe.weight_decay})
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay([v for v in network.trainable_variables if not v.name.endswith("kernel")])
    return optimizer


class Batches(keras.utils.PyDataset):
    """Feed arrays to `keras.Model.fit` in batches, in a new order in every epoch.

    Keras would accept the arrays themselves. On TensorFlow, however, `tf.data` then tunes its own threads, and the end
    of an epoch waits for that: half a minute on average after epochs of a minute or more. Keras does not use this
    tuning for a `PyDataset`.

    `y` are targets `(n, …)` or a dictionary of them by output name. The last batch may be smaller. Without a seed the
    given order is kept, for validation.
    """

    def __init__(
        self, x: NDArray, y: Any, batch_size: int, seed: int | None = None, weights: NDArray[np.float32] | None = None
    ) -> None:
        super().__init__()
        self._arrays = (x, y) if weights is None else (x, y, weights)
        self._batch_size, self._order = batch_size, np.arange(len(x))
        self._random = None if seed is None else np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return keras.tree.map_structure(lambda values: values[rows], self._arrays)

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        if self._random is not None:
            self._order = self._random.permutation(len(self._order))


@contextmanager
def fused_batch_norm(network: keras.Model) -> Iterator[None]:
    """Compute every batch normalization in a network, including nested ones, in TensorFlow's fused kernel in the block.

    Keras computes it with elementary operations, in float32 even if the activations are bfloat16. On a CPU this takes
    half of a training step. Weights, configuration, file format and results, up to rounding, stay those of Keras'
    layer. Other backends fuse these operations when they compile, so nothing changes for them.
    """
    swapped = [
        layer
        for layer in network._flatten_layers()  # no public method returns nested layers inside layers
        if type(layer) is keras.layers.BatchNormalization and keras.backend.backend() == "tensorflow"
    ]
    for layer in swapped:
        object.__setattr__(layer, "__class__", BatchNormalization)
    try:
        yield
    finally:
        for layer in swapped:
            object.__setattr__(layer, "__class__", keras.layers.BatchNormalization)


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer in one kernel, for images with channels last that are scaled and centered.

    It has the name of its parent because class names are part of the paths in a weights file.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if len(inputs.shape) != 4 or self.axis not in {-1, 3} or not (self.scale and self.center) or self.renorm:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        learns = bool(training and self.trainable)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=keras.ops.convert_to_tensor(self.gamma),
            offset=keras.ops.convert_to_tensor(self.beta),
            mean=keras.ops.convert_to_tensor(self.moving_mean),
            variance=keras.ops.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=learns,
        )
        if learns:
            count = keras.ops.cast(keras.ops.size(inputs) / inputs.shape[-1], variance.dtype)
            biased = variance * (count - 1) / count  # the kernel returns the unbiased one, Keras keeps the biased one
            for moving, batch in ((self.moving_mean, mean), (self.moving_variance, biased)):
                moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs
