"""What enters a network: size, channels and scale of the numbers. Nothing here imports Keras."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.models.spec import ModelSpec
from fer_core.types import FerError

Scale = tuple[list[float], list[float]]
"""A factor and an offset for each channel: a gray level enters the network as `factor * level + offset`."""

MINUS_ONE_TO_ONE: Final = (1 / 127.5, -1.0)
"""Factor and offset that turn gray levels into numbers from -1 to 1."""

_SIGNED: Final[Scale] = ([MINUS_ONE_TO_ONE[0]] * 3, [MINUS_ONE_TO_ONE[1]] * 3)
_IMAGENET_MEAN: Final[Scale] = ([1.0] * 3, [-103.939, -116.779, -123.68])  # blue, green, red
_UNCHANGED: Final[Scale] = ([1.0] * 3, [0.0] * 3)  # these networks scale their input themselves
_DEVIATIONS: Final = (0.229, 0.224, 0.225)
_STANDARDIZED: Final[Scale] = (
    [1 / (255 * deviation) for deviation in _DEVIATIONS],
    [-mean / deviation for mean, deviation in zip((0.485, 0.456, 0.406), _DEVIATIONS, strict=True)],
)

BACKBONE_SCALES: Final[dict[str, Scale]] = {
    **dict.fromkeys(("VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152"), _IMAGENET_MEAN),
    **dict.fromkeys(("MobileNet", "MobileNetV2", "Xception", "InceptionV3", "InceptionResNetV2"), _SIGNED),
    **dict.fromkeys(("NASNetMobile", "NASNetLarge", "ResNet50V2", "ResNet101V2", "ResNet152V2"), _SIGNED),
    **dict.fromkeys(("DenseNet121", "DenseNet169", "DenseNet201"), _STANDARDIZED),
    **dict.fromkeys((f"EfficientNetB{size}" for size in range(8)), _UNCHANGED),
    **dict.fromkeys((f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")), _UNCHANGED),
    **dict.fromkeys((f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")), _UNCHANGED),
    **dict.fromkeys(("MobileNetV3Small", "MobileNetV3Large"), _UNCHANGED),
}
"""Keras' `preprocess_input` of all its backbones."""

BLUE_FIRST: Final = tuple(name for name, scale in BACKBONE_SCALES.items() if scale is _IMAGENET_MEAN)
"""Backbones whose channels are blue, green and red; those of all others are red, green and blue."""


def input_scale(spec: ModelSpec) -> Scale:
    """Return the scale of each channel of a network.

    Raises:
        FerError: the backbone is one that Keras got after this version.
    """
    if not spec.backbone:
        factor, offset = MINUS_ONE_TO_ONE
        return [factor], [offset]
    if spec.backbone not in BACKBONE_SCALES:
        raise FerError(
            f"The scale of this backbone's input is not known. Choose another model, or add the scale to "
            f"BACKBONE_SCALES in fer_core/models/network_input.py. Received: {spec.backbone}"
        )
    return BACKBONE_SCALES[spec.backbone]


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
