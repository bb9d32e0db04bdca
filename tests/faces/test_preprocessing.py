from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fer_core.data import sample_portrait
from fer_core.faces import crop_face, default_detector, preprocess_faces
from fer_core.faces.framing import framing_roll
from fer_core.faces.preprocessing import WHOLE, crop_to_boxes, detect_boxes, maps_on_whole_faces
from fer_core.types import Face, FerError


def finds(*boxes):
    """A detector that finds these boxes, in pixels of the fourfold enlargement."""
    return SimpleNamespace(detect=lambda *_, **__: [Face(box, 0.9) for box in boxes])


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 256, (3, 48, 48)).astype(np.uint8)


def test_boxes_are_squares_within_the_frame(faces):
    assert detect_boxes(faces[:1], detector=finds((48, 48, 96, 96))) == [(0.25, 0.25, 0.5, 0)]
    assert detect_boxes(faces[:1], detector=finds((48, 72, 96, 48), (0, 0, 10, 10))) == [
        (0.25, 0.25, 0.5, 0)
    ]  # the largest
    assert detect_boxes(faces[:1], detector=finds((-40, 100, 96, 120))) == [
        (0.0, 72 / 192, 120 / 192, 0)
    ]  # moved inside
    assert detect_boxes(faces[:1], detector=finds((-10, -10, 300, 250))) == [WHOLE]
    assert detect_boxes(faces, detector=finds()) == [WHOLE] * 3


def test_cutting_is_resizing_the_square(faces):
    np.testing.assert_array_equal(crop_to_boxes(faces, [WHOLE] * 3), faces)
    smooth = cv2.GaussianBlur(faces[0], (0, 0), 3)
    cut = crop_to_boxes(smooth[None], [(0.25, 0.125, 0.5, 0)])[0]
    expected = cv2.resize(smooth[6:30, 12:36], (48, 48), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(cut[2:-2, 2:-2].astype(int), expected[2:-2, 2:-2], atol=1)


def test_contrast_is_raised_face_by_face(faces):
    dark = (faces // 5 + 20).astype(np.uint8)
    for name in ("equalize", "clahe"):
        enhanced = preprocess_faces(dark, name)
        assert enhanced.dtype == np.uint8
        assert enhanced.std() > dark.std()
        np.testing.assert_array_equal(enhanced[1:], preprocess_faces(dark[1:], name))
    levels = preprocess_faces(dark, "equalize")[0].ravel() / 255
    assert np.abs(np.quantile(levels, [0.25, 0.5, 0.75]) - [0.25, 0.5, 0.75]).max() < 0.05


def test_other_preprocessing_and_no_faces(faces):
    assert preprocess_faces(faces, "none") is faces
    assert preprocess_faces(faces[:0], "face").shape == (0, 48, 48)
    with pytest.raises(FerError, match="Expected none, face, aligned, equalize or clahe"):
        preprocess_faces(faces, "magic")


@pytest.mark.detector
def test_a_real_face_is_cut_closer():
    portrait = sample_portrait()
    crop, _ = crop_face(portrait, default_detector().detect(portrait)[0])
    ((left, top, size, _),) = detect_boxes(crop[None])
    assert 0.5 < size <= 1
    assert 0 <= min(left, top) <= max(left, top) <= 1 - size + 1e-9


def test_maps_lie_where_the_model_looked():
    maps = np.arange(1, 17, dtype=np.float32).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(maps_on_whole_faces(maps, [WHOLE]), maps)
    spread = maps_on_whole_faces(maps, [(0.5, 0.5, 0.5, 0)])[0, :, :, 0]  # the lower right quarter: each second place
    np.testing.assert_array_equal(spread, [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 6, 8], [0, 0, 14, 16]])


def test_a_square_is_turned_as_the_line_between_the_eyes(faces):
    angle = np.radians(20)
    landmarks = 40.0 * np.array([[0, 0], [np.cos(angle), np.sin(angle)], [0.5, 0.5], [0.2, 1], [0.8, 1]]) + 70
    for points, expected in ((landmarks, 20), (None, 0), (landmarks[[1, 0, 2, 3, 4]], 0)):  # no eyes; a wrong line
        looks = iter([Face((80, 80, 160, 160), 0.9, points), Face((80, 0, 160, 160), 0.9)])  # then higher, and level
        finds_it = SimpleNamespace(detect=lambda *_, looks=looks, **__: [next(looks)])
        ((left, top, size, roll),) = detect_boxes(faces[:1], "aligned", finds_it)
        assert roll == pytest.approx(expected, abs=1e-4)
        up = (np.sin(np.radians(expected)) / 4, -np.cos(np.radians(expected)) / 4)  # a quarter, along the turned face
        np.testing.assert_allclose((left - 0.25, top - 0.25, size), (*up, 0.5), atol=1e-6)


@pytest.mark.usefixtures("yunet_file")  # the fallback leaves such a small face unturned
@pytest.mark.parametrize("degrees", [-35, -15, 10, 25])
def test_aligned_faces_have_level_eyes(degrees):
    portrait = sample_portrait()
    face = default_detector().detect(portrait)[0]
    x, y, width, height = face.box
    centre = (x + width / 2, y + height / 2)
    tilted = cv2.warpAffine(portrait, cv2.getRotationMatrix2D(centre, -degrees, 1.0), portrait.shape[1::-1])
    crop = cv2.cvtColor(cv2.getRectSubPix(tilted, (115, 115), centre), cv2.COLOR_RGB2GRAY)
    crop = cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA)[None]
    ((*_, turned),) = detect_boxes(crop, "aligned")
    assert turned == pytest.approx(framing_roll(face) + degrees, abs=5), "as measured on the portrait, which is sharp"
    assert detect_boxes(crop)[0][3] == 0, "`face` does not turn"


def test_a_turned_map_lies_where_the_turned_square_was():
    pixels = np.random.default_rng(1).integers(0, 256, (1, 60, 60)).astype(np.uint8)
    box = (0.0, 0.0, 1.0, 90.0)
    np.testing.assert_allclose(crop_to_boxes(pixels, [box])[0].astype(int), np.rot90(pixels[0]), atol=1)
    back = maps_on_whole_faces(np.rot90(pixels[0])[None, ..., None].astype(np.float32), [box])
    np.testing.assert_array_equal(back[0, ..., 0], pixels[0])
