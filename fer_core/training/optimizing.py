"""From a recipe's words to Keras' optimizer, schedule and loss."""

from __future__ import annotations

import math

import keras

from fer_core.labels import NUM_CLASSES
from fer_core.training.recipe import Recipe
from fer_core.training.targets import PluralityAccuracy, TwoHeadLoss

PLATEAU_FACTOR, PLATEAU_PATIENCE = 0.2, 3

AVERAGES = 20
"""A fit is at least so many times as long as its weights are averaged over."""


def make_optimizer(recipe: Recipe, network: keras.Model, faces: int) -> keras.optimizers.Optimizer:
    """Build the optimizer with its schedule.

    Args:
        recipe: which.
        network: its kernels decay, and nothing else of it.
        faces: in the training part.
    """
    decay = {"weight_decay": recipe.weight_decay or None}
    momentum = min(recipe.ema, 1 - AVERAGES / _steps(recipe, faces))
    average = {"use_ema": True, "ema_momentum": momentum} if momentum > 0 else {}
    rate = _learning_rate(recipe, faces)
    if recipe.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(rate, momentum=recipe.momentum, nesterov=True, **decay, **average)
    elif recipe.optimizer == "adam":
        optimizer = keras.optimizers.Adam(rate, **decay, **average)
    else:
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **average)
    if recipe.weight_decay:
        others = [v for v in network.trainable_variables if not v.name.endswith("kernel")]
        optimizer.exclude_from_weight_decay(others)
    return optimizer


def make_loss(recipe: Recipe) -> keras.losses.Loss:
    """Build the loss over one-hot labels and probabilities."""
    if recipe.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0, gamma=recipe.focusing, label_smoothing=recipe.label_smoothing
        )
    if recipe.target == "both":
        return TwoHeadLoss(recipe.label_smoothing)
    return keras.losses.CategoricalCrossentropy(
        label_smoothing=recipe.label_smoothing if recipe.target == "labels" else 0.0
    )


def make_metrics(recipe: Recipe) -> list[str | keras.metrics.Metric]:
    """Return the metrics of a fit: `accuracy` by its target, and `votes_accuracy` beside where it has two."""
    if recipe.target == "labels":
        return ["accuracy"]
    second = [PluralityAccuracy("votes_accuracy", NUM_CLASSES)] if recipe.target == "both" else []
    return [PluralityAccuracy(), *second]


def schedule_callbacks(recipe: Recipe) -> list[keras.callbacks.Callback]:
    """Return what a schedule needs at the end of each epoch, and the note of the rate for the curves."""
    callbacks: list[keras.callbacks.Callback] = [_NoteRate()]
    if recipe.schedule == "reduce_on_plateau":
        callbacks.append(keras.callbacks.ReduceLROnPlateau("val_loss", PLATEAU_FACTOR, PLATEAU_PATIENCE))
    return callbacks


def _learning_rate(recipe: Recipe, faces: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    steps = _steps(recipe, faces)
    peak = recipe.peak_learning_rate
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


class _NoteRate(keras.callbacks.Callback):
    """Adds the learning rate of an epoch's end to its curves."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        if logs is not None:
            logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
