"""Learning from labels, votes or both: targets, losses, metrics and the head between the two."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.data import VOTE_COLUMNS, FerPlusVotes
from fer_core.models import build_network
from fer_core.training.fit import fit
from fer_core.training.recipe import Recipe
from fer_core.training.targets import (
    VOTES_HEAD,
    CrossEntropy,
    PluralityAccuracy,
    heads_of,
    make_targets,
    with_heads,
    with_votes_head,
)
from fer_core.types import FerError
from tests.training.test_fit import PLAIN, bright_and_dark  # noqa: F401

SHARES = np.array([[0.5, 0, 0, 0.5, 0, 0, 0], [0, 0, 0, 0.2, 0.8, 0, 0], [0, 0, 0, 0, 0, 0, 0]], np.float32)
"""Of three faces: angry and happy in a tie; four fifths sad; no vote for one of the seven."""


def votes_on(*faces):
    counts = np.zeros((len(faces), 10), np.int64)
    for row, votes in enumerate(faces):
        for column, count in votes.items():
            counts[row, VOTE_COLUMNS.index(column)] = count
    return FerPlusVotes(counts)


VOTES = votes_on({"anger": 3, "happiness": 3, "contempt": 4}, {"happiness": 2, "sadness": 8}, {"NF": 10})


def test_targets_of_each_kind():
    labels = np.array([0, 3, 6])
    assert make_targets(labels, None, "labels").argmax(axis=1).tolist() == [0, 3, 6]
    np.testing.assert_array_equal(make_targets(labels, VOTES, "votes"), SHARES)
    both = make_targets(labels, VOTES, "both")
    assert both.shape == (3, 14)
    np.testing.assert_array_equal(both[:, 7:], SHARES)
    smooth = make_targets(labels, VOTES, "both", smoothing=0.14)
    np.testing.assert_allclose(smooth[1, :7], [0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02], atol=1e-6)
    np.testing.assert_array_equal(smooth[:, 7:], SHARES)
    with pytest.raises(FerError, match="FERPLUS_PATH"):
        make_targets(labels, None, "both")


def test_the_loss_is_the_sum_of_both_cross_entropies():
    labels, said, voted = np.eye(7)[[4]], np.full((1, 7), 1 / 7), np.array([[0.1, 0.1, 0.1, 0.1, 0.4, 0.1, 0.1]])
    wanted = np.concatenate([labels, SHARES[1:2]], axis=1).astype(np.float32)
    loss = float(CrossEntropy()(wanted, np.concatenate([said, voted], axis=1).astype(np.float32)))
    assert loss == pytest.approx(np.log(7) - 0.2 * np.log(0.1) - 0.8 * np.log(0.4), rel=1e-5)


def test_a_face_without_votes_costs_nothing_by_votes():
    said = np.full((1, 14), 1 / 7, np.float32)
    wanted = np.concatenate([np.eye(7)[[2]], np.zeros((1, 7))], axis=1).astype(np.float32)
    assert float(CrossEntropy()(wanted, said)) == pytest.approx(np.log(7), rel=1e-5)


def test_the_gradient_fits_targets_of_any_sum():
    """Of a softmax it is the sum of the targets times the probabilities, minus the targets."""
    import tensorflow as tf

    logits = tf.Variable([[0.3, -1.0, 0.5, 0.0, 2.0, -0.2, 0.1]])
    head = keras.layers.Softmax()
    for target in ([[0.0] * 7], [[0.0, 3.0, 0.0, 0.5, 0.0, 0.5, 0.0]]):
        with tf.GradientTape() as tape:
            loss = CrossEntropy()(tf.constant(target), head(logits))
        expected = np.sum(target) * tf.nn.softmax(logits).numpy() - target
        np.testing.assert_allclose(tape.gradient(loss, logits).numpy(), expected, atol=1e-6)


def test_accuracy_counts_faces_with_one_answer_in_the_first_place():
    metric = PluralityAccuracy(first=7)
    said = np.zeros((3, 14), np.float32)
    said[:, 7 + 4] = 1
    metric.update_state(np.concatenate([np.eye(7)[[0, 0, 0]], SHARES], axis=1).astype(np.float32), said)
    assert float(metric.result()) == 1.0
    assert float(metric.faces) == 1.0


def with_votes(faces, voted):
    """Ten votes for one expression on each face; none where it is -1."""
    columns = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    return replace(faces, votes=votes_on(*[{columns[k]: 10} if k >= 0 else {} for k in voted]))


@pytest.fixture
def network(tiny_spec):
    keras.utils.set_random_seed(3)
    return build_network(tiny_spec)


@pytest.fixture
def two_heads(network):
    both = with_votes_head(network)
    random = np.random.default_rng(0)
    for name in ("head", VOTES_HEAD):
        layer = both.get_layer(name)
        layer.set_weights([random.normal(size=w.shape) for w in layer.get_weights()])
    return network, both


def test_both_heads_of_a_stored_network_come_back(two_heads, tiny_spec):
    network, both = two_heads
    faces = np.random.default_rng(1).uniform(0, 255, (3, 48, 48, 1)).astype(np.float32)
    expected, heads = both.predict(faces, verbose=0), heads_of(both)
    assert heads.shape == (2, network.get_layer("head").input.shape[1] + 1, 7)
    network.get_layer("head").set_weights([w * 0 for w in network.get_layer("head").get_weights()])
    np.testing.assert_allclose(with_heads(network, heads).predict(faces, verbose=0), expected, atol=1e-5)
    with pytest.raises(FerError, match=r"Expected heads for \d+ features. Received: 3"):
        with_heads(network, np.zeros((2, 4, 7), np.float32))


def test_both_targets_are_learnt_although_some_faces_have_no_votes(network, tiny_spec, bright_and_dark):  # noqa: F811
    keras.utils.set_random_seed(0)
    voted = np.where(bright_and_dark.labels == 0, 5, 6)
    voted[::10] = -1
    faces = with_votes(bright_and_dark, voted)
    learner = with_votes_head(network)
    recipe = replace(PLAIN, target="both", epochs=15, batch_size=16, ema=0.5, augmentation=None)
    history = fit(learner, tiny_spec, recipe, faces, faces)
    assert history["val_accuracy"][-1] > 0.9
    assert history["val_votes_accuracy"][-1] > 0.9


def test_focal_loss_and_class_weights_need_labels():
    for other in ({"loss": "focal"}, {"class_weights": "balanced"}):
        with pytest.raises(FerError, match="target"):
            Recipe(epochs=1, target="votes", **other)
