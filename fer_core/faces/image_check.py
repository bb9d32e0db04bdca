"""The one place where a picture handed to this room is checked."""

from __future__ import annotations

import numpy as np

from fer_core.types import FerError, Image

NOT_RGB = (
    "A picture must be an RGB array of shape (height, width, 3) and type uint8: convert it first. Received: {what}"
)
NOT_GRAY_OR_RGB = (
    "A picture must be a uint8 array, gray (height, width), a stack of gray ones (n, height, width), or RGB "
    "(height, width, 3): convert it first. Received: {what}"
)


def require_rgb(image: Image) -> Image:
    """Return `image`, contiguous, if it is `(height, width, 3)` uint8 with at least one pixel.

    Raises:
        FerError: it is anything else; the message names what came.
    """
    if not _is_picture(image) or image.ndim != 3 or image.shape[2] != 3:
        raise FerError(NOT_RGB.format(what=described(image)))
    return np.ascontiguousarray(image)


def require_gray_or_rgb(image: Image) -> Image:
    """Return `image` if it is uint8 `(height, width)`, `(n, height, width)` or `(height, width, 3)`, not empty.

    Raises:
        FerError: it is anything else; the message names what came.
    """
    if not _is_picture(image) or image.ndim not in (2, 3):
        raise FerError(NOT_GRAY_OR_RGB.format(what=described(image)))
    return np.ascontiguousarray(image)


def described(value: object) -> str:
    """Return shape and type of an array, or the type's name of anything else, for an error message."""
    if isinstance(value, np.ndarray):
        return f"shape {value.shape}, {value.dtype}"
    return type(value).__name__


def _is_picture(image: object) -> bool:
    return isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.size > 0
