from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_core.data import SPLITS, FaceDataset, FerPlusVotes, find_duplicates, leaked_mask
from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError
from tests.data.conftest import votes_of

OFFICIAL_COUNTS = {
    "Training": [3995, 436, 4097, 7215, 4830, 3171, 4965],
    "PublicTest": [467, 56, 496, 895, 653, 415, 607],
    "PrivateTest": [491, 55, 528, 879, 594, 416, 626],
}


@pytest.mark.parametrize(
    ("official", "spellings"),
    [
        ("Training", ["train", "training", "Training"]),
        ("PublicTest", ["public_test", "PublicTest", " public test"]),
        ("PrivateTest", ["private-test"]),
    ],
)
def test_splits_and_their_names(small, official, spellings):
    for name in spellings:
        assert set(small.split(name).usage) == {official}
    with pytest.raises(FerError, match=rf"has no {official} faces. It holds: "):
        small.subset(small.usage != official).split(official)
    with pytest.raises(FerError, match=r"Unknown split\. Expected training, public_test or .* Received: 'validation'"):
        small.split("validation")


def test_subset_and_counts(small):
    mask = small.labels == 3
    by_mask, by_index = small.subset(mask), small.subset(np.flatnonzero(mask))
    assert by_mask.fingerprint == by_index.fingerprint
    assert by_mask.rows.tolist() == [3, 10, 17]
    assert len(small.subset(np.array([]))) == 0
    assert small.counts().equals(pd.DataFrame(1, index=list(SPLITS), columns=list(EXPRESSIONS)))
    assert small.split("train").counts().to_numpy().sum() == 7


def test_fingerprint_follows_content_and_order_only(small):
    assert replace(small, usage=small.usage.astype("<U20"), rows=small.rows - 1).fingerprint == small.fingerprint
    changed = small.images.copy()
    changed[5, 7, 7] ^= 1
    for other in (
        small.subset(np.arange(21)[::-1]),
        replace(small, images=changed),
        replace(small, labels=(small.labels + 1) % 7),
        replace(small, usage=np.roll(small.usage, 7)),
    ):
        assert other.fingerprint != small.fingerprint


def test_another_dataset_has_its_own_name_splits_and_side():
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32)).astype(np.uint8)
    usage, rows = np.array(["train", "valid", "test"] * 2), np.full(6, -1)
    own = {"name": "Other", "splits": ("train", "valid", "test"), "side": 32}
    other = FaceDataset(images, np.arange(6), usage, rows, **own)
    part = other.split("valid")
    assert (part.name, part.splits, part.side, len(part)) == ("Other", ("train", "valid", "test"), 32, 2)
    assert part.ids == [other.ids[1], other.ids[4]]
    assert len(set(other.ids)) == 6
    assert other.counts().index.tolist() == ["train", "valid", "test"]
    assert find_duplicates(other).faces == 0
    with pytest.raises(FerError, match=r"Expected train, valid or test. Received: 'public_test'"):
        other.split("public_test")
    with pytest.raises(FerError, match=r"images of shape \(n, 32, 32\)"):
        FaceDataset(images[:, :-1], np.arange(6), usage, rows, **own)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((21, 48, 47), np.uint8)}, r"images of shape \(n, 48, 48\).*Received: \(21, 48, 47\)"),
        ({"images": np.zeros((21, 48, 48), np.float32)}, "type uint8.*Received: .*float32"),
        ({"labels": np.zeros(20, np.int64)}, r"labels of shape \(21,\).*Received: \(20,\)"),
        ({"labels": np.full(21, 9)}, "labels from 0 to 6. Received: 9 to 9"),
        ({"labels": np.zeros(21)}, "labels of type int64. Received: float64"),
        ({"usage": np.array(["Testing"] * 21)}, "usage to be one of Training, PublicTest.*Received: 'Testing'"),
        ({"rows": np.full(21, -2)}, "rows from 0 on, or -1"),
        ({"rows": np.zeros(3, np.int64)}, r"rows of shape \(21,\)"),
    ],
)
def test_validation(small, change, message):
    with pytest.raises(FerError, match=message):
        replace(small, **change)


def test_real_counts_and_first_face(fer2013):
    assert len(fer2013) == 35_887
    table = fer2013.counts()
    for split, expected in OFFICIAL_COUNTS.items():
        assert table.loc[split].tolist() == expected
        assert len(fer2013.split(split)) == sum(expected)
    assert fer2013.images[0, 0, :8].tolist() == [70, 80, 82, 72, 58, 58, 60, 63]
    assert fer2013.labels[0] == 0
    assert fer2013.rows[[0, -1]].tolist() == [0, 35_886]


def test_groups_across_splits_and_labels(small):
    images = small.images.copy()
    images[1] = images[0]  # same split, other label
    images[9] = images[2]  # other split, same label
    images[17] = images[2]  # other split, other label
    images[5] = images[4]
    images[5, 0, 0] ^= 1  # one pixel apart is no duplicate
    found = find_duplicates(replace(small, images=images))
    assert [group.tolist() for group in found.groups] == [[0, 1], [2, 9, 17]]
    assert found.across_splits.tolist() == [False, True]
    assert found.differing_labels.tolist() == [True, True]
    assert found.faces == 5
    nothing = find_duplicates(small)
    assert (nothing.groups, nothing.faces, nothing.across_splits.shape) == ([], 0, (0,))


def test_leaked_mask(small):
    training, test = small.split("train"), small.split("public_test")
    leaky = replace(test, images=np.concatenate([test.images[:2], training.images[3:4], test.images[3:]]))
    assert leaked_mask(leaky, training).tolist() == [False, False, True, False, False, False, False]


@pytest.fixture
def table():
    rows = [{"anger": 6, "neutral": 4}, {"happiness": 5, "sadness": 5}, {"contempt": 7, "disgust": 3}, {"NF": 10}, {}]
    return votes_of(*rows, {"fear": 4, "unknown": 3, "surprise": 3})


def test_plurality_shares_agreement_and_selection(table):
    assert [EXPRESSIONS[i] if i >= 0 else None for i in table.plurality()] == ["angry", None, None, None, None, "fear"]
    expected = np.zeros((6, 7))
    expected[0, EXPRESSIONS.index("angry")], expected[0, EXPRESSIONS.index("neutral")] = 0.6, 0.4
    expected[1, EXPRESSIONS.index("happy")] = expected[1, EXPRESSIONS.index("sad")] = 0.5
    expected[2, EXPRESSIONS.index("disgust")] = 1
    expected[5, EXPRESSIONS.index("fear")], expected[5, EXPRESSIONS.index("surprise")] = 4 / 7, 3 / 7
    np.testing.assert_allclose(table.shares(), expected, atol=1e-6)
    np.testing.assert_allclose(table.agreement(), [0.6, 0.5, 0.7, 1.0, np.nan, 0.4])
    assert table[np.array([3, 0])].votes.tolist() == table.votes[[3, 0]].tolist()
    assert len(table[np.array([True, False, False, True, False, False])]) == 2


@pytest.mark.parametrize("array", [np.zeros((3, 9), np.int64), np.zeros(10, np.int64), np.zeros((3, 10))])
def test_wrong_arrays(array):
    with pytest.raises(FerError, match=r"Expected votes of shape \(n, 10\) and type int64"):
        FerPlusVotes(array)
    with pytest.raises(FerError, match=r"0 or more. Received: -1"):
        FerPlusVotes(np.full((1, 10), -1))
