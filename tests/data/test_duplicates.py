from __future__ import annotations

import numpy as np

from fer_core.data import FerDataset, find_duplicates, leaked_mask
from tests.data.conftest import make_dataset


def test_groups_across_splits_and_labels():
    base = make_dataset(21)
    images = base.images.copy()
    images[1] = images[0]  # same split, other label
    images[9] = images[2]  # other split, same label
    images[17] = images[2]  # other split, other label
    found = find_duplicates(FerDataset(images, base.labels, base.usage, base.rows))
    assert [group.tolist() for group in found.groups] == [[0, 1], [2, 9, 17]]
    assert found.across_splits.tolist() == [False, True]
    assert found.differing_labels.tolist() == [True, True]
    assert (found.faces, found.redundant) == (5, 3)


def test_no_duplicates(small):
    found = find_duplicates(small)
    assert found.groups == ()
    assert (found.faces, found.redundant) == (0, 0)
    assert found.across_splits.shape == (0,)


def test_one_pixel_apart_is_no_duplicate(small):
    images = small.images.copy()
    images[1] = images[0]
    images[1, 0, 0] ^= 1
    assert find_duplicates(FerDataset(images, small.labels, small.usage, small.rows)).groups == ()


def test_leaked_mask(small):
    training = small.split("train")
    test = small.split("public_test")
    leaky = FerDataset(
        np.concatenate([test.images[:2], training.images[3:4]]), test.labels[:3], test.usage[:3], test.rows[:3]
    )
    assert leaked_mask(leaky, training).tolist() == [False, False, True]
    assert leaked_mask(test, training).shape == (7,)


def test_real_duplicates_against_plain_comparison(fer2013):
    found = find_duplicates(fer2013)
    _, inverse, counts = np.unique(fer2013.images.reshape(-1, 2304), axis=0, return_inverse=True, return_counts=True)
    assert found.faces == (counts[inverse.ravel()] > 1).sum()
    assert len(found.groups) == (counts > 1).sum()
    assert found.across_splits.sum() > 0
    assert found.differing_labels.sum() > 0
    public = fer2013.split("public_test")
    leaked = leaked_mask(public, fer2013.split("training"))
    assert 0 < leaked.sum() < len(public) / 5
