"""The steps of face detection on a photo, a gray face, and a picture without a face."""

import numpy as np
import pytest

from fer_core.faces import crop_face, detection_stages, marked_faces
from fer_core.types import Face, FerError


def test_a_photo_is_marked_and_its_largest_face_cropped(portrait, yunet):
    face = yunet.detect(portrait)[0]
    stages = detection_stages(portrait, yunet)
    assert stages.faces == 1
    np.testing.assert_array_equal(stages.gray, crop_face(portrait, face)[0])
    assert stages.before.shape == stages.marked.shape == (384, 384, 3)
    assert stages.upright.shape == (192, 192, 3)
    luma = stages.upright.astype(float) @ (0.299, 0.587, 0.114)
    small = luma.reshape(48, 4, 48, 4).mean(axis=(1, 3))
    assert np.abs(small - stages.gray).mean() < 3  # the same crop, with four times the pixels


def test_a_gray_face_and_a_picture_without_a_face(fer2013, yunet):
    small = detection_stages(fer2013.images[0], yunet)
    assert small.gray.shape == (48, 48)
    np.testing.assert_array_equal(small.before, fer2013.images[0])
    nothing = detection_stages(np.full((30, 60), 90, np.uint8), yunet)
    assert (nothing.faces, nothing.upright, nothing.gray) == (0, None, None)
    assert nothing.marked.shape == (192, 384, 3)
    assert np.ptp(nothing.marked) == 0
    with pytest.raises(FerError):
        detection_stages(np.zeros((4, 4, 2), np.uint8), yunet)


def test_landmarks_and_box_are_where_the_face_is():
    image = np.zeros((100, 200, 3), np.uint8)
    points = np.array([[60, 40], [80, 40], [70, 50], [62, 60], [78, 60]], np.float32)
    drawn = marked_faces(image, [Face((50, 20, 40, 50), 0.9, points)])
    yellow = (drawn[..., 0] > 200) & (drawn[..., 2] < 120)
    scale = 384 / 200
    for x, y in points * scale:
        assert yellow[round(y), round(x)]
    rows, columns = np.nonzero(yellow)
    assert columns.min() / scale == pytest.approx(50, abs=2)
    assert columns.max() / scale == pytest.approx(90, abs=2)
    assert rows.min() / scale == pytest.approx(20, abs=2)
    assert rows.max() / scale == pytest.approx(70, abs=2)
    assert not image.any()
