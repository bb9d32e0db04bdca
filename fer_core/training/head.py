"""Fit a softmax head on features that are computed already: an epoch takes about a second."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from fer_core.labels import NUM_CLASSES
from fer_core.training.fit import check_parts

Features = tuple[NDArray[np.float16], NDArray[np.int64]]
"""Pooled features `(n, channels)` and labels `(n,)` 0 to 6."""


@dataclass(frozen=True)
class HeadRecipe:
    """How a head is fitted on a frozen backbone.

    Attributes:
        epochs: passes over the features; the schedule ends exactly there.
        batch_size: faces a step.
        peak_learning_rate: of Adam at the start, from there down to zero along a half cosine.
        penalties: each a weight of the squared kernel in the loss, tried in turn; the hold-out chooses one.
        mirrored: learn from each face and its mirror image.
        seed: of initial weights and order.
    """

    epochs: int
    batch_size: int = 256
    peak_learning_rate: float = 2e-3
    penalties: tuple[float, ...] = (0.0, 1e-3, 3e-3, 1e-2, 3e-2)
    mirrored: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or not self.penalties:
            raise ValueError(
                f"Expected at least one epoch, one face a batch and one penalty. Received: epochs={self.epochs}, "
                f"batch_size={self.batch_size}, penalties={self.penalties}"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for cards."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class FittedHead:
    """The chosen head.

    Attributes:
        weights: kernel `(channels, 7)` and bias `(7,)`.
        penalty: the one that the hold-out chose.
        history: curves of its fit: `loss`, `accuracy`, `val_loss`, `val_accuracy`.
        tried: each penalty with its hold-out accuracy.
    """

    weights: list[NDArray[np.float32]]
    penalty: float
    history: dict[str, list[float]]
    tried: list[dict[str, float]]


def fit_head(
    training: Features, holdout: Features, recipe: HeadRecipe, say: Callable[[str], None] = lambda _: None
) -> FittedHead:
    """Fit one head for each penalty and keep the one with the greatest hold-out accuracy.

    Args:
        training: features to learn from.
        holdout: features to choose the penalty by.
        recipe: how.
        say: told each result.

    Raises:
        ValueError: no features, or features and labels of different numbers.
    """
    check_parts(training, holdout, "features")
    fits, tried = [], []
    for penalty in recipe.penalties:
        weights, history = _fit_one(training, holdout, recipe, penalty)
        fits.append((weights, history))
        tried.append({"penalty": penalty, "holdout_accuracy": history["val_accuracy"][-1]})
        say(f"Penalty {penalty:g}: hold-out accuracy {history['val_accuracy'][-1]:.4f}")
    best = int(np.argmax([trial["holdout_accuracy"] for trial in tried]))
    weights, history = fits[best]
    return FittedHead(weights, recipe.penalties[best], history, tried)


def _fit_one(
    training: Features, holdout: Features, recipe: HeadRecipe, penalty: float
) -> tuple[list[NDArray[np.float32]], dict[str, list[float]]]:
    keras.utils.set_random_seed(recipe.seed)
    head = layers.Dense(
        NUM_CLASSES, activation="softmax", kernel_regularizer=keras.regularizers.L2(penalty) if penalty else None
    )
    model = keras.Sequential([keras.Input(training[0].shape[1:], dtype="float16"), head])
    steps = recipe.epochs * math.ceil(len(training[0]) / recipe.batch_size)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(recipe.peak_learning_rate, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    history = model.fit(
        *training,
        validation_data=holdout,
        validation_batch_size=4096,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        verbose=0,
    )
    return head.get_weights(), {name: [float(v) for v in values] for name, values in history.history.items()}
