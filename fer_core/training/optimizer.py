"""Keras' optimizer and learning rate schedule for a recipe."""

from __future__ import annotations

import math
from typing import Final

import keras

from fer_core.training.recipe import Recipe

MIN_AVERAGES: Final = 20
"""The weights are averaged over at most one in 20 of a fit's steps, so that the initial weights have no influence."""


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
