from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import confusion_matrix

from fer_core.data import FaceDataset, FerPlusVotes
from fer_core.data.fer2013_rows import TRAINING_ROWS
from fer_core.data.near_duplicates import known_same_pictures
from fer_core.labels import EXPRESSIONS
from fer_core.metrics import label_truth
from fer_core.metrics.confusion import label_cells
from fer_core.metrics.label_truth import agreement_by_label, contested_faces, copies_by_split, differing_copies
from tests.data.conftest import votes_of

VOTES = votes_of(
    {"happiness": 10},  # all agree
    {"sadness": 6, "fear": 4},
    {"neutral": 5, "sadness": 5},  # a tie
    {"contempt": 8, "anger": 2},  # none of the seven
    {"neutral": 9, "unknown": 1},
)
LABELS = np.array([EXPRESSIONS.index(name) for name in ("happy", "fear", "sad", "angry", "angry")])


def dataset(votes: FerPlusVotes | None = VOTES) -> FaceDataset:
    images = np.arange(5, dtype=np.uint8)[:, None, None] * np.ones((1, 48, 48), np.uint8)
    return FaceDataset(images, LABELS, np.array(["Training"] * 5), np.arange(5), votes)


def test_agreement_by_hand():
    cells = label_cells(LABELS, VOTES.plurality()).set_index(["actual", "predicted"])
    assert cells["count"].sum() == 3, "faces with one clear answer"
    assert cells.loc[("happy", "happy"), "rate"] == 1
    assert cells.loc[("fear", "sad"), "count"] == cells.loc[("angry", "neutral"), "count"] == 1
    assert np.isnan(cells.loc[("disgust", "happy"), "rate"])
    table = agreement_by_label(LABELS, VOTES).set_index("label")
    assert table.loc["all", "faces"] == 5
    assert table.loc["all", "clear"] == pytest.approx(3 / 5)
    assert table.loc["all", "same"] == pytest.approx(1 / 3)
    assert table.loc["angry", ["faces", "clear", "same"]].tolist() == [2, 0.5, 0]
    assert table.loc["fear", "votes_for_label"] == pytest.approx(0.4)
    expected = np.mean([entropy(row / row.sum(), base=2) for row in VOTES.votes])
    assert table.loc["all", "entropy"] == pytest.approx(expected)
    assert table.loc["all", "low"] < 1 / 3 < table.loc["all", "high"]
    assert np.isnan(table.loc["disgust", "same"])


def test_contested_faces_by_hand():
    assert contested_faces(dataset(), "divided").tolist() == [2, 1, 3, 4, 0]
    assert contested_faces(dataset(), "alone").tolist() == [4]  # 90 % neutral, labelled angry
    assert contested_faces(dataset(), "agreed").tolist() == []
    with pytest.raises(ValueError, match="Received: nothing"):
        contested_faces(dataset(), "nothing")
    with pytest.raises(ValueError, match="without"):
        contested_faces(dataset(None), "divided")


@pytest.mark.parametrize(("split", "share", "clear"), [("PublicTest", 0.654, 3372), ("PrivateTest", 0.656, 3350)])
def test_a_perfect_reader_of_the_majority(fer2013, split, share, clear):
    """Measured independently before: 65.4 and 65.6 % on 3,372 and 3,350 faces."""
    part = fer2013.split(split)
    table = agreement_by_label(part.labels, part.votes).set_index("label")
    assert round(table.loc["all", "same"], 3) == share
    assert table.loc["all", "clear"] * len(part) == pytest.approx(clear)
    said = part.plurality
    expected = confusion_matrix(part.labels[said >= 0], said[said >= 0], labels=range(7))
    assert label_cells(part.labels, part.plurality)["count"].tolist() == expected.ravel().tolist()


def test_models_are_judged_without_the_faces_that_training_holds(answers):
    answers = replace(answers, rows=answers.rows + TRAINING_ROWS)
    table = label_truth.without_copies(answers).set_index("name")
    right = answers.probabilities["fair"].argmax(axis=1) == answers.labels
    assert table.loc["fair", "all"] == pytest.approx(right.mean())
    seen = {second for first, second in known_same_pictures().pairs.tolist() if first < TRAINING_ROWS <= second}
    copied = np.array([int(row) in seen for row in answers.rows])
    assert copied.any()
    assert table.loc["fair", "no_near_faces"] == (~copied).sum()
    assert table.loc["fair", "no_near"] == pytest.approx(right[~copied].mean())


def test_copies_are_counted_once_and_by_split(fer2013):
    counts = label_truth.copies_counted()
    differing, pairs = differing_copies(fer2013)
    assert pairs == len(known_same_pictures().pairs) == counts["exact"] + counts["near"]
    assert (fer2013.labels[differing[:, 0]] != fer2013.labels[differing[:, 1]]).all()
    some = fer2013.subset(np.unique(differing[:3]))
    assert len(differing_copies(some)[0]) >= 3
    table = copies_by_split(fer2013).set_index("splits")
    assert (table["exact"].sum(), table["near"].sum()) == (counts["exact"], counts["near"])
    assert table["differing"].sum() == len(differing)
    across = table.loc[["Training and PublicTest", "Training and PrivateTest"]]
    assert across[["exact", "near"]].to_numpy().sum() == counts["across"]
    assert copies_by_split(None)["differing"].isna().all()


@pytest.mark.parametrize(("split", "exact", "near"), [("PublicTest", 280, 209), ("PrivateTest", 288, 226)])
def test_test_faces_that_training_holds(fer2013, split, exact, near):
    """Counted independently before. The equal ones are counted here again, by their pixels."""
    assert label_truth.copied_faces(split) == (exact, near)
    training = {face.tobytes() for face in fer2013.split("Training").images}
    assert sum(face.tobytes() in training for face in fer2013.split(split).images) == exact
