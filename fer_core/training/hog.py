"""Histograms of oriented gradients (Dalal and Triggs 2005): what faces were described by before networks."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

HOG_SETTINGS: Final[dict[str, Any]] = {
    "orientations": 9,
    "pixels_per_cell": (6, 6),  # eight cells across a face: an eye is about two of them
    "cells_per_block": (2, 2),
    "block_norm": "L2-Hys",
}
"""As `skimage.feature.hog` takes them."""


def hog_features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Describe faces by their gradients' directions.

    Args:
        images: `(n, 48, 48)` uint8 gray.

    Returns:
        `(n, 1764)` float32: 7×7 blocks of 2×2 cells of nine directions.
    """
    from skimage.feature import hog

    if len(images) == 0:
        return np.zeros((0, 1764), np.float32)
    return np.stack([hog(image, **HOG_SETTINGS).astype(np.float32) for image in images])
