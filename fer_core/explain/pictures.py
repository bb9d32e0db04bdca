"""Results as encoded pictures, to show on a page or to keep."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image as Pillow

from fer_core.faces import draw_faces
from fer_core.types import FaceResult, Image

SHOWN_SIDE = 1400
"""Pixels: no page shows a picture larger than that."""


def annotated_jpeg(image: Image, results: Sequence[FaceResult], side: int = SHOWN_SIDE) -> bytes:
    """Return a picture with numbered boxes as a JPEG of at most `side` pixels, quick to send to a browser."""
    drawn = Pillow.fromarray(draw_faces(image, results))
    drawn.thumbnail((side, side))
    return _encoded(drawn, "JPEG", quality=90)


def annotated_png(image: Image, results: Sequence[FaceResult]) -> bytes:
    """Return a picture in full size with numbered boxes as a PNG."""
    return _encoded(Pillow.fromarray(draw_faces(image, results)), "PNG")


def enlarged_pixels(crop: Image, size: int = 336) -> Image:
    """Return a crop about `size` pixels wide, each of its pixels a square, as the model saw it."""
    factor = max(1, size // crop.shape[1])
    return np.repeat(np.repeat(crop, factor, axis=0), factor, axis=1)


def _encoded(picture: Pillow.Image, kind: str, **options: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()
