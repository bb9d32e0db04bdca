"""Distillation: the loss against SciPy, and a student that learns what only its teacher knows."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy.special import rel_entr, softmax

from fer_core.models import build_network
from fer_core.training.distillation import Distillation
from fer_core.training.fit import fit
from fer_core.training.recipe import Recipe
from fer_core.types import FerError
from tests.training.test_fit import bright_and_dark  # noqa: F401
from tests.training.test_initial_weights import store


class Fixed(keras.layers.Layer):
    """Gives the same probabilities for any face."""

    def __init__(self, values):
        super().__init__()
        self.values = np.asarray(values, dtype="float32")

    def call(self, faces):
        return keras.ops.zeros((keras.ops.shape(faces)[0], 1)) + self.values


def fixed_teacher(values, size=None):
    return keras.Sequential([keras.Input((size, size, 1)), Fixed(values)])


def test_the_loss_is_the_divergence_of_softened_answers():
    first, second, answer = [0.7, 0.2, 0.1], [0.5, 0.1, 0.4], np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])
    layer = Distillation([fixed_teacher(first), fixed_teacher(second, size=48)], temperature=3.0, weight=0.5)
    faces = np.zeros((2, 44, 44, 1), dtype="float32")
    np.testing.assert_allclose(layer(faces, answer, training=True), answer, rtol=1e-6)

    def softened(values):
        return softmax(np.log(values) / 3.0, axis=-1)

    taught = softened(np.mean([first, second], axis=0))
    expected = 0.5 * 3.0**2 * rel_entr(taught, softened(answer)).sum(axis=1).mean()
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-4)
    layer(faces, answer, training=False)
    assert layer.losses == []


class BrightSide(keras.layers.Layer):
    """Says how bright the left third of a face is, and the right two."""

    def call(self, faces):
        left, right = faces[:, :, :1], faces[:, :, 1:]
        return keras.ops.stack([keras.ops.mean(left, axis=(1, 2, 3)), keras.ops.mean(right, axis=(1, 2, 3))], axis=1)


def test_teachers_look_at_the_mirror_image_too():
    """The left column is 0.6 and the others 0.4: so says the face. Mirrored, the right one is: 0.4, and 0.5 right."""
    faces = np.full((1, 3, 3, 1), 0.4, dtype="float32")
    faces[:, :, 0] = 0.6
    answer = np.array([[0.5, 0.5]])
    layer = Distillation([keras.Sequential([keras.Input((3, 3, 1)), BrightSide()])], temperature=1.0, weight=1.0)
    layer(faces, answer, training=True)
    taught = np.array([0.6 + 0.4, 0.4 + 0.5]) / 2
    taught /= taught.sum()
    assert float(sum(layer.losses)) == pytest.approx(rel_entr(taught, answer[0]).sum(), rel=1e-3)


def test_a_student_learns_what_only_its_teacher_knows(tiny_spec, bright_and_dark, home):  # noqa: F811
    keras.utils.set_random_seed(0)
    plain = Recipe(epochs=12, batch_size=16, ema=0.5, mixed_precision=False, augmentation=None)
    master = build_network(tiny_spec)
    fit(master, tiny_spec, plain, bright_and_dark, bright_and_dark)
    store("master", master, tiny_spec)

    silent = replace(bright_and_dark, labels=np.full_like(bright_and_dark.labels, 3))  # labels that tell nothing
    student = build_network(tiny_spec)
    taught = replace(plain, teachers=("master",), teaching=5.0, peak_learning_rate=0.02)
    history = fit(student, tiny_spec, taught, silent, bright_and_dark)
    assert len(history["val_loss"]) == 12
    faces = bright_and_dark.images[..., None].astype("float32")
    agreed = student.predict(faces, verbose=0).argmax(axis=1) == master.predict(faces, verbose=0).argmax(axis=1)
    assert agreed.mean() > 0.95


def test_recipes_with_teachers():
    recipe = Recipe(epochs=1, teachers=("one", "two"), temperature=4.0)
    assert Recipe.from_dict({**recipe.as_dict(), "teachers": ["one", "two"]}) == recipe
    with pytest.raises(FerError, match="temperature and a weight of distillation above 0"):
        Recipe(epochs=1, temperature=0.0)
