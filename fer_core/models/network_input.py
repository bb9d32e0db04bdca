"""What enters a network: size, channels and scale of the numbers. Nothing here imports Keras."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.models.backbones import BLUE_FIRST, MINUS_ONE_TO_ONE, Scale, backbone_named
from fer_core.models.spec import ModelSpec


def input_scale(spec: ModelSpec) -> Scale:
    """Return the scale of each channel of a network.

    Raises:
        FerError: there is no such backbone.
    """
    if spec.backbone:
        return backbone_named(spec.backbone).scale
    factor, offset = MINUS_ONE_TO_ONE
    return [factor], [offset]


def network_input(face: NDArray[np.uint8], spec: ModelSpec) -> NDArray[np.float32]:
    """Return what the first convolution of a network gets for a face.

    Args:
        face: `(48, 48)` uint8 gray, after the model's preprocessing.
        spec: of the network.

    Returns:
        `(side, side, 1)` for the compact CNN, `(side, side, 3)` for a backbone.
    """
    side = spec.backbone_size or len(face)
    factors, offsets = (np.array(values, np.float32) for values in input_scale(spec))
    enlarged = cv2.resize(face.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged[..., None] * factors + offsets, np.float32)


def input_picture(numbers: NDArray[np.float32], spec: ModelSpec) -> NDArray[np.uint8]:
    """Return a network's input as a picture: black is the lowest number that it can hold, white the highest.

    Where the channels have different offsets, the picture has a tint, although the face was gray.

    Args:
        numbers: from `network_input`.
        spec: of the same network.

    Returns:
        `(side, side)` gray or `(side, side, 3)` RGB, uint8.
    """
    factors, offsets = (np.array(values) for values in input_scale(spec))
    low, high = offsets.min(), (255 * factors + offsets).max()
    levels = np.clip(np.rint(255 * (numbers - low) / (high - low)), 0, 255).astype(np.uint8)
    if spec.backbone in BLUE_FIRST:
        levels = levels[..., ::-1]
    return np.ascontiguousarray(levels[..., 0] if levels.shape[2] == 1 else levels)
