"""Progressive resizing: the sides by epoch, and what a network sees in each."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.models import build_network
from fer_core.training.fit import fit
from fer_core.training.growing import GrowingFaces, side_in_epoch
from fer_core.training.recipe import Recipe
from fer_core.types import FerError
from tests.training.test_fit import PLAIN, bright_and_dark  # noqa: F401


def test_each_side_has_its_part_of_the_epochs():
    recipe = Recipe(epochs=7, growing=(24, 32))
    assert [side_in_epoch(recipe, epoch) for epoch in range(7)] == [24, 24, 24, 32, 32, None, None]
    assert side_in_epoch(Recipe(epochs=2), 0) is None
    assert Recipe.from_dict({**recipe.as_dict(), "growing": [24, 32]}) == recipe
    with pytest.raises(FerError, match="at least 16 pixels"):
        Recipe(epochs=3, growing=(8,))


def test_faces_are_averaged_down_in_training_only():
    layer, faces = GrowingFaces(), np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 1)).astype("float32")
    np.testing.assert_array_equal(layer(faces, training=True), faces)
    layer.side = 24
    small = np.asarray(layer(faces, training=True))
    assert small.shape == (2, 24, 24, 1)
    assert small.mean() == pytest.approx(faces.mean(), rel=0.01)
    assert small.std() < 0.7 * faces.std()  # antialiased
    np.testing.assert_array_equal(layer(faces, training=False), faces)


class Sizes(keras.callbacks.Callback):
    """Notes the side at the end of each epoch, and stops after `last`."""

    def __init__(self, last=99):
        super().__init__()
        self.last, self.seen = last, []

    def on_epoch_end(self, epoch, logs=None):
        (layer,) = [one for one in self.model.layers if isinstance(one, GrowingFaces)]
        self.seen.append(layer.side)
        if epoch == self.last:
            raise KeyboardInterrupt


def test_a_fit_grows_and_a_resumed_one_continues_at_its_side(tiny_spec, bright_and_dark, tmp_path):  # noqa: F811
    recipe = replace(PLAIN, epochs=6, growing=(16, 32), batch_size=16, ema=0.5, augmentation=None)
    first, second = Sizes(last=2), Sizes()
    with pytest.raises(KeyboardInterrupt):
        fit(build_network(tiny_spec), tiny_spec, recipe, bright_and_dark, bright_and_dark, tmp_path, [first])
    history = fit(build_network(tiny_spec), tiny_spec, recipe, bright_and_dark, bright_and_dark, tmp_path, [second])
    assert first.seen == [16, 16, 32]
    assert second.seen == [32, None, None]
    assert len(history["loss"]) == 3
