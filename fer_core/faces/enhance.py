"""Contrast for dark and flat faces: histogram equalisation, globally or in tiles (CLAHE).

Zuiderveld: "Contrast Limited Adaptive Histogram Equalization" (Graphics Gems IV, 1994).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from fer_core.faces.image_check import require_gray_or_rgb
from fer_core.types import FerError, Image


def equalize_histogram(image: Image) -> Image:
    """Return a picture whose gray levels are spread evenly over 0 to 255.

    Args:
        image: uint8, gray `(height, width)`, a stack of gray ones `(n, height, width)`, or RGB `(height, width, 3)`,
            of which only the luminance changes. A last axis of 3 means RGB.

    Returns:
        Shape and type of `image`.

    Raises:
        FerError: the array is none of these.
    """
    return _on_gray(image, cv2.equalizeHist)


def clahe(image: Image, clip_limit: float = 2.0, tiles: int = 4) -> Image:
    """Return a picture with the contrast of each of its regions raised, but no more than the limit.

    Args:
        image: as for `equalize_histogram`.
        clip_limit: how far a histogram bin may exceed the mean before it is cut; higher is stronger.
        tiles: regions a side; 4 makes 12 x 12 pixels of a FER2013 face.

    Returns:
        Shape and type of `image`.

    Raises:
        FerError: the array is none of these, or a setting is not positive.
    """
    if not clip_limit > 0 or tiles < 1:
        raise FerError(
            f"CLAHE needs a clip limit above 0 and at least one tile a side. Received: {clip_limit}, {tiles}"
        )
    return _on_gray(image, cv2.createCLAHE(clip_limit, (tiles, tiles)).apply)


def _on_gray(image: Image, change: Callable[[Image], Image]) -> Image:
    image = require_gray_or_rgb(image)
    if image.ndim == 2:
        return np.asarray(change(image))
    if image.shape[2] != 3:
        return np.stack([change(face) for face in image])
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    luma[:, :, 0] = change(np.ascontiguousarray(luma[:, :, 0]))
    return np.asarray(cv2.cvtColor(luma, cv2.COLOR_YCrCb2RGB))
