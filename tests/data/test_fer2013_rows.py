"""Rows of FER2013 found by pixels, also after JPEG, and only those."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_core.data import load_fer2013, pixel_hashes, training_and_holdout
from fer_core.data.fer2013_rows import BITS, MAX_DIFFERENT_BITS, find_rows, is_row, known_rows, signatures
from tests.data.conftest import make_dataset


def jpeg(faces, quality):
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return np.stack([cv2.imdecode(cv2.imencode(".jpg", face, settings)[1], cv2.IMREAD_GRAYSCALE) for face in faces])


def test_signatures_are_the_signs_of_the_cosine_transform():
    """Against OpenCV's transform of one face."""
    (face,) = make_dataset(1).images
    waves = cv2.dct(face.astype(np.float32))[:12, :12].ravel()[1 : BITS + 1]
    np.testing.assert_array_equal(np.unpackbits(signatures(face[None])[0]), waves > 0)


def test_faces_of_other_datasets_have_no_row():
    assert (find_rows(make_dataset(200).images) == -1).all()
    assert len(find_rows(np.zeros((0, 48, 48), np.uint8))) == 0


def test_a_row_beyond_the_file_is_no_row():
    images = make_dataset(2).images
    assert is_row(images, np.array([40_000, 3])).tolist() == [False, False]


def test_the_file_has_the_signatures_of_fer2013(fer2013):
    np.testing.assert_array_equal(signatures(fer2013.images), known_rows().signatures)


@pytest.mark.parametrize("quality", [50, 95])
def test_shuffled_jpegs_get_their_rows(fer2013, quality):
    chosen = np.random.default_rng(quality).permutation(len(fer2013))[:1500]
    faces = fer2013.images[chosen]
    pressed = jpeg(faces, quality)
    rows = find_rows(pressed)
    same = (fer2013.images[rows] == faces).all(axis=(1, 2))  # a copy has another row, but the same pixels
    assert (rows >= 0).mean() > 0.999
    assert same.mean() > 0.99
    assert is_row(pressed, chosen).mean() > 0.999
    assert len(set(rows[rows >= 0].tolist())) > 0.995 * len(chosen)
    different = np.bitwise_count(signatures(pressed) ^ known_rows().signatures[chosen]).sum(axis=1)
    assert np.median(different) < MAX_DIFFERENT_BITS / 4


def test_the_edition_with_image_folders_has_rows_and_the_same_holdout(
    fer2013, home, tmp_path, monkeypatch, write_image_edition
):
    part = fer2013.subset(np.arange(0, len(fer2013), 20))
    monkeypatch.setenv("FER2013_PATH", str(write_image_edition(part)))
    found = load_fer2013()
    same = (fer2013.images[found.rows] == found.images).all(axis=(1, 2))
    assert same.mean() > 0.995  # the others are mistaken for a picture that one cannot tell from them
    held, expected = (set(pixel_hashes(training_and_holdout(faces)[1])) for faces in (found, part))
    assert len(held & expected) > 0.98 * len(held | expected)
