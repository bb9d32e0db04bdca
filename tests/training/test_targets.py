"""Learning from labels, votes or both: targets, losses and metrics, two heads, and the blend of them that is served."""

from dataclasses import replace
from itertools import cycle

import keras
import numpy as np
import pytest

from fer_core.training import targets
from fer_core.training.fit import fit
from fer_core.training.targets import (
    CORRECTIONS,
    SHARES,
    Blend,
    CrossEntropy,
    PluralityAccuracy,
    choose_blend,
    class_frequencies,
    heads_of,
    make_loss,
    make_targets,
    with_heads,
    with_votes_head,
)
from fer_core.types import FerError
from tests.data.conftest import votes_of
from tests.training.conftest import PLAIN, with_votes

# three faces: angry and happy in a tie; four fifths sad; no vote for one of the seven
VOTED_SHARES = np.array([[0.5, 0, 0, 0.5, 0, 0, 0], [0, 0, 0, 0.2, 0.8, 0, 0], [0, 0, 0, 0, 0, 0, 0]], np.float32)
VOTES = votes_of({"anger": 3, "happiness": 3, "contempt": 4}, {"happiness": 2, "sadness": 8}, {"NF": 10})


def test_targets_of_each_kind():
    labels = np.array([0, 3, 6])
    assert make_targets(labels, None, "labels").argmax(axis=1).tolist() == [0, 3, 6]
    np.testing.assert_array_equal(make_targets(labels, VOTES, "votes"), VOTED_SHARES)
    both = make_targets(labels, VOTES, "both")
    assert both.shape == (3, 14)
    np.testing.assert_array_equal(both[:, 7:], VOTED_SHARES)
    smooth = make_targets(labels, VOTES, "both", smoothing=0.14)
    np.testing.assert_allclose(smooth[1, :7], [0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02], atol=1e-6)
    np.testing.assert_array_equal(smooth[:, 7:], VOTED_SHARES)
    with pytest.raises(FerError, match="FERPLUS_PATH"):
        make_targets(labels, None, "both")


def test_the_loss_is_the_sum_of_both_cross_entropies():
    answers = np.array([[1 / 7] * 7 + [0.1, 0.1, 0.1, 0.1, 0.4, 0.1, 0.1]], np.float32)
    for shares, votes_loss in ((VOTED_SHARES[1], -0.2 * np.log(0.1) - 0.8 * np.log(0.4)), (np.zeros(7), 0)):
        target = np.concatenate([np.eye(7)[4], shares])[None].astype(np.float32)  # the second face has no votes
        assert float(CrossEntropy()(target, answers)) == pytest.approx(np.log(7) + votes_loss, rel=1e-5)


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


def test_focal_loss_weighs_by_the_missing_probability():
    """Lin et al. 2017, equation 4: (1 - p)^gamma times the cross-entropy."""
    loss = make_loss(replace(PLAIN, loss="focal", focusing=2.0))
    answers = np.array([[0.9, 0.05, 0.05, 0, 0, 0, 0], [0.2, 0.8, 0, 0, 0, 0, 0]], "float32")
    expected = np.mean([0.1**2 * -np.log(0.9), 0.8**2 * -np.log(0.2)])
    assert float(loss(np.eye(7, dtype="float32")[[0, 0]], answers)) == pytest.approx(expected, rel=1e-3)


def test_accuracy_counts_faces_with_one_answer_in_the_first_place():
    metric, answers = PluralityAccuracy(first=7), np.eye(14, dtype=np.float32)[[7 + 4] * 3]
    metric.update_state(np.concatenate([np.eye(7)[[0, 0, 0]], VOTED_SHARES], axis=1).astype(np.float32), answers)
    assert float(metric.result()) == 1.0
    assert float(metric.faces) == 1.0


def test_both_heads_of_a_stored_network_come_back(two_heads, tiny_spec):
    network, both = two_heads
    faces = np.random.default_rng(1).uniform(0, 255, (3, 48, 48, 1)).astype(np.float32)
    expected, heads = np.asarray(both(faces)), heads_of(both)
    assert heads.shape == (2, network.get_layer("head").input.shape[1] + 1, 7)
    network.get_layer("head").set_weights([w * 0 for w in network.get_layer("head").get_weights()])
    np.testing.assert_allclose(with_heads(network, heads)(faces), expected, atol=1e-5)
    with pytest.raises(FerError, match=r"Expected heads for \d+ features. Received: 3"):
        with_heads(network, np.zeros((2, 4, 7), np.float32))


def test_both_targets_are_learnt_although_some_faces_have_no_votes(network, tiny_spec, bright_and_dark):
    keras.utils.set_random_seed(0)
    voted = np.where(bright_and_dark.labels == 0, 5, 6)
    voted[::10] = -1
    faces = with_votes(bright_and_dark, voted)
    learner = with_votes_head(network)
    recipe = replace(PLAIN, target="both", epochs=15, batch_size=16, ema=0.5)
    history = fit(learner, tiny_spec, recipe=recipe, training=faces, holdout=faces)
    assert history["val_accuracy"][-1] > 0.9
    assert history["val_votes_accuracy"][-1] > 0.9


