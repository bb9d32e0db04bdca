"""Fit a network to faces by a recipe: one-cycle SGD, weight averaging, and resume after a kill."""

from __future__ import annotations

import math
from collections.abc import Sequence, Sized
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from fer_core.labels import NUM_CLASSES
from fer_core.training.augmentation import augmentation_layers
from fer_core.training.recipe import Recipe

Faces = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images `(n, 48, 48)` uint8 gray and labels `(n,)` 0 to 6."""


def fit(
    network: keras.Model,
    recipe: Recipe,
    training: Faces,
    holdout: Faces,
    folder: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 0,
) -> dict[str, list[float]]:
    """Fit `network` in place.

    The schedule has a fixed length and the averaged weights of its end are kept: the hold-out is watched, not used to
    pick an epoch.

    Args:
        network: takes `(batch, height, width, 1)` gray levels, gives `(batch, 7)` probabilities. Build it under
            `precision(recipe)` for mixed precision.
        recipe: how.
        training: faces to learn from.
        holdout: faces to watch.
        folder: where `backup/` (state after each epoch) and `history.csv` go. A fit that was killed goes on there.
        callbacks: more of Keras' callbacks.
        verbose: as in `keras.Model.fit`.

    Returns:
        The history, one list an entry: `loss`, `accuracy`, `val_loss`, `val_accuracy`.

    Raises:
        ValueError: no faces, or images and labels of different numbers.
    """
    check_parts(training, holdout, "faces")
    model = keras.Sequential([keras.Input((*training[0].shape[1:], 1), dtype="uint8"), *_front(recipe), network])
    model.compile(
        optimizer=_optimizer(recipe, network, len(training[0])),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
        jit_compile=False,
    )
    history = model.fit(
        training[0][..., None],
        keras.utils.to_categorical(training[1], NUM_CLASSES),
        validation_data=(holdout[0][..., None], keras.utils.to_categorical(holdout[1], NUM_CLASSES)),
        validation_batch_size=512,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        callbacks=[keras.callbacks.SwapEMAWeights(), *_records(folder), *callbacks],
        verbose=verbose,
    )
    return {name: [float(v) for v in values] for name, values in history.history.items()}


def check_parts(training: Sequence[Sized], holdout: Sequence[Sized], what: str) -> None:
    """Make sure that both parts, each of inputs and labels, hold something and as much of both.

    Raises:
        ValueError: they do not; `what` names the inputs.
    """
    for part, (inputs, labels) in {"training": training, "hold-out": holdout}.items():
        if len(inputs) == 0 or len(inputs) != len(labels):
            raise ValueError(
                f"Expected as many labels as {what}, at least one, in the {part} part. "
                f"Received: {len(inputs)} {what}, {len(labels)} labels"
            )


def precision(recipe: Recipe) -> keras.DTypePolicy:
    """Return the dtype policy to build a network under for this recipe."""
    return keras.DTypePolicy("mixed_bfloat16" if recipe.mixed_precision else "float32")


def _front(recipe: Recipe) -> list[keras.layers.Layer]:
    return augmentation_layers(recipe.augmentation, recipe.seed)


def _optimizer(recipe: Recipe, network: keras.Model, faces: int) -> keras.optimizers.Optimizer:
    steps = recipe.epochs * math.ceil(faces / recipe.batch_size)
    warmup = int(steps * recipe.warmup)
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.peak_learning_rate / 25,
        decay_steps=max(1, steps - warmup),
        warmup_target=recipe.peak_learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.SGD(
        schedule,
        momentum=recipe.momentum,
        nesterov=True,
        weight_decay=recipe.weight_decay,
        use_ema=True,
        ema_momentum=recipe.ema,
    )
    optimizer.exclude_from_weight_decay([v for v in network.trainable_variables if v.name != "kernel"])
    return optimizer


def _records(folder: Path | None) -> list[keras.callbacks.Callback]:
    if folder is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    return [
        keras.callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False),
        keras.callbacks.CSVLogger(folder / "history.csv", append=True),
    ]
