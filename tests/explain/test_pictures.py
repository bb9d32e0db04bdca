from __future__ import annotations

import io

import numpy as np
from PIL import Image

from fer_core.explain import annotated_jpeg, annotated_png, enlarged_pixels
from fer_core.faces import draw_faces


def test_page_gets_a_small_jpeg_and_the_reader_the_full_png(picture):
    shown = Image.open(io.BytesIO(annotated_jpeg(np.repeat(picture, 10, axis=1), [], side=500)))
    assert shown.format == "JPEG"
    assert max(shown.size) == 500
    large = np.repeat(np.repeat(picture, 3, axis=0), 3, axis=1)
    kept = Image.open(io.BytesIO(annotated_png(large, [])))
    np.testing.assert_array_equal(np.asarray(kept), draw_faces(large, []))


def test_each_pixel_becomes_a_square():
    crop = np.arange(48 * 48, dtype=np.int64).reshape(48, 48).astype(np.uint8)
    tile = enlarged_pixels(crop, 336)
    assert tile.shape == (336, 336)
    np.testing.assert_array_equal(tile[3::7, 3::7], crop)
    np.testing.assert_array_equal(enlarged_pixels(crop, 20), crop)