FREQUENCIES = np.array([[0.1, 0.02, 0.18, 0.3, 0.1, 0.2, 0.1], [0.1, 0.01, 0.04, 0.3, 0.15, 0.1, 0.3]])


@pytest.mark.parametrize(
    "blend", [Blend(0.0), Blend(0.25), Blend(1.0), Blend(0.6, 0.3), Blend(0.0, 1.0), Blend(0.5, 0.2, 0.7)]
)
def test_the_head_answers_as_the_blend_says(two_heads, blend):
    network, both = two_heads
    faces = np.random.default_rng(1).uniform(0, 255, (5, 48, 48, 1)).astype(np.float32)
    expected = blend.answers(np.asarray(both(faces)), FREQUENCIES)
    blend.set_head(network, both, FREQUENCIES)
    np.testing.assert_allclose(np.asarray(network(faces)), expected, atol=1e-4)


def test_a_full_correction_divides_by_the_frequencies():
    said, voted = np.array([[0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1]]), np.full((1, 7), 1 / 7)
    both = np.concatenate([said, voted], axis=1)
    by_labels = (said / FREQUENCIES[0]) / (said / FREQUENCIES[0]).sum()
    np.testing.assert_allclose(Blend(0.0, 1.0).answers(both, FREQUENCIES), by_labels)
    by_votes = (1 / FREQUENCIES[1]) / (1 / FREQUENCIES[1]).sum()
    np.testing.assert_allclose(Blend(1.0, 1.0).answers(both, FREQUENCIES)[0], by_votes)
    half = np.sqrt(said * voted)
    np.testing.assert_allclose(Blend(0.5).answers(both, FREQUENCIES), half / half.sum())


def test_frequencies_count_labels_and_votes_and_are_never_zero(bright_and_dark):
    few = bright_and_dark.subset(np.arange(len(bright_and_dark)) < 4)
    few = with_votes(replace(few, labels=np.array([3, 3, 3, 4])), [3, 5, 5, -1])
    expected = np.array([[1, 1, 1, 4, 2, 1, 1], [1, 1, 1, 2, 1, 3, 1]])
    np.testing.assert_allclose(class_frequencies(few), expected / expected.sum(axis=1, keepdims=True))


def test_the_blend_has_the_best_score_and_its_mean_confidence_is_the_accuracy(two_heads, bright_and_dark, monkeypatch):
    """Of five copies, the clean one counts as much as the others together."""
    random = np.random.default_rng(4)
    answers = {
        name: np.concatenate([random.dirichlet(np.full(7, sharp), len(bright_and_dark)) for _ in range(2)], axis=1)
        for name, sharp in (("clean", 0.2), ("noise_13", 0.4), ("noise_26", 1.0), ("blur_1", 0.5), ("blur_2", 2.0))
    }
    labels, voted = answers["clean"].reshape(-1, 2, 7).argmax(axis=2).T
    faces = with_votes(replace(bright_and_dark, labels=labels), voted)
    given = cycle(answers.values())
    monkeypatch.setattr("fer_core.training.targets.degraded_copies", lambda images: dict.fromkeys(answers, images))
    monkeypatch.setattr(type(two_heads[1]), "predict", lambda *_, **__: next(given))
    monkeypatch.setattr(targets, "LABEL_FLOOR", 1.1)  # no blend reaches it
    blend, tried = choose_blend(two_heads[1], faces, FREQUENCIES)
    confidence = {name: blend.answers(both, FREQUENCIES).max(axis=1).mean() for name, both in answers.items()}
    clean = confidence.pop("clean")
    shares, corrections = tried["holdout_by_votes_share"], tried["holdout_by_correction"]
    assert [float(name) for name in shares] == list(SHARES)
    assert [float(name) for name in corrections] == list(CORRECTIONS)
    chosen = shares[f"{blend.share:.2f}"]
    assert chosen == corrections[f"{blend.correction:.1f}"]
    assert chosen["score"] == max(scores["score"] for scores in (*shares.values(), *corrections.values()))
    accuracy = np.mean([chosen[part] for part in ("label", "plurality", "label_degraded", "plurality_degraded")])
    assert (clean + np.mean(list(confidence.values()))) / 2 == pytest.approx(accuracy, abs=2e-3)
    monkeypatch.setattr(targets, "LABEL_FLOOR", best := max(scores["label"] for scores in shares.values()))
    blend, tried = choose_blend(two_heads[1], faces, FREQUENCIES)
    assert tried["holdout_by_votes_share"][f"{blend.share:.2f}"]["label"] >= best > chosen["label"]
