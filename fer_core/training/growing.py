"""Progressive resizing: train on small faces first, which takes a fraction of the time, and on full size at the end.

Tan and Le, "EfficientNetV2: Smaller Models and Faster Training" (2021). The network itself takes 0.15, 0.39 and 0.75
times as long at 24, 32 and 40 pixels as at 44. Augmentation comes before it and takes as long as ever: a whole step of
the compact network at 24 pixels takes 0.41 times as long.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from fer_core.training.recipe import Recipe


class GrowingFaces(keras.layers.Layer):
    """Scale faces down in training to the side that `Growth` sets, and otherwise return them unchanged."""

    def __init__(self) -> None:
        super().__init__(dtype="float32", name="growing_faces")
        self.side: int | None = None

    def call(self, faces: Any, training: bool = False) -> Any:
        """Return faces `(batch, side, side, 1)` of `(batch, height, width, 1)`."""
        if not training or self.side is None:
            return faces
        return ops.image.resize(faces, (self.side, self.side), antialias=True)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape with unknown height and width."""
        return (input_shape[0], None, None, input_shape[3])


class Growth(keras.callbacks.Callback):
    """Set the side at the start of each epoch. It follows from the epoch's number, so a resumed fit continues rightly.

    Args:
        layer: the layer to set.
        recipe: gives the sides and the number of epochs.
    """

    def __init__(self, layer: GrowingFaces, recipe: Recipe) -> None:
        super().__init__()
        self.layer, self.recipe = layer, recipe

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        side = side_in_epoch(self.recipe, epoch)
        if side != self.layer.side:
            self.layer.side = side
            self.model.make_train_function(force=True)  # compiled functions keep the size that they were traced with


def side_in_epoch(recipe: Recipe, epoch: int) -> int | None:
    """Return the side of the faces in an epoch, counted from 0; None for the full size."""
    parts = (*recipe.growing, None)
    return parts[min(epoch * len(parts) // recipe.epochs, len(parts) - 1)]
