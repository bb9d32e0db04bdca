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
@example(300.0, 200.0, 150.0, -95.0)
def test_frame_corners_land_on_crop_corners(x, y, side, roll):
    assume(abs(abs(roll) % 90 - 45) > 0.01)  # there a face changes from upright to lying
    transform = framing_transform(face_at(x, y, side, roll))
    angle = np.radians(roll)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * side @ turn.T + (x, y) - 0.5
    expected = np.array([[0, 0], [48, 0], [48, 48], [0, 48]]) - 0.5
    np.testing.assert_allclose(apply(transform, corners), expected, atol=0.05)
    np.testing.assert_allclose(apply(invert(transform), apply(transform, corners)), corners, atol=1e-6)


def test_steep_roll_counts_only_if_the_mouth_agrees():
    for roll in (75.0, 90.0, -90.0, 130.0, 180.0):
        assert abs(framing_roll(face_at(0, 0, 100, roll))) == pytest.approx(abs(roll), abs=0.1)
    steep, close = (np.array(face_at(0, 0, 100).landmarks) for _ in range(2))
    steep[:2] = [[0, -30], [0, 30]]
    close[:2] = [[0, 0], [3, 9]]
    for points in (None, steep, close, np.full((5, 2), np.nan, np.float32)):
        assert framing_roll(Face((0, 0, 77, 103), 1.0, points)) == 0.0


@pytest.mark.parametrize("roll", [-40, -20, 0, 25, 50, 80, 180])
def test_a_turned_picture_comes_out_upright(roll):
    pattern = np.full((48, 48), 40, np.uint8)
    pattern[12:18, 8:20] = 220
    pattern[12:18, 28:40] = 120
    pattern[34:40, 14:34] = 250
    smooth = cv2.GaussianBlur(pattern, (0, 0), 1.5)
    crop, _ = crop_face(paste(wall(640, 480), smooth, (300.3, 220.7, 150.0, roll)), face_at(300.3, 220.7, 150.0, roll))
    inner = np.s_[3:-3, 3:-3]
    assert np.abs(crop.astype(int) - smooth)[inner].mean() < 2.5


def test_large_faces_do_not_alias():
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[:, ::2] = 255
    crop, _ = crop_face(stripes, face_at(600, 600, 1000))
    stripes_per_pixel = 1000 / 48
    assert np.abs(crop - 127.5).max() <= 127.5 / stripes_per_pixel  # one stripe more or less under a pixel


def test_whole_image_of_a_square_is_itself_or_its_area_mean():
    for side in (48, 192):
        gray = np.random.default_rng(side).integers(0, 256, (side, side), dtype=np.uint8)
        rgb = np.repeat(gray[:, :, None], 3, axis=2)
        crop, transform = crop_face(rgb, whole_image_face(rgb))
        means = gray.reshape(48, side // 48, 48, side // 48).mean(axis=(1, 3))
        assert np.abs(crop - means).max() <= (side > 48)
        np.testing.assert_allclose(transform[:, :2], np.eye(2) * 48 / side, atol=1e-9)


def test_side_is_the_mean_of_both_measures_and_a_long_whole_image_takes_the_centre_square():
    assert frame_side(Face((0, 0, 77, 103), 1.0)) == pytest.approx(100)
    assert frame_side(Face((0, 0, 77, 206), 1.0)) == pytest.approx(150)
    face = whole_image_face(np.zeros((100, 300, 3), np.uint8))
    assert frame_side(face) == pytest.approx(100)
    assert face.box[0] + face.box[2] / 2 == pytest.approx(150)
    assert frame_side(whole_image_face(np.zeros((100, 110, 3), np.uint8))) == pytest.approx(105)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), BOX_COORDINATE, BOX_COORDINATE, SIDE, ROLL)
def test_every_face_gives_a_crop(height, width, x, y, side, roll):
    image = np.full((height, width, 3), 90, np.uint8)
    crop, _ = crop_face(image, face_at(x, y, side, roll))
    assert crop.shape == (48, 48)
    assert crop.dtype == np.uint8
    assert (crop == 90).all()  # beyond the border its pixels go on


def test_anything_but_rgb_is_refused_in_one_sentence():
    arrays = [np.zeros((48, 48), np.uint8), np.zeros((48, 48, 4), np.uint8), np.zeros((0, 48, 3), np.uint8)]
    for image in (*arrays, np.zeros((48, 48, 3), np.float32), [[1, 2, 3]], None):
        with pytest.raises(FerError, match=r"RGB array of shape .* Received: "):
            crop_face(image, face_at(20, 20, 20))
        with pytest.raises(FerError):
            whole_image_face(image)


def test_gray_is_itu_r_601():
    image = np.full((60, 60, 3), (200, 100, 50), np.uint8)
    crop, _ = crop_face(image, face_at(30, 30, 40))
    assert (crop == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)).all()
