"""Fitting: it learns, it resumes, it says what is wrong."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from fer_core.models import build_network
from fer_core.training.augmentation import Augmentation
from fer_core.training.fit import fit
from fer_core.training.recipe import Recipe
from fer_core.training.train import read_history

STILL = Augmentation(crop=48, rotation=0, scale=(1, 1), shift=0, flip=False, brightness=0, contrast=0, erase=0)


@pytest.fixture
def bright_and_dark():
    """Two classes that any network can tell: dark faces are 0, bright ones are 3."""
    rng = np.random.default_rng(0)
    labels = np.tile([0, 3], 64).astype(np.int64)
    images = rng.integers(0, 100, (128, 48, 48)) + 120 * (labels == 3)[:, None, None]
    return images.astype(np.uint8), labels


def test_learns_what_is_easy(tiny_spec, bright_and_dark):
    network = build_network(tiny_spec)
    recipe = Recipe(epochs=6, batch_size=16, ema=0.5, mixed_precision=False, augmentation=STILL)
    history = fit(network, recipe, bright_and_dark, bright_and_dark)
    images, labels = bright_and_dark
    predicted = network.predict(images[..., None].astype("float32"), verbose=0).argmax(axis=1)
    assert (predicted == labels).mean() > 0.95
    assert len(history["loss"]) == 6
    assert history["loss"][-1] < history["loss"][0]


class _Killed(Exception):
    pass


class _KillIn(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.last = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.last:
            raise _Killed


def test_goes_on_after_a_kill(tiny_spec, bright_and_dark, tmp_path):
    recipe = Recipe(epochs=4, batch_size=32, mixed_precision=False)
    with pytest.raises(_Killed):
        fit(build_network(tiny_spec), recipe, bright_and_dark, bright_and_dark, tmp_path, [_KillIn(2)])
    assert len(read_history(tmp_path)["loss"]) == 2
    resumed = fit(build_network(tiny_spec), recipe, bright_and_dark, bright_and_dark, tmp_path)
    assert len(resumed["loss"]) == 2
    assert len(read_history(tmp_path)["loss"]) == 4


def test_weight_decay_spares_normalisation_and_biases(tiny_spec, bright_and_dark):
    """With a learning rate too small to learn, only decayed weights shrink."""
    network = build_network(tiny_spec)
    before = {v.path: keras.ops.convert_to_numpy(v).copy() for v in network.trainable_variables}
    recipe = Recipe(epochs=1, batch_size=64, peak_learning_rate=1e-7, weight_decay=1e6, ema=0.0, mixed_precision=False)
    fit(network, recipe, bright_and_dark, bright_and_dark)
    for variable in network.trainable_variables:
        was, now = before[variable.path], keras.ops.convert_to_numpy(variable)
        if variable.name == "kernel":
            assert np.abs(now).mean() < 0.97 * np.abs(was).mean(), variable.path
        else:
            np.testing.assert_allclose(now, was, atol=1e-3, err_msg=variable.path)


@pytest.mark.parametrize("empty", ["training", "hold-out"])
def test_no_faces_is_refused(tiny_spec, bright_and_dark, empty):
    nothing = (np.zeros((0, 48, 48), np.uint8), np.zeros(0, np.int64))
    parts = {"training": (nothing, bright_and_dark), "hold-out": (bright_and_dark, nothing)}[empty]
    with pytest.raises(ValueError, match=f"at least one, in the {empty} part"):
        fit(build_network(tiny_spec), Recipe(epochs=1), *parts)


def test_recipe_refuses_nonsense():
    with pytest.raises(ValueError, match="at least one epoch"):
        Recipe(epochs=0)


def test_a_finished_run_gives_its_result_again(tiny_spec, bright_and_dark, tmp_path):
    """Cut off after the last epoch but before conversion: the same command must not train again."""
    recipe = Recipe(epochs=2, batch_size=32, mixed_precision=False)
    first, again = build_network(tiny_spec), build_network(tiny_spec)
    fit(first, recipe, bright_and_dark, bright_and_dark, tmp_path)
    assert fit(again, recipe, bright_and_dark, bright_and_dark, tmp_path) == {}
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
