from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from fer_core.data import holdout_rule, training_and_holdout
from fer_core.data.fer2013_rows import known_rows, with_rows
from fer_core.data.holdout import DRAWN, LISTED
from fer_core.types import FerError
from tests.data.conftest import make_dataset


def test_other_faces_are_drawn_by_class_from_training_only(small):
    dataset = replace(make_dataset(2100), rows=np.arange(2100) + 40_000)
    kept, held = training_and_holdout(dataset)
    assert (len(kept), len(held)) == (630, 70)
    assert np.bincount(held.labels).tolist() == [10] * 7
    assert sorted([*kept.rows, *held.rows]) == dataset.split("train").rows.tolist()
    assert (np.diff(held.rows) > 0).all()
    np.testing.assert_array_equal(training_and_holdout(dataset.split("train"))[1].rows, held.rows)
    assert holdout_rule(dataset.split("train")) == DRAWN
    with pytest.raises(FerError, match="7 Training faces are too few to hold out a tenth"):
        training_and_holdout(small)


def test_copies_stay_on_one_side():
    dataset = replace(make_dataset(2100), rows=np.arange(2100) + 40_000)
    images = dataset.images.copy()
    images[700:1400] = images[:700]  # every third face of Training has a copy in it
    kept, held = training_and_holdout(replace(dataset, images=images))
    assert len(held)
    assert not set(kept.ids) & set(held.ids)


def test_real_holdout(fer2013):
    """The list is the stratified tenth of scikit-learn without the faces that have a copy in the rest."""
    kept, held = training_and_holdout(fer2013)
    assert (len(kept), len(held)) == (26_040, 2_669)
    assert held.counts().loc["Training"].tolist() == [380, 34, 371, 694, 472, 232, 486]
    assert not set(kept.ids) & set(held.ids)
    training = fer2013.split("training")
    rest, tenth = train_test_split(np.arange(len(training)), test_size=0.1, stratify=training.labels, random_state=2013)
    others = {face.tobytes() for face in training.images[rest]}
    expected = [row for row in sorted(tenth) if training.images[row].tobytes() not in others]
    assert known_rows().holdout.tolist() == expected == held.rows.tolist()
    assert holdout_rule(training) == LISTED


def test_a_part_of_fer2013_keeps_its_holdout_and_other_faces_are_not_on_the_list(fer2013):
    part = fer2013.subset(np.arange(3, len(fer2013), 7))
    whole = set(training_and_holdout(fer2013)[1].rows.tolist())
    kept, held = training_and_holdout(part)
    assert set(held.rows.tolist()) == whole & set(part.rows.tolist())
    assert not whole & set(kept.rows.tolist())
    training = fer2013.split("training").subset(np.arange(3000))
    mirrored = replace(training, images=np.ascontiguousarray(training.images[:, :, ::-1]))
    assert holdout_rule(with_rows(mirrored)) == DRAWN
