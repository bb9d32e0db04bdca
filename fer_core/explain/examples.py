"""Pictures to try: the sample portrait, edits of it, a photographer from the side, and drawings; all free to share."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from fer_core.data.images import SAMPLE_CREDIT, resized, sample_portrait
from fer_core.explain.drawings import drawings
from fer_core.explain.edits import Edits, cover_region
from fer_core.types import Face, Image

CREDIT: Final = f"{SAMPLE_CREDIT}; edited by FER Lab"
CAMERA_CREDIT: Final = "Photo by Lav Varshney, CC0 (from scikit-image)"
THUMBNAIL: Final = 144  # pixels
HEAD: Final = (slice(0, 230), slice(110, 340))  # rows and columns of the sample portrait
FACE: Final = Face((179.0, 61.0, 91.0, 116.0), 1.0)  # in the sample portrait, as YuNet finds it
MOUTH: Final = (slice(130, 162), slice(193, 246))


def _from_the_side() -> Image:
    from skimage import data

    return np.repeat(np.asarray(data.camera(), np.uint8)[:, :, None], 3, axis=2)


def _mouth_upside_down() -> Image:
    """Return the portrait with its mouth upside down, after Thompson, "Margaret Thatcher: a new illusion", 1980."""
    picture = sample_portrait().copy()
    picture[MOUTH] = picture[MOUTH][::-1]
    return picture


def _six() -> Image:
    """Return six edits of the portrait's head in two rows."""
    head = sample_portrait()[HEAD]
    edits = (Edits(), Edits(rotate=20), Edits(brightness=-45), Edits(blur=1.5), Edits(noise=10))
    turned = np.asarray(cv2.flip(head, 1), np.uint8)
    heads = [turned, *(edit.apply(head, []) for edit in edits)]
    return np.vstack([np.hstack(heads[:3]), np.hstack(heads[3:])])


EXAMPLES: Final[dict[str, tuple[Callable[[], Image], str]]] = {
    "Portrait": (sample_portrait, SAMPLE_CREDIT),
    "Six faces": (_six, CREDIT),
    "From the side": (_from_the_side, CAMERA_CREDIT),
    "Mouth covered": (lambda: cover_region(sample_portrait(), FACE, "mouth"), CREDIT),
    "Mouth upside down": (_mouth_upside_down, CREDIT),
    "Turned": (lambda: np.rot90(sample_portrait()).copy(), CREDIT),
    "Drawings": (drawings, "Drawings of the seven expressions, made by code of FER Lab"),
    "Far away": (lambda: resized(sample_portrait(), (96, 96)), CREDIT),
}
"""Title of each example, with what makes it and who is to be named beside it."""


@lru_cache(maxsize=len(EXAMPLES))
def thumbnail(title: str) -> Image:
    """Return an example's upper middle as a small square, `(144, 144, 3)` RGB uint8."""
    picture = example(title)
    height, width = picture.shape[:2]
    side = min(height, width)
    left = (width - side) // 2
    return resized(picture[:side, left : left + side], (THUMBNAIL, THUMBNAIL))


@lru_cache(maxsize=len(EXAMPLES))
def example(title: str) -> Image:
    """Return one of `EXAMPLES`, `(height, width, 3)` RGB uint8. The array must not be changed."""
    return EXAMPLES[title][0]()
