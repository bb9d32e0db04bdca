"""Distillation: the answers against their definition, and a student that learns what only its teacher knows."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy.stats import entropy

from fer_core.files import cache_folder
from fer_core.models import build_network
from fer_core.training import teachers
from fer_core.training.fit import fit
from fer_core.training.recipe import Recipe
from fer_core.training.teachers import certainty, teachers_answers
from fer_core.types import FerError
from tests.training.conftest import store

PLAIN = Recipe(epochs=12, batch_size=16, ema=0.5, mixed_precision=False, augmentation=None)


def stored(name, spec, seed):
    keras.utils.set_random_seed(seed)
    network = build_network(spec)
    head = network.get_layer("head")
    head.set_weights([np.random.default_rng(seed).normal(0, 3, w.shape) for w in head.get_weights()])
    store(name, network, spec)
    return network


def test_answers_are_the_mean_over_teachers_and_both_views(tiny_spec, bright_and_dark, home):
    networks = [stored(name, tiny_spec, seed) for seed, name in enumerate(("one", "two"))]
    faces = np.random.default_rng(0).integers(0, 256, (6, 48, 48), np.uint8)
    views = [view[..., None].astype("float32") for view in (faces, faces[:, :, ::-1])]
    expected = np.mean([network.predict(view, verbose=0) for network in networks for view in views], axis=0)
    recipe = Recipe(epochs=1, teachers=("one", "two"))
    answers = teachers_answers(recipe, tiny_spec, faces)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    assert np.ptp(answers, axis=0).max() > 0.01
    # they are kept for the same faces, and a damaged file is made again
    files = list(cache_folder("answers").iterdir())
    assert len(files) == 2
    files[0].write_bytes(b"damaged")
    np.testing.assert_allclose(teachers_answers(recipe, tiny_spec, faces), expected, atol=1e-5)
    teachers_answers(recipe, tiny_spec, faces[::-1])
    assert len(list(cache_folder("answers").iterdir())) == 4


def test_a_head_is_the_mean_over_those_who_teach_it(tiny_spec, monkeypatch):
    random = np.random.default_rng(1)
    both, labels = random.dirichlet(np.ones(7), (3, 2)).reshape(3, 14), random.dirichlet(np.ones(7), 3)
    given = {"both": both, "labels": np.concatenate([labels, np.zeros((3, 7))], axis=1)}
    monkeypatch.setattr(teachers, "_answers", lambda name, *_: given[name])
    faces = np.zeros((3, 48, 48), np.uint8)
    answers = teachers_answers(Recipe(epochs=1, target="both", teachers=("both", "labels")), tiny_spec, faces)
    np.testing.assert_allclose(answers[:, :7], (both[:, :7] + labels) / 2, rtol=1e-6)
    np.testing.assert_allclose(answers[:, 7:], both[:, 7:], rtol=1e-6)
    alone = teachers_answers(Recipe(epochs=1, target="both", teachers=("labels",)), tiny_spec, faces)
    assert (alone[:, 7:] == 0).all()


def test_certainty_is_one_minus_the_share_of_entropy():
    answers = np.concatenate([np.full((1, 7), 1 / 7), np.eye(7)[[2]]], axis=1)
    np.testing.assert_allclose(certainty(answers), np.repeat([[0.0, 1.0]], 7, axis=1), atol=1e-6)
    some = np.random.default_rng(2).dirichlet(np.ones(7), 5)
    expected = 1 - entropy(some, axis=1) / np.log(7)
    np.testing.assert_allclose(certainty(some), np.repeat(expected[:, None], 7, axis=1), atol=1e-5)
    assert (certainty(np.zeros((2, 7))) == 0).all(), "nobody teaches this head"


def test_a_student_learns_what_only_its_teacher_knows(tiny_spec, bright_and_dark, home):
    keras.utils.set_random_seed(0)
    master = build_network(tiny_spec)
    fit(master, tiny_spec, recipe=PLAIN, training=bright_and_dark, holdout=bright_and_dark)
    store("master", master, tiny_spec)
    faces = bright_and_dark.images[..., None].astype("float32")
    expected = master.predict(faces, verbose=0).argmax(axis=1)

    silent = replace(bright_and_dark, labels=np.full_like(bright_and_dark.labels, 3))  # labels that tell nothing
    taught = replace(PLAIN, teachers=("master",), teaching=5.0, peak_learning_rate=0.03)
    student = build_network(tiny_spec)
    history = fit(student, tiny_spec, recipe=taught, training=silent, holdout=bright_and_dark)
    assert len(history["val_loss"]) == 12
    assert (student.predict(faces, verbose=0).argmax(axis=1) == expected).mean() > 0.95

    # the same from faces without labels, beside one labelled face that shows nothing of the difference
    alone = silent.subset(np.arange(1))
    student = build_network(tiny_spec)
    images = bright_and_dark.images
    fit(student, tiny_spec, recipe=taught, training=alone, holdout=bright_and_dark, unlabelled=images)
    assert (student.predict(faces, verbose=0).argmax(axis=1) == expected).mean() > 0.95


def test_faces_without_labels_need_a_teacher(tiny_spec, bright_and_dark):
    with pytest.raises(FerError, match="need teachers"):
        fit(
            build_network(tiny_spec),
            tiny_spec,
            recipe=PLAIN,
            training=bright_and_dark,
            holdout=bright_and_dark,
            unlabelled=bright_and_dark.images,
        )


def test_recipes_with_teachers():
    recipe = Recipe(epochs=1, teachers=("one", "two"))
    assert Recipe.from_dict({**recipe.as_dict(), "teachers": ["one", "two"]}) == recipe
    assert Recipe.from_dict({**recipe.as_dict(), "temperature": 1.0, "growing": []}) == recipe, "of an earlier version"
    with pytest.raises(FerError, match="weight of distillation above 0"):
        Recipe(epochs=1, teaching=0.0)
