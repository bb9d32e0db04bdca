"""Pictures that the pages show, worked out once and of a size that travels fast."""

from __future__ import annotations

import streamlit as st

from fer_core.explain import OcclusionMap, occlusion_map
from fer_core.faces import annotated_jpeg, enlarged_pixels, heatmap_on_crop, preprocess_faces
from fer_core.labels import expression_index
from fer_core.types import FaceResult, Image
from pages.parts.analysis import MINE, How, Picture, answer, pixels

TILE = 336
"""Pixels: seven times a crop's 48."""


@st.cache_data(max_entries=60, show_spinner=False, **MINE)
def annotated(picture: Picture, how: How) -> bytes:
    """Return the picture with numbered boxes, as a JPEG for the page."""
    return annotated_jpeg(pixels(picture), answer(picture, how).faces)


def seen_tile(face: FaceResult, how: How) -> Image:
    """Return the crop as the model saw it, each pixel as a square."""
    return enlarged_pixels(preprocess_faces(face.crop[None], how.preprocessing)[0], TILE)


def activation_tile(face: FaceResult, expression: str) -> Image:
    """Return the crop with the evidence for one expression glowing."""
    assert face.activation is not None
    return heatmap_on_crop(face.crop, face.activation[:, :, expression_index(expression)], size=TILE)


def occlusion_tile(face: FaceResult, covered: OcclusionMap) -> Image:
    """Return the crop with the places glowing whose covering costs the expression most."""
    return heatmap_on_crop(face.crop, covered.drop, size=TILE)


@st.cache_data(max_entries=200, show_spinner=False, **MINE)
def occlusion(picture: Picture, how: How, number: int, expression: str) -> OcclusionMap:
    """Return the occlusion map of one face, worked out once."""
    face = answer(picture, how).faces[number - 1]
    return occlusion_map(how.analyzer().classifier, face.crop, expression, flip=how.flip)
