from dataclasses import replace

import cv2
import numpy as np
import pytest

from fer_core.data import load_fer2013, training_and_holdout
from fer_core.data.fer2013_rows import BITS, MAX_DIFFERENT_BITS, known_rows, signatures, twins, with_rows
from tests.data.conftest import make_dataset


def jpeg(faces, quality):
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return np.stack([cv2.imdecode(cv2.imencode(".jpg", face, settings)[1], cv2.IMREAD_GRAYSCALE) for face in faces])


def test_signatures_are_the_signs_of_the_cosine_transform():
    (face,) = make_dataset(1).images
    waves = cv2.dct(face.astype(np.float32))[:12, :12].ravel()[1 : BITS + 1]
    np.testing.assert_array_equal(np.unpackbits(signatures(face[None])[0]), waves > 0)


def test_faces_of_other_datasets_have_no_row():
    other = make_dataset(200)
    images = other.images.copy()
    images[:20] = np.arange(1, 21)[:, None, None]  # FER2013 has pictures of one gray too
    assert (with_rows(replace(other, images=images)).rows == -1).all()
    assert len(with_rows(other.subset(np.array([], int)))) == 0


def test_the_file_has_the_hashes_of_fer2013(fer2013):
    np.testing.assert_array_equal(signatures(fer2013.images), known_rows().signatures)
    np.testing.assert_array_equal(twins(fer2013), known_rows().twins)
    assert fer2013.rows.tolist() == list(range(len(fer2013)))


def test_rows_in_another_order_are_the_same_faces_with_the_same_votes(fer2013, ferplus_path):
    """Also copies with equal pixels; those with the same label and split are alike in everything, votes too."""
    order = np.random.default_rng(0).permutation(len(fer2013))
    shuffled = fer2013.subset(order)
    rows = with_rows(replace(shuffled, rows=np.arange(len(order)))).rows
    assert sorted(rows.tolist()) == list(range(len(fer2013)))
    found = fer2013.subset(rows)
    for name in ("images", "labels", "usage"):
        assert (getattr(found, name) == getattr(shuffled, name)).all()
    assert (found.votes.votes == shuffled.votes.votes).all()
    assert (rows == order).mean() > 0.96


def test_a_copy_gets_a_row_of_its_own_split_first(fer2013):
    """What is left of FER2013 without Training: its copies in Training have other rows."""
    tests = fer2013.subset(fer2013.usage != "Training")
    assert (np.sort(with_rows(replace(tests, rows=np.full(len(tests), -1))).rows) == tests.rows).all()
    elsewhere = replace(tests.subset(np.arange(50)), usage=np.full(50, "Training"))
    assert (fer2013.images[with_rows(elsewhere).rows] == elsewhere.images).all()
    thrice = fer2013.subset(np.array([3, 3, 3]))  # more copies than FER2013 has share a row
    assert with_rows(thrice).rows.tolist() == [3, 3, 3]


@pytest.mark.parametrize("quality", [50, 95])
def test_shuffled_jpegs_get_their_rows(fer2013, quality):
    chosen = np.random.default_rng(quality).permutation(len(fer2013))[:1500]
    part = fer2013.subset(chosen)
    pressed = replace(part, images=jpeg(part.images, quality))
    rows = with_rows(pressed).rows
    same = (fer2013.images[rows] == part.images).all(axis=(1, 2))  # a copy has another row, but the same pixels
    assert (rows >= 0).mean() > 0.999
    assert same.mean() > 0.99
    assert len(set(rows[rows >= 0].tolist())) > 0.995 * len(chosen)
    different = np.bitwise_count(signatures(pressed.images) ^ known_rows().signatures[chosen]).sum(axis=1)
    assert np.median(different) < MAX_DIFFERENT_BITS / 4


def test_the_edition_with_image_folders_has_rows_and_the_same_holdout(
    fer2013, home, tmp_path, monkeypatch, write_image_edition
):
    part = fer2013.subset(np.arange(0, len(fer2013), 20))
    monkeypatch.setenv("FER2013_PATH", str(write_image_edition(part)))
    found = load_fer2013()
    assert (fer2013.images[found.rows] == found.images).all()
    held, expected = (set(training_and_holdout(faces)[1].ids) for faces in (found, part))
    assert len(held & expected) > 0.98 * len(held | expected)
