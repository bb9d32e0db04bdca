import numpy as np
import pytest

from fer_core.data import FaceDataset, FerPlusVotes
from fer_core.data.holdout import DRAWN, LISTED
from fer_core.measuring.measure import holdout_facts, not_new, not_new_by_others, privatetest_note
from fer_core.store.folders import promoted
from fer_core.training.data import PAPERS_RULE
from fer_core.types import FerError
from tests.data.conftest import make_dataset
from tests.made_up_store import add_model, card


def holdout(votes):
    """Flat gray faces with ten votes each; their labels are the expressions in turn, if there are few, else angry."""
    n = len(votes)
    labels = np.arange(n) if n < 7 else np.zeros(n, np.int64)
    images = np.full((n, 48, 48), 100, np.uint8)
    return FaceDataset(images, labels, np.full(n, "Training"), np.arange(n), FerPlusVotes(votes))


def predict(images):
    """Right by the label on flat faces; always angry on noisy ones."""
    noisy = images.std(axis=(1, 2)) > 1
    return np.eye(7)[np.where(noisy, 0, np.arange(len(images)))]


def test_six_parts_and_their_mean():
    votes = 10 * np.eye(10, dtype=np.int64)[[4, 4, 7, 1]]  # anger, anger, contempt, happiness
    scores = holdout_facts(predict, holdout(votes))["holdout_score"]
    assert (scores["label"], scores["faces"]) == (1, 4)
    assert scores["plurality"] == pytest.approx(2 / 3)  # contempt is not one of the seven: three faces count
    assert scores["label_degraded"] == pytest.approx((0.25 + 0.25 + 1 + 1) / 4)  # two kinds of noise, two of blur
    assert scores["plurality_degraded"] == pytest.approx((2 / 3) / 1)
    # angry (two faces, one found) and happy (one, found); with noise both angry ones are found and happy is not
    assert scores["recall"] == pytest.approx((1 / 2 + 1) / 2)
    assert scores["recall_degraded"] == pytest.approx((1 / 2 + 1 / 2 + 3 / 4 + 3 / 4) / 4)
    assert scores["score"] == pytest.approx(np.mean([1, 2 / 3, 0.625, 2 / 3, 0.75, 0.625]))
    with pytest.raises(FerError, match=r"needs FER\+'s votes"):
        holdout_facts(predict, holdout(10 * np.eye(10, dtype=np.int64)[[9, 9, 9, 9]]))


def test_not_sure_is_chosen_by_most_annotators_on_clean_faces():
    """100 faces: sure and right on 60, less sure and wrong on 30, and no clear answer for 10 that are surest."""
    confidence = np.repeat([0.8, 0.505, 0.99], [60, 30, 10])
    votes = np.zeros((100, 10), np.int64)
    votes[:60, 1] = 10  # happiness
    votes[60:90, 4] = 10  # anger
    votes[90:, :2] = 5

    def happy(faces):
        proba = np.zeros((len(faces), 7))
        proba[:, 3], proba[:, 0] = confidence, 1 - confidence
        return proba

    chosen = holdout_facts(happy, holdout(votes))["not_sure"]
    # From 0.51 on only right answers are left. Below, 60 of 90 are right.
    assert (chosen["below"], chosen["accuracy"], chosen["faces"]) == (0.51, 1.0, 90)
    assert chosen["answered"] == pytest.approx(2 / 3)
    assert "90%" in chosen["rule"]
    never_right = holdout_facts(lambda faces: np.eye(7)[np.full(len(faces), 5)], holdout(votes))
    assert never_right["not_sure"] == {}


@pytest.fixture
def family(home):
    """A model of the paper's split, one that starts from it, a pupil of that one, and one with a deleted teacher."""
    known = {
        "paper": add_model(promoted(), "paper", training={"holdout": PAPERS_RULE}),
        "child": add_model(promoted(), "child", training={"holdout": LISTED}, weights_from="paper"),
        "pupil": add_model(promoted(), "pupil", training={"holdout": LISTED}, recipe={"teachers": ["old", "child"]}),
        "old": add_model(promoted(), "old", training={"data": "FER2013 Training without the hold-out"}),
        "clean": add_model(promoted(), "clean", training={"holdout": LISTED}, recipe={"teachers": ["old", "gone"]}),
    }
    own = {"holdout": DRAWN, "data": "own pictures (mine)"}
    return known | {"own": add_model(promoted(), "own", training=own), "knot": knot()}


def knot():
    """A model that was trained further under its own name."""
    return add_model(promoted(), "knot", training={"holdout": LISTED}, weights_from="knot")


def test_a_model_that_learned_from_one_that_learned_the_holdout_is_not_scored(family):
    faces = make_dataset(70)
    assert not_new(family["paper"].card, faces) == "it may have been trained on a part of it."
    for name in ("child", "pupil"):
        assert not_new(family[name].card, faces).startswith("it learned from paper, whose own hold-out is another (")
    assert [not_new(family[name].card, faces) for name in ("clean", "knot")] == ["", ""]
    assert "it learned from own," in not_new_by_others(["own"])
    assert not_new_by_others(["random", "old"]) == ""
    before_the_list = card("before", data_fingerprint=faces.fingerprint, weights_from="child")
    assert "it learned from paper," in not_new(before_the_list, faces)


def test_privatetest_is_no_test_of_what_was_chosen_on_it(family):
    assert privatetest_note(family["paper"]).startswith("PrivateTest is no test of paper: it was validated on it")
    assert "no test of pupil: paper, from which it learned, was" in privatetest_note(family["pupil"])
    assert [privatetest_note(family[name]) for name in ("clean", "old", "own")] == ["", "", ""]
