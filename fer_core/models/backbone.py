"""The backbones of `keras.applications`: their own preprocessing, their weights, and what is told where these lack."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.types import FerError

if TYPE_CHECKING:
    import keras

FOLDER_VARIABLE: Final = "FER_BACKBONE_DIR"

BACKBONE_SIZES: Final = {
    "VGG16": 48,
    "ResNet50": 48,
    "MobileNetV2": 96,  # the smallest that its ImageNet weights come for
    "Xception": 71,  # the smallest that it takes
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
    "DenseNet121": 64,
    "NASNetMobile": 64,
}
"""Side in pixels that the backbones of the named variants see; a FER2013 face has 48."""

DEFAULT_SIZE: Final = 96
"""For any other application."""

SOON: Final = 0.99
"""Highest momentum of batch normalisation's moving averages."""


def backbone_names() -> list[str]:
    """Return the names of all backbones that Keras offers, those of the named variants first."""
    import keras

    others = [name for name in dir(keras.applications) if name[0].isupper() and name not in BACKBONE_SIZES]
    return [*BACKBONE_SIZES, *others]


def build_backbone(name: str, size: int, weights: str) -> keras.Model:
    """Build an application without its top.

    Args:
        name: as in `keras.applications`.
        size: side of the square input in pixels.
        weights: `imagenet`: the file `<keras' name>_imagenet_notop.weights.h5` in the folder that the environment
            variable `FER_BACKBONE_DIR` names, else Keras' own download, kept in its cache; or `random`.

    Returns:
        A model from `(batch, size, size, 3)`, preprocessed as the application wants it, to
        `(batch, rows, columns, channels)`.

    Raises:
        FerError: there is no such application, the size is too small for it, or the weights cannot be had.
    """
    builder = _builder(name)
    if weights not in {"imagenet", "random"}:
        raise FerError(f"Unknown backbone weights. Expected imagenet or random. Received: {weights}")
    settings: dict[str, Any] = {"include_top": False, "input_shape": (size, size, 3)}
    try:
        network = builder(**settings, weights=None)
    except ValueError as error:
        raise FerError(f"{name} cannot take faces enlarged to {size} pixels ({_first_line(error)}).") from error
    if weights == "random":
        return _follows_soon(network)
    local = local_file(weights_file(name))
    try:
        if local is None:
            return _follows_soon(builder(**settings, weights="imagenet"))
        network.load_weights(local)
    except Exception as error:  # Keras raises a bare Exception where a download fails
        reason = f"{local} cannot be read" if local is not None else "they could not be downloaded"
        raise FerError(
            f"The ImageNet weights of {name} are not at hand: {reason} ({_first_line(error)}). Connect to the "
            f"internet once, or set {FOLDER_VARIABLE} to a folder that holds {weights_file(name)}."
        ) from error
    return _follows_soon(network)


def _follows_soon(network: keras.Model) -> keras.Model:
    """Let batch normalisation's moving averages follow within a hundred steps.

    MobileNetV2's and NASNet's take more than a thousand, for ImageNet's long trainings; after a short one they would
    still hold the random start, and the network, right while it trains, would be blind when it serves.
    """
    for layer in network.layers:
        if hasattr(layer, "moving_variance"):
            layer.momentum = min(layer.momentum, SOON)
    return network


def preprocessing(name: str) -> tuple[list[float], list[float]]:
    """Return an application's own `preprocess_input` as three factors and three offsets, one a channel.

    All of them are affine in each channel, and a gray face has three equal channels, so that black and white tell all.

    Raises:
        FerError: there is no such application.
    """
    preprocess = sys.modules[_builder(name).__module__].preprocess_input
    black, white = (_as_list(preprocess(np.full((1, 1, 1, 3), level))) for level in (0.0, 255.0))
    return [(w - b) / 255 for w, b in zip(white, black, strict=True)], black


def weights_file(name: str) -> str:
    """Return the name of an application's local file of ImageNet weights, as `mobilenet_v2_imagenet_notop.weights.h5`.

    Raises:
        FerError: there is no such application.
    """
    module = _builder(name).__module__.rsplit(".", 1)[-1]
    stem = module if module.replace("_", "") == name.lower() else re.sub(r"(?<=[a-z])(?=V\d)", "_", name).lower()
    return f"{stem}_imagenet_notop.weights.h5"


def pretrained_file(backbone: str, size: int) -> str:
    """Return the name under which `python -m fer_core pretrain` keeps a backbone, in the data folder's `backbones/`."""
    return f"{backbone.lower()}_{size}_utkface.weights.h5"


def local_file(name: str) -> Path | None:
    """Return a weights file of the folder that `FER_BACKBONE_DIR` names; None without it."""
    folder = os.environ.get(FOLDER_VARIABLE)
    path = Path(folder).expanduser() / name if folder else None
    return path if path is not None and path.is_file() else None


def weights_digest(network: keras.Model) -> str:
    """Return a hash (16 hex digits) of a network's weights in their order, whichever file they came from."""
    digest = hashlib.sha256()
    for array in network.get_weights():
        digest.update(str(array.shape).encode() + array.astype("<f4").tobytes())
    return digest.hexdigest()[:16]


def _builder(name: str) -> Callable[..., Any]:
    import keras

    builder = getattr(keras.applications, name, None) if name[:1].isupper() else None
    if builder is None:
        raise FerError(
            f"Keras has no application of that name. Expected one of: {', '.join(backbone_names())}. Received: {name}"
        )
    return builder


def _as_list(pixel: NDArray[np.float64]) -> list[float]:
    return [float(value) for value in np.asarray(pixel).reshape(3)]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
