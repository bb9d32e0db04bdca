"""Activation maps as heat: over a crop, and over the face in its picture."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces.framing import CROP_SIZE, Transform, invert
from fer_core.faces.image_check import require_gray_or_rgb, require_rgb
from fer_core.types import FerError, Image

SMOOTHING: Final = 0.4  # of a map cell's size, so that no cell's edge is seen
MAX_HEAT: Final = 0.65  # opacity of the strongest evidence
COLORS: Final = cv2.cvtColor(
    cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB
)
"""`(256, 1, 3)` uint8 RGB: `inferno`, whose lightness rises evenly, so that colour-blind people and gray prints keep
the order."""


def overlay_activation(
    crop: Image, activation_map: NDArray[np.floating], size: int = 240, peak: float | None = None
) -> Image:
    """Return a crop with the regions that spoke for an expression glowing over it.

    Only positive evidence shows: the stronger, the brighter and the more opaque.

    Args:
        crop: `(height, width)` gray or `(height, width, 3)` RGB, uint8.
        activation_map: `(rows, columns)` evidence for one expression, laid over the whole crop.
        size: longer side of the returned picture in pixels.
        peak: evidence shown at full strength; None: the map's own maximum. Give one value for all expressions to
            make their maps comparable.

    Returns:
        `(height, width, 3)` uint8 RGB.

    Raises:
        FerError: the crop is no picture, or the map is not two-dimensional.
    """
    crop = require_gray_or_rgb(crop)
    factor = size / max(crop.shape[:2])
    target = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
    heat = _heat(activation_map, target, peak)
    picture = cv2.resize(crop, target, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    return _blended(np.asarray(picture), heat)


def overlay_on_face(image: Image, transform: Transform, activation_map: NDArray[np.floating]) -> Image:
    """Return a copy of an image with the regions of one face glowing that spoke for an expression.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        transform: `(2, 3)` from the image to the face's 48 x 48 crop, as in `FaceResult`.
        activation_map: `(rows, columns)` evidence for one expression, laid over the whole crop.

    Returns:
        `(height, width, 3)` uint8 RGB.

    Raises:
        FerError: `image` is no RGB picture, or the map is not two-dimensional.
    """
    image = require_rgb(image).copy()
    back = invert(transform)
    edge = CROP_SIZE - 0.5
    corners = np.array([[-0.5, -0.5], [edge, -0.5], [-0.5, edge], [edge, edge]]) @ back[:, :2].T + back[:, 2]
    limit = (image.shape[1], image.shape[0])
    left, top = np.clip(np.floor(corners.min(0)), 0, limit).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)) + 1, 0, limit).astype(int)
    if right <= left or bottom <= top:
        return image
    back[:, 2] -= (left, top)
    heat = _heat(activation_map, (CROP_SIZE, CROP_SIZE))
    heat = cv2.warpAffine(heat, back, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR)
    image[top:bottom, left:right] = _blended(image[top:bottom, left:right], np.asarray(heat))
    return image


def _heat(
    activation_map: NDArray[np.floating], target: tuple[int, int], peak: float | None = None
) -> NDArray[np.float32]:
    """Return the positive evidence, 0 to 1, softly enlarged to `target` (width, height)."""
    heat = np.nan_to_num(np.asarray(activation_map, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if heat.ndim != 2 or heat.size == 0:
        raise FerError(f"An activation map must have shape (rows, columns). Received: {heat.shape}")
    strongest = float(heat.max() if peak is None else peak)
    heat = np.clip(heat / strongest, 0, 1) if strongest > 0 else np.zeros_like(heat)
    top = float(heat.max())
    cell = max(target[0] / heat.shape[1], target[1] / heat.shape[0])
    heat = cv2.resize(heat, target, interpolation=cv2.INTER_LINEAR)
    heat = cv2.GaussianBlur(heat, (0, 0), max(0.1, SMOOTHING * cell), borderType=cv2.BORDER_REPLICATE)
    return np.clip(heat * (top / max(float(heat.max()), 1e-6)), 0, 1)  # blurring lowered the peak


def _blended(picture: Image, heat: NDArray[np.float32]) -> Image:
    """Return the RGB picture with heat of the same height and width over it."""
    levels = np.round(heat * 255).astype(np.uint8)
    colors = cv2.applyColorMap(levels, COLORS)
    opacity = MAX_HEAT * heat
    return np.asarray(cv2.blendLinear(np.ascontiguousarray(picture), colors, 1 - opacity, opacity))
