"""Tell a cut from motion: whether two small gray pictures, of scenes or of faces, show the same thing."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.types import Image

SCENE_SIZE: Final = (16, 9)
LOOK_SIZE: Final = (16, 16)
"""Width and height of the small pictures. They are compared at shifts by one pixel, so that a shaking camera or a box
that jitters changes little."""

SAME: Final = 0.45
"""Correlation from which two pictures show the same thing. In clips of 25 and 30 frames per second (a talking man,
street traffic, the sample clip), consecutive scenes have at least 0.75, and at most 0.42 at a cut. Of 272 pairs of
unrelated photos, 8 % have more than 0.45."""

SAME_FACE: Final = 0.7
TURNING: Final = 0.5
"""For faces the limit is higher, and falls by this much in each second between them, since heads turn. In these clips
faces have at least 0.76 from frame to frame, 0.58 after a fifth of a second and 0.42 after half a second. Of 6,000
pairs of different faces of UTKFace, 6 % pass after 0.04 seconds, 13 % after 0.2 and 34 % after 0.5."""

FLAT: Final = 2.0
"""Standard deviation in gray levels below which a picture, such as a black frame, shows nothing to compare."""


def scene(image: Image) -> NDArray[np.uint8]:
    """Return a `(height, width, 3)` RGB frame as `(9, 16)` gray levels."""
    height, width = image.shape[:2]
    step = max(1, min(height // (10 * SCENE_SIZE[1]), width // (10 * SCENE_SIZE[0])))  # for the speed of large frames
    small = cv2.resize(np.ascontiguousarray(image[::step, ::step]), SCENE_SIZE, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def look(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a `(48, 48)` face crop as `(16, 16)` gray levels."""
    return np.asarray(cv2.resize(crop, LOOK_SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def is_flat(picture: NDArray[np.uint8]) -> bool:
    """Return whether a small picture shows nothing to compare inside its edge."""
    return float(picture[1:-1, 1:-1].std()) < FLAT


def same_scene(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Return whether two pictures from `scene` show the same scene, whatever the light; or one is flat."""
    return _correlation(before, after) >= SAME


def same_face(before: NDArray[np.uint8], after: NDArray[np.uint8], seconds: float) -> bool:
    """Return whether two pictures from `look`, taken some seconds apart, show the same face; or one is flat."""
    return _correlation(before, after) >= max(SAME_FACE - TURNING * seconds, SAME)


def _correlation(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Return the greatest correlation at shifts by up to one pixel; 1 if there is nothing to compare."""
    if is_flat(before) or is_flat(after):
        return 1.0
    return float(cv2.matchTemplate(after, before[1:-1, 1:-1], cv2.TM_CCOEFF_NORMED).max())
