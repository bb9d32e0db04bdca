"""Contrast and drawing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import ImageColor

from fer_core.faces import (
    clahe,
    crop_face,
    draw_faces,
    equalize_histogram,
    framing_transform,
    overlay_activation,
    overlay_on_face,
)
from fer_core.labels import COLORS, EXPRESSIONS
from fer_core.types import Face, FaceResult, FerError, Image

from .scenes import wall

RNG = np.random.default_rng(0)
DARK_FACE = RNG.integers(20, 60, (48, 48), dtype=np.uint8)


def result(image: Image, box: tuple[float, float, float, float], expression: str = "happy") -> FaceResult:
    face = Face(box, 0.9)
    probabilities = np.full(7, 0.01, np.float32)
    probabilities[EXPRESSIONS.index(expression)] = 0.94
    crop, transform = crop_face(image, face)
    return FaceResult(face, crop, transform, probabilities)


@pytest.mark.parametrize("enhance", [equalize_histogram, clahe])
def test_enhancing_raises_contrast_and_keeps_shape(enhance: Callable[[Image], Image]) -> None:
    enhanced = enhance(DARK_FACE)
    assert enhanced.dtype == np.uint8
    assert enhanced.shape == (48, 48)
    assert enhanced.std() > DARK_FACE.std()
    stack = np.stack([DARK_FACE, DARK_FACE[::-1]])
    np.testing.assert_array_equal(enhance(stack)[0], enhanced)
    rgb = np.repeat(DARK_FACE[:, :, None], 3, axis=2)
    assert np.abs(enhance(rgb).astype(int) - enhanced[:, :, None]).max() <= 2
    assert enhance(np.zeros((1, 1), np.uint8)).shape == (1, 1)


def test_equalised_levels_are_evenly_spread() -> None:
    levels = equalize_histogram(DARK_FACE).ravel() / 255
    assert np.abs(np.quantile(levels, [0.25, 0.5, 0.75]) - [0.25, 0.5, 0.75]).max() < 0.05


@pytest.mark.parametrize("bad", [DARK_FACE / 255.0, np.zeros((2, 2, 2, 2), np.uint8), np.zeros((0, 3), np.uint8), 7])
def test_enhancing_refuses_other_arrays(bad: Image) -> None:
    with pytest.raises(FerError, match="Received: "):
        equalize_histogram(bad)
    with pytest.raises(FerError, match="clip limit"):
        clahe(DARK_FACE, clip_limit=0)


def test_box_and_label_show_in_the_expressions_colour() -> None:
    photo = wall(640, 480)
    before = photo.copy()
    drawn = draw_faces(photo, [result(photo, (200, 150, 120, 160), "surprise")])
    np.testing.assert_array_equal(photo, before)
    assert drawn.shape == photo.shape
    color = ImageColor.getrgb(COLORS["surprise"])
    painted = (drawn == color).all(axis=2)
    assert painted[150:310, 198:208].any(axis=1).mean() > 0.9  # the box's left line
    assert painted[115:150, 200:300].mean() > 0.3  # the label's plate above it
    np.testing.assert_array_equal(drawn[200:260, 230:290], photo[200:260, 230:290])  # the face stays free


@pytest.mark.parametrize("box", [(-50, -60, 90, 110), (600, 440, 90, 100), (0, 0, 640, 480), (300, 200, 0.5, 0.5)])
@pytest.mark.parametrize("expression", ["disgust", "surprise"])
def test_labels_stay_inside_and_nothing_crashes(box: tuple[float, float, float, float], expression: str) -> None:
    photo = wall(640, 480)
    drawn = draw_faces(photo, [result(photo, box, expression)])
    plate = (drawn == ImageColor.getrgb(COLORS[expression])).all(axis=2)
    assert drawn.shape == photo.shape
    assert plate.sum() > 500


def test_small_pictures_are_enlarged_unless_told_otherwise() -> None:
    tiny = wall(48, 48)
    one = [result(tiny, (5, 0, 37, 48))]
    assert draw_faces(tiny, one).shape == (320, 320, 3)
    assert draw_faces(tiny, one, scale=1).shape == (48, 48, 3)
    assert draw_faces(tiny, one, scale=2.5).shape == (120, 120, 3)
    assert draw_faces(wall(1, 1), [], scale=1).shape == (1, 1, 3)
    with pytest.raises(FerError, match="scale"):
        draw_faces(tiny, one, scale=0)
    with pytest.raises(FerError, match="RGB"):
        draw_faces(tiny[:, :, 0], one)


def test_neighbours_do_not_cover_each_other() -> None:
    photo = wall(800, 600)
    boxes = [(100 + 110 * column, 200 + 150 * row, 80.0, 100.0) for row in (0, 1) for column in range(5)]
    drawn = draw_faces(photo, [result(photo, box, "sad") for box in boxes])
    for x, y, width, height in boxes:
        inside = np.s_[int(y) + 12 : int(y + height) - 12, int(x) + 12 : int(x + width) - 12]
        np.testing.assert_array_equal(drawn[inside], photo[inside])


def test_only_positive_evidence_glows() -> None:
    crop = np.full((48, 48), 100, np.uint8)
    evidence = np.zeros((6, 6), np.float32)
    evidence[4, 4], evidence[1, 1] = 2.0, -5.0
    overlay = overlay_activation(crop, evidence)
    assert overlay.shape == (240, 240, 3)
    assert overlay.dtype == np.uint8
    assert (overlay[:100, :100] == 100).all()
    assert overlay[180, 180].astype(int).max() > 170
    assert (overlay_activation(crop, -np.ones((3, 3))) == 100).all()
    weak = overlay_activation(crop, evidence, peak=20.0)
    assert np.abs(weak.astype(int) - 100).max() < np.abs(overlay.astype(int) - 100).max()


def test_overlay_survives_nan_and_refuses_other_shapes() -> None:
    crop = np.full((48, 40, 3), 100, np.uint8)
    assert (overlay_activation(crop, np.full((3, 3), np.nan)) == 100).all()
    assert overlay_activation(crop, np.ones((1, 1)), size=96).shape == (96, 80, 3)
    with pytest.raises(FerError, match="rows, columns"):
        overlay_activation(crop, np.ones((6, 6, 7)))
    with pytest.raises(FerError):
        overlay_activation(crop / 255.0, np.ones((3, 3)))


@pytest.mark.parametrize("tilt", [0.0, 30.0])
def test_heat_lies_on_the_face_where_the_model_saw_it(tilt: float) -> None:
    photo = np.full((480, 640, 3), 100, np.uint8)
    angle = np.radians(tilt)
    level = np.array([[-30, -30], [30, -30], [0, 0], [-20, 30], [20, 30]])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    face = Face((260.0, 160.0, 120.0, 160.0), 1.0, (level @ turn + (320, 240)).astype(np.float32))
    evidence = np.zeros((6, 6))
    evidence[1, 4] = 3.0  # above the middle, right of it, as the face sees itself
    glowing = overlay_on_face(photo, framing_transform(face), evidence)
    side = (120 / 0.77 + 160 / 1.03) / 2
    expected = np.array([1.5, -1.5]) * side / 6 @ turn + (320, 240)
    change = np.abs(glowing.astype(float) - 100).sum(axis=2)
    rows, columns = np.nonzero(change > 0.7 * change.max())
    assert np.hypot(columns.mean() - expected[0], rows.mean() - expected[1]) < 4
    np.testing.assert_array_equal(overlay_on_face(photo, framing_transform(face), -evidence), photo)


def test_heat_of_a_face_at_or_beyond_the_border() -> None:
    photo = wall(200, 100)
    for box in ((-40.0, -50.0, 60.0, 80.0), (190.0, 90.0, 60.0, 80.0), (900.0, 900.0, 60.0, 80.0)):
        assert overlay_on_face(photo, framing_transform(Face(box, 1.0)), np.ones((6, 6))).shape == photo.shape


def test_numbers_in_the_labels_may_be_given() -> None:
    photo = wall(640, 480)
    faces = [result(photo, (100, 150, 120, 160)), result(photo, (400, 150, 120, 160))]
    np.testing.assert_array_equal(draw_faces(photo, faces), draw_faces(photo, faces, numbers=[1, 2]))
    assert not np.array_equal(draw_faces(photo, faces), draw_faces(photo, faces, numbers=[7, 2]))
