"""Features of a frozen backbone, the answers of teachers, and a student that learns what only its teacher knows."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy.stats import entropy

from fer_core.files import cache_folder
from fer_core.training import frozen
from fer_core.training.fit import fit
from fer_core.training.frozen import certainty, pooled_features, teacher, teachers_answers
from fer_core.training.recipe import Recipe
from fer_core.training.targets import heads_of, with_votes_head
from fer_core.types import FerError
from tests.training.conftest import PLAIN, small_network, store

FACES = np.random.default_rng(0).integers(0, 256, (6, 48, 48), np.uint8)
INPUT = FACES[..., None].astype("float32")


@pytest.fixture
def backbone(home):
    keras.utils.set_random_seed(1)
    network = small_network()
    network.trainable = False
    return network


@pytest.fixture
def count(monkeypatch):
    """One entry for each time that a backbone is computed."""
    computed = []
    predict = keras.Model.predict
    monkeypatch.setattr(keras.Model, "predict", lambda *a, **k: computed.append(1) or predict(*a, **k))
    return computed


def test_features_are_the_networks_and_are_computed_once(backbone, tiny_spec, bright_and_dark, count):
    def features(faces=bright_and_dark, mirrored=False):
        return pooled_features(backbone, tiny_spec, faces, mirrored=mirrored)

    extractor = keras.Model(backbone.input, backbone.get_layer("pool").output)
    for mirrored in (False, True):
        images = bright_and_dark.images[:, :, :: -1 if mirrored else 1, None].astype("float32")
        assert features(mirrored=mirrored).dtype == np.float16
        np.testing.assert_allclose(features(mirrored=mirrored), np.asarray(extractor(images)), rtol=2e-3, atol=1e-4)
    assert len(count) == 2
    features(bright_and_dark.subset(np.arange(10)))
    backbone.set_weights([array * 1.01 for array in backbone.get_weights()])
    features()
    assert len(count) == 4, "other faces and other weights are computed anew"
    with pytest.raises(ValueError, match="Expected a frozen backbone"):
        pooled_features(small_network(), tiny_spec, bright_and_dark, mirrored=False)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other shape"])
def test_damage_is_rebuilt(backbone, tiny_spec, bright_and_dark, count, damage):
    first = pooled_features(backbone, tiny_spec, bright_and_dark, mirrored=False)
    (path,) = cache_folder("features").glob("*.npz")
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    path.write_bytes({"truncated": content[:-200], "flipped": content}.get(damage, b""))
    if damage == "other shape":
        np.savez(path, values=first[:5])
    for _ in range(2):
        np.testing.assert_array_equal(pooled_features(backbone, tiny_spec, bright_and_dark, mirrored=False), first)
        assert len(count) == 2
    assert [file.name for file in cache_folder("features").iterdir()] == [path.name]


def test_answers_are_the_mean_over_teachers_and_both_views(tiny_spec, home, count):
    networks = []
    for seed, name in enumerate(("one", "two")):
        keras.utils.set_random_seed(seed)
        network = small_network()
        head = network.get_layer("head")
        head.set_weights([np.random.default_rng(seed).normal(0, 3, w.shape) for w in head.get_weights()])
        store(name, network, tiny_spec)
        networks.append(network)
    views = [INPUT, INPUT[:, :, ::-1]]
    expected = np.mean([np.asarray(network(view, training=False)) for network in networks for view in views], axis=0)
    recipe = Recipe(epochs=1, teachers=("one", "two"))
    answers = teachers_answers(recipe, tiny_spec, FACES)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    assert np.ptp(answers, axis=0).max() > 0.01
    teachers_answers(recipe, tiny_spec, FACES)
    assert len(count) == 4, "they are kept for the same faces"
    teachers_answers(recipe, tiny_spec, FACES[::-1])
    assert len(count) == 8


def test_a_head_is_the_mean_over_those_who_teach_it(tiny_spec, monkeypatch):
    random = np.random.default_rng(1)
    both, labels = random.dirichlet(np.ones(7), (3, 2)).reshape(3, 14), random.dirichlet(np.ones(7), 3)
    given = {"both": both, "labels": np.concatenate([labels, np.zeros((3, 7))], axis=1)}
    monkeypatch.setattr(frozen, "_answers", lambda name, *_: given[name])
    answers = teachers_answers(Recipe(epochs=1, target="both", teachers=("both", "labels")), tiny_spec, FACES[:3])
    np.testing.assert_allclose(answers[:, :7], (both[:, :7] + labels) / 2, rtol=1e-6)
    np.testing.assert_allclose(answers[:, 7:], both[:, 7:], rtol=1e-6)
    alone = teachers_answers(Recipe(epochs=1, target="both", teachers=("labels",)), tiny_spec, FACES[:3])
    assert (alone[:, 7:] == 0).all()


def test_certainty_is_one_minus_the_share_of_entropy():
    answers = np.concatenate([np.full((1, 7), 1 / 7), np.eye(7)[[2]]], axis=1)
    np.testing.assert_allclose(certainty(answers), np.repeat([[0.0, 1.0]], 7, axis=1), atol=1e-6)
    some = np.random.default_rng(2).dirichlet(np.ones(7), 5)
    expected = 1 - entropy(some, axis=1) / np.log(7)
    np.testing.assert_allclose(certainty(some), np.repeat(expected[:, None], 7, axis=1), atol=1e-5)
    assert (certainty(np.zeros((2, 7))) == 0).all(), "nobody teaches this head"


def test_a_teacher_of_two_heads_has_those_that_it_learned_with(tiny_spec, tiny_network, home):
    both = with_votes_head(tiny_network)
    expected = np.asarray(both(INPUT))
    folder = store("master", tiny_network, tiny_spec)
    card = json.loads((folder / "card.json").read_text())

    def answers(target, heads=2):
        (folder / "card.json").write_text(json.dumps({**card, "recipe": {"target": target}}))
        network = teacher("master", tiny_spec, heads=heads)
        assert network.trainable_variables == []
        return np.asarray(network(INPUT))

    labels, nothing = expected[:, :7], 0 * expected[:, :7]
    np.testing.assert_allclose(answers("labels", heads=1), labels, atol=1e-5)
    np.testing.assert_allclose(answers("labels"), np.hstack([labels, nothing]), atol=1e-5)
    np.testing.assert_allclose(answers("votes"), np.hstack([nothing, labels]), atol=1e-5)
    with pytest.raises(FerError, match="master has no heads for labels and votes"):
        answers("both")
    np.save(folder / "heads.npy", heads_of(both))
    np.testing.assert_allclose(answers("both"), expected, atol=1e-5)
    with pytest.raises(FerError, match="master uses the preprocessing 'none', tiny 'clahe'"):
        teacher("master", replace(tiny_spec, preprocessing="clahe"))


def test_a_student_learns_what_only_its_teacher_knows(tiny_spec, bright_and_dark, home):
    plain = replace(PLAIN, epochs=12, batch_size=16, ema=0.5)
    keras.utils.set_random_seed(0)
    master = small_network()
    fit(master, tiny_spec, recipe=plain, training=bright_and_dark, holdout=bright_and_dark)
    store("master", master, tiny_spec)
    faces = bright_and_dark.images[..., None].astype("float32")
    expected = np.asarray(master(faces)).argmax(axis=1)
    silent = replace(bright_and_dark, labels=np.full_like(bright_and_dark.labels, 3))  # labels that tell nothing
    taught = replace(plain, teachers=("master",), teaching=5.0, peak_learning_rate=0.03)
    for part, more in (
        (silent, None),
        # the same from faces without labels, beside one labelled face that shows nothing of the difference
        (silent.subset(np.arange(1)), bright_and_dark.images),
    ):
        keras.utils.set_random_seed(1)
        student = small_network()
        history = fit(student, tiny_spec, recipe=taught, training=part, holdout=bright_and_dark, unlabelled=more)
        assert len(history["val_loss"]) == 12
        assert (np.asarray(student(faces)).argmax(axis=1) == expected).mean() > 0.95
    with pytest.raises(FerError, match="need teachers"):
        fit(student, tiny_spec, recipe=plain, training=silent, holdout=silent, unlabelled=FACES)
