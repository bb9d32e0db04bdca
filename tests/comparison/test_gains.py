"""Gains against the score of the hold-out, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score

from fer_core.metrics.significance import gains
from fer_core.types import FerError

NAMES = ("clean", "noise", "blur")


@pytest.fixture
def faces():
    random = np.random.default_rng(5)
    return random.integers(0, 7, 400), random.integers(-1, 7, 400)


def model(labels, right, seed):
    """Return copies whose answers are the label for a share `right` of the faces, by copy."""
    random = np.random.default_rng(seed)
    answers = {}
    for name, share in zip(NAMES, right, strict=True):
        said = np.where(random.random(len(labels)) < share, labels, random.integers(0, 7, len(labels)))
        answers[name] = np.eye(7)[said]
    return answers


def test_the_parts_are_those_of_scikit_learn(faces):
    labels, plurality = faces
    one, other = model(labels, (0.8, 0.6, 0.5), 1), model(labels, (0.5, 0.4, 0.4), 2)
    table = gains([one], [other], labels=labels, plurality=plurality, n_resamples=200).set_index("part")
    clear = plurality >= 0

    def scores(copies, name):
        said = copies[name].argmax(axis=1)
        recall = recall_score(plurality[clear], said[clear], average="macro")
        return accuracy_score(labels, said), accuracy_score(plurality[clear], said[clear]), recall

    for copies, side in ((one, "first"), (other, "second")):
        clean = scores(copies, "clean")
        degraded = np.mean([scores(copies, name) for name in ("noise", "blur")], axis=0)
        assert table.loc[["label", "plurality", "recall"], side].to_numpy() == pytest.approx(clean)
        names = ["label_degraded", "plurality_degraded", "recall_degraded"]
        assert table.loc[names, side].to_numpy() == pytest.approx(degraded)
        assert table.loc["score", side] == pytest.approx(np.mean([*clean, *degraded]))
    assert (table["difference"] == table["first"] - table["second"]).all()
    assert table.loc["label", "low"] > 0.15  # a difference of 0.3 on 400 faces
    assert ((table["low"] <= table["difference"]) & (table["difference"] <= table["high"])).all()


def test_seeds_are_averaged(faces):
    labels, plurality = faces
    seeds = [model(labels, (share, share, share), number) for number, share in enumerate((0.9, 0.5))]
    table = gains(seeds, seeds[1:], labels=labels, plurality=plurality, n_resamples=50).set_index("part")
    right = [np.mean(copies["clean"].argmax(axis=1) == labels) for copies in seeds]
    assert table.loc["label", "first"] == pytest.approx(np.mean(right))
    assert table.loc["label", "difference"] == pytest.approx((right[0] - right[1]) / 2)


def test_the_same_model_gains_nothing(faces):
    labels, plurality = faces
    same = [model(labels, (0.7, 0.7, 0.7), 3)]
    table = gains(same, same, labels=labels, plurality=plurality, n_resamples=50)
    assert (table[["difference", "low", "high"]] == 0).all(axis=None)


def test_only_clean_faces_have_three_parts_and_their_mean(faces):
    labels, plurality = faces
    one = [{"clean": model(labels, (0.7, 0, 0), 4)["clean"]}]
    table = gains(one, one, labels=labels, plurality=plurality, n_resamples=20)
    assert table["part"].tolist() == ["label", "plurality", "recall", "score"]
    assert table["first"].iloc[-1] == pytest.approx(table["first"].iloc[:-1].mean())


def test_without_votes_or_models_there_is_a_sentence(faces):
    labels, _ = faces
    one = [model(labels, (0.7, 0.7, 0.7), 4)]
    with pytest.raises(FerError, match="votes"):
        gains(one, one, labels=labels, plurality=np.full(len(labels), -1))
    with pytest.raises(FerError, match="both sides"):
        gains(one, [], labels=labels, plurality=labels)
