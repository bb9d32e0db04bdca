"""Boxes and labels drawn into pictures."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageColor

from fer_core.faces import (
    annotated_jpeg,
    annotated_png,
    crop_face,
    draw_faces,
    enlarged_pixels,
)
from fer_core.labels import COLORS, EXPRESSIONS
from fer_core.types import Face, FaceResult, FerError, Image

from .scenes import wall


def result(image: Image, box: tuple[float, float, float, float], expression: str = "happy") -> FaceResult:
    face = Face(box, 0.9)
    probabilities = np.full(7, 0.01, np.float32)
    probabilities[EXPRESSIONS.index(expression)] = 0.94
    crop, transform = crop_face(image, face)
    return FaceResult(face, crop, transform, probabilities)


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


def test_a_model_that_is_not_sure_says_so_in_no_expressions_colour() -> None:
    photo = wall(640, 480)
    sure = result(photo, (200, 150, 120, 160), "surprise")
    at_the_threshold, below_it = (replace(sure, not_sure_below=value) for value in (sure.confidence, 0.95))
    assert (at_the_threshold.answer, below_it.answer) == ("surprise", "not sure")
    assert below_it.as_dict() == sure.as_dict()  # files always have the most probable expression
    np.testing.assert_array_equal(draw_faces(photo, [at_the_threshold]), draw_faces(photo, [sure]))
    drawn = draw_faces(photo, [below_it])
    assert not (drawn == ImageColor.getrgb(COLORS["surprise"])).all(axis=2).any()
    assert (drawn == 255).all(axis=2)[115:150, 200:260].mean() > 0.3  # the label's plate is white


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
    assert draw_faces(tiny, one, enlarge=False).shape == (48, 48, 3)
    assert draw_faces(wall(1200, 800), one, largest=600).shape == (400, 600, 3)
    assert draw_faces(wall(400, 600), one, largest=600).shape == (600, 400, 3)
    assert draw_faces(wall(1, 1), [], enlarge=False).shape == (1, 1, 3)
    with pytest.raises(FerError, match="RGB"):
        draw_faces(tiny[:, :, 0], one)


def test_neighbours_do_not_cover_each_other() -> None:
    photo = wall(800, 600)
    boxes = [(100 + 110 * column, 200 + 150 * row, 80.0, 100.0) for row in (0, 1) for column in range(5)]
    drawn = draw_faces(photo, [result(photo, box, "sad") for box in boxes])
    for x, y, width, height in boxes:
        inside = np.s_[int(y) + 12 : int(y + height) - 12, int(x) + 12 : int(x + width) - 12]
        np.testing.assert_array_equal(drawn[inside], photo[inside])


def test_numbers_in_the_labels_may_be_given() -> None:
    photo = wall(640, 480)
    faces = [result(photo, (100, 150, 120, 160)), result(photo, (400, 150, 120, 160))]
    np.testing.assert_array_equal(draw_faces(photo, faces), draw_faces(photo, faces, numbers=[1, 2]))
    assert not np.array_equal(draw_faces(photo, faces), draw_faces(photo, faces, numbers=[7, 2]))


def test_page_gets_a_small_jpeg_and_the_download_is_a_full_png() -> None:
    photo = wall(2000, 1600)
    shown = Pillow.open(io.BytesIO(annotated_jpeg(photo, [], side=500)))
    assert shown.format == "JPEG"
    assert max(shown.size) == 500
    kept = Pillow.open(io.BytesIO(annotated_png(photo, [])))
    np.testing.assert_array_equal(np.asarray(kept), draw_faces(photo, []))


def test_each_pixel_becomes_a_square() -> None:
    crop = np.arange(48 * 48, dtype=np.int64).reshape(48, 48).astype(np.uint8)
    tile = enlarged_pixels(crop, 336)
    assert tile.shape == (336, 336)
    np.testing.assert_array_equal(tile[3::7, 3::7], crop)
    np.testing.assert_array_equal(enlarged_pixels(crop, 20), crop)
