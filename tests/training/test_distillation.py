"""Distillation: the loss against SciPy, and a student that learns what only its teacher knows."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy.special import rel_entr, softmax

from fer_core.models import build_network
from fer_core.training.augmentation import Augmentation
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
    given, answer = [0.7, 0.2, 0.1], np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])
    layer = Distillation([fixed_teacher(given, size=48)], temperature=3.0, weight=0.5)
    faces = np.zeros((2, 44, 44, 1), dtype="float32")
    np.testing.assert_allclose(layer(faces, answer, training=True), answer, rtol=1e-6)

    def softened(values):
        return softmax(np.log(values) / 3.0, axis=-1)

    expected = 0.5 * 3.0**2 * rel_entr(softened(given), softened(answer)).sum(axis=1).mean()
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-4)
    layer(faces, answer, training=False)
    assert layer.losses == []


def test_each_head_learns_from_the_same_head_of_the_teacher():
    random = np.random.default_rng(0)
    given, answer = random.dirichlet(np.ones(7), 2), random.dirichlet(np.ones(7), (3, 2)).reshape(3, 14)
    expected = [rel_entr(given[k], answer[:, 7 * k : 7 * k + 7]).sum(axis=1).mean() for k in (0, 1)]
    faces = np.zeros((3, 48, 48, 1), dtype="float32")
    for silent in ((), (0,), (1,), (0, 1)):
        taught = given.copy()
        taught[list(silent)] = 0
        layer = Distillation([fixed_teacher(taught.ravel())], temperature=1.0, weight=2.0)
        layer(faces, answer, training=True)
        losses = [0 if k in silent else 2.0 * expected[k] for k in (0, 1)]
        np.testing.assert_allclose([float(loss) for loss in layer.losses], losses, rtol=1e-3, atol=1e-6)


def test_each_batch_is_answered_by_one_teacher_and_all_have_their_turn():
    taught, answer = ([0.7, 0.2, 0.1], [0.5, 0.1, 0.4]), np.array([[0.2, 0.5, 0.3]])
    layer = Distillation([fixed_teacher(values) for values in taught], temperature=1.0, weight=1.0, seed=0)
    expected = [rel_entr(values, answer[0]).sum() for values in taught]
    found = []
    for _ in range(40):
        layer(np.zeros((1, 44, 44, 1), dtype="float32"), answer, training=True)
        (loss,) = layer.losses
        found.append(int(np.argmin(np.abs(np.array(expected) - float(loss)))))
        assert float(loss) == pytest.approx(expected[found[-1]], rel=1e-3)
    assert 8 < sum(found) < 32


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


def test_teachers_see_the_face_in_its_frame_without_degradation(tiny_spec, bright_and_dark, home, monkeypatch):  # noqa: F811
    seen = []

    class Watch(Distillation):
        def call(self, faces, answers, training=False):
            if training:
                seen.append((keras.ops.std(faces), faces.shape))
                self.add_loss(keras.ops.mean(faces))
            return answers

    store("master", build_network(tiny_spec), tiny_spec)
    monkeypatch.setattr("fer_core.training.fit.Distillation", Watch)
    flat = replace(bright_and_dark, images=np.full_like(bright_and_dark.images, 100))
    noisy = Augmentation(crop=40, degraded=1.0, noise=80.0, contrast=0, brightness=0.5, erase=1.0)
    recipe = Recipe(epochs=1, batch_size=16, teachers=("master",), augmentation=noisy, mixed_precision=False)
    history = fit(build_network(tiny_spec), tiny_spec, recipe, flat, flat)
    assert seen[0][1][1:] == (40, 40, 1)
    assert history["loss"][0] == pytest.approx(100, abs=4)  # the mean level that the teachers see, and a small loss
