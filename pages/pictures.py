"""Pictures that the pages show, as encoded images of a size that travels fast."""

from __future__ import annotations

import io

import streamlit as st
from PIL import Image as Pillow

from fer_core.explain import OcclusionMap, occlusion_map
from fer_core.faces import draw_faces, overlay_activation
from fer_core.labels import expression_index
from fer_core.types import FaceResult, Image
from pages.common import Answer, How, Picture, answer, pixels

SHOWN_SIDE = 1400
"""Pixels; pages show no picture larger than that."""

TILE = 336
"""Pixels: seven times a crop's 48."""


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs={Picture: lambda picture: picture.key})
def annotated(picture: Picture, how: How) -> bytes:
    """Return the picture with numbered boxes, as a JPEG for the page."""
    drawn = Pillow.fromarray(draw_faces(pixels(picture), answer(picture, how).faces))
    drawn.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    return _encoded(drawn, "JPEG", quality=90)


def annotated_png(picture: Picture, given: Answer) -> bytes:
    """Return the picture in full size with numbered boxes, as a PNG to keep."""
    return _encoded(Pillow.fromarray(draw_faces(pixels(picture), given.faces)), "PNG")


def crop_tile(face: FaceResult) -> Image:
    """Return the crop that the model saw, each pixel as a square."""
    return _squares(face.crop)


def activation_tile(face: FaceResult, expression: str) -> Image:
    """Return the crop with the evidence for one expression glowing."""
    assert face.activation is not None
    return overlay_activation(face.crop, face.activation[:, :, expression_index(expression)], size=TILE)


def occlusion_tile(face: FaceResult, covered: OcclusionMap) -> Image:
    """Return the crop with the places glowing whose covering costs the expression most."""
    return overlay_activation(face.crop, covered.drop, size=TILE)


@st.cache_data(max_entries=200, show_spinner=False, hash_funcs={Picture: lambda picture: picture.key})
def occlusion(picture: Picture, how: How, number: int, expression: str) -> OcclusionMap:
    """Return the occlusion map of one face, worked out once."""
    face = answer(picture, how).faces[number - 1]
    return occlusion_map(how.analyzer().classifier, face.crop, expression, flip=how.flip)


def _squares(crop: Image) -> Image:
    import numpy as np

    factor = max(1, TILE // crop.shape[0])
    return np.repeat(np.repeat(crop, factor, axis=0), factor, axis=1)


def _encoded(picture: Pillow.Image, kind: str, **options: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()
