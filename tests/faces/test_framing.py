"""Geometry of the crop: what moves with the face, and what comes out upright."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from fer_core.faces import crop_face, framing_roll, framing_transform, whole_image_face
from fer_core.faces.framing import BOX_HEIGHT, BOX_WIDTH, frame_side, invert
from fer_core.types import Face, FerError

from .scenes import paste, wall

UNIT = np.array([[-0.19, -0.11], [0.18, -0.10], [0, 0.08], [-0.16, 0.25], [0.16, 0.25]])
BOX_COORDINATE = st.floats(-200, 900)
SIDE = st.floats(20, 600)
ROLL = st.floats(-180, 180)


def face_at(x: float, y: float, side: float, roll: float = 0.0) -> Face:
    """A face whose frame has this centre (in edge coordinates), side and roll.

    As detectors give it, the box is never turned: for a face nearer to lying than to standing it is wider than high.
    """
    angle = np.radians(roll)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (UNIT - [0, (UNIT[0, 1] + UNIT[1, 1]) / 2]) * side
    points[:2, 1] = 0  # level eyes
    width, height = BOX_WIDTH * side, BOX_HEIGHT * side
    if 45 < abs(roll) < 135:
        width, height = height, width
    return Face((x - width / 2, y - height / 2, width, height), 1.0, (points @ turn.T + (x, y)).astype(np.float32))


def apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.atleast_2d(points) @ transform[:, :2].T + transform[:, 2]


@given(BOX_COORDINATE, BOX_COORDINATE, SIDE, ROLL)
@example(300.0, 200.0, 150.0, 44.0)
@example(300.0, 200.0, 150.0, 46.0)
@example(300.0, 200.0, 150.0, 59.0)
@example(300.0, 200.0, 150.0, -95.0)
def test_frame_corners_land_on_crop_corners(x: float, y: float, side: float, roll: float) -> None:
    assume(abs(abs(roll) % 90 - 45) > 0.01)  # there a face changes from upright to lying
    transform = framing_transform(face_at(x, y, side, roll))
    angle = np.radians(roll)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * side @ turn.T + (x, y) - 0.5
    expected = np.array([[0, 0], [48, 0], [48, 48], [0, 48]]) - 0.5
    np.testing.assert_allclose(apply(transform, corners), expected, atol=0.05)


@given(BOX_COORDINATE, BOX_COORDINATE, SIDE, ROLL, st.integers(8, 224))
def test_transform_round_trip(x: float, y: float, side: float, roll: float, size: int) -> None:
    transform = framing_transform(face_at(x, y, side, roll), size)
    points = np.array([[0.0, 0.0], [x, y], [333.0, -21.5]])
    np.testing.assert_allclose(apply(invert(transform), apply(transform, points)), points, atol=1e-6)
    assert transform.shape == (2, 3)
    assert transform.dtype == np.float64


@given(SIDE, ROLL, st.floats(-100, 100), st.floats(-100, 100), st.floats(0.25, 4))
def test_moving_and_scaling_a_face_changes_nothing_in_the_crop(
    side: float, roll: float, dx: float, dy: float, scale: float
) -> None:
    assume(abs(abs(roll) % 90 - 45) > 0.01)  # there a face changes from upright to lying
    before, after = face_at(100, 80, side, roll), face_at(100 * scale + dx, 80 * scale + dy, side * scale, roll)
    point = np.array([110.0, 60.0])
    moved = point * scale + (dx, dy)
    np.testing.assert_allclose(
        apply(framing_transform(before), point - 0.5), apply(framing_transform(after), moved - 0.5), atol=0.02
    )


@given(ROLL)
def test_eyes_are_level_in_the_crop(roll: float) -> None:
    face = face_at(120, 90, 100, roll)
    assert face.landmarks is not None
    left, right = apply(framing_transform(face), face.landmarks[:2])
    assert left[1] == pytest.approx(right[1], abs=0.05)
    assert left[0] < right[0]


def test_side_is_the_mean_of_both_measures() -> None:
    assert frame_side(Face((0, 0, 77, 103), 1.0)) == pytest.approx(100)
    assert frame_side(Face((0, 0, 77, 206), 1.0)) == pytest.approx(150)


@pytest.mark.parametrize("roll", [75.0, 90.0, -90.0, 130.0, 180.0])
def test_steep_roll_counts_if_the_mouth_agrees(roll: float) -> None:
    assert abs(framing_roll(face_at(0, 0, 100, roll))) == pytest.approx(abs(roll), abs=0.1)


def test_steep_roll_without_a_matching_mouth_is_not_believed() -> None:
    face = face_at(0, 0, 100, 0)
    assert face.landmarks is not None
    wrong = face.landmarks.copy()
    wrong[:2] = [[0, -30], [0, 30]]
    assert framing_roll(Face(face.box, 1.0, wrong)) == 0.0


def test_close_eyes_nan_and_no_landmarks_keep_the_frame_upright() -> None:
    close = face_at(0, 0, 100).landmarks
    assert close is not None
    close[:2] = [[0, 0], [3, 9]]
    for landmarks in (None, close, np.full((5, 2), np.nan, np.float32)):
        assert framing_roll(Face((0, 0, 77, 103), 1.0, landmarks)) == 0.0


@pytest.mark.parametrize("roll", [-40, -20, 0, 25, 50, 80, 180])
def test_a_turned_picture_comes_out_upright(roll: float) -> None:
    pattern = np.full((48, 48), 40, np.uint8)
    pattern[12:18, 8:20] = 220
    pattern[12:18, 28:40] = 120
    pattern[34:40, 14:34] = 250
    smooth = cv2.GaussianBlur(pattern, (0, 0), 1.5)
    crop, _ = crop_face(paste(wall(640, 480), smooth, (300.3, 220.7, 150.0, roll)), face_at(300.3, 220.7, 150.0, roll))
    inner = np.s_[3:-3, 3:-3]
    assert np.abs(crop.astype(int) - smooth)[inner].mean() < 2.5


def test_large_faces_do_not_alias() -> None:
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[:, ::2] = 255
    crop, _ = crop_face(stripes, face_at(600, 600, 1000))
    stripes_per_pixel = 1000 / 48
    assert np.abs(crop - 127.5).max() <= 127.5 / stripes_per_pixel  # one stripe more or less under a pixel


def test_whole_image_of_48_pixels_is_itself() -> None:
    gray = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    rgb = np.repeat(gray[:, :, None], 3, axis=2)
    crop, transform = crop_face(rgb, whole_image_face(rgb))
    np.testing.assert_array_equal(crop, gray)
    np.testing.assert_allclose(transform, [[1, 0, 0], [0, 1, 0]], atol=1e-9)


def test_whole_image_of_a_large_square_is_its_area_mean() -> None:
    gray = np.random.default_rng(1).integers(0, 256, (192, 192), dtype=np.uint8)
    rgb = np.repeat(gray[:, :, None], 3, axis=2)
    crop, _ = crop_face(rgb, whole_image_face(rgb))
    means = gray.reshape(48, 4, 48, 4).mean(axis=(1, 3))
    assert np.abs(crop - means).max() <= 1


def test_whole_image_that_is_long_takes_the_centre_square() -> None:
    face = whole_image_face(np.zeros((100, 300, 3), np.uint8))
    assert frame_side(face) == pytest.approx(100)
    assert face.box[0] + face.box[2] / 2 == pytest.approx(150)
    assert frame_side(whole_image_face(np.zeros((100, 110, 3), np.uint8))) == pytest.approx(105)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), BOX_COORDINATE, BOX_COORDINATE, SIDE, ROLL)
def test_every_face_gives_a_crop(height: int, width: int, x: float, y: float, side: float, roll: float) -> None:
    image = np.full((height, width, 3), 90, np.uint8)
    crop, _ = crop_face(image, face_at(x, y, side, roll))
    assert crop.shape == (48, 48)
    assert crop.dtype == np.uint8
    assert (crop == 90).all()  # beyond the border its pixels go on


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((48, 48), np.uint8),
        np.zeros((48, 48, 4), np.uint8),
        np.zeros((48, 48, 3), np.float32),
        np.full((48, 48, 3), np.nan),
        np.zeros((0, 48, 3), np.uint8),
        [[1, 2, 3]],
        None,
    ],
)
def test_anything_but_rgb_is_refused_in_one_sentence(image: object) -> None:
    with pytest.raises(FerError, match=r"RGB array of shape .* Received: "):
        crop_face(image, face_at(20, 20, 20))  # type: ignore[arg-type]
    with pytest.raises(FerError):
        whole_image_face(image)  # type: ignore[arg-type]


def test_gray_is_itu_r_601() -> None:
    image = np.zeros((60, 60, 3), np.uint8)
    image[:] = (200, 100, 50)
    crop, _ = crop_face(image, face_at(30, 30, 40))
    assert (crop == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)).all()
