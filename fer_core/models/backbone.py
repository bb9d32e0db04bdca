"""The backbones of `keras.applications`, with their preprocessing and their weights."""

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

from fer_core.files import home
from fer_core.models.network_input import BACKBONE_SCALES
from fer_core.models.spec import WEIGHTS
from fer_core.types import FerError, reason

if TYPE_CHECKING:
    import keras

FOLDER_VARIABLE: Final = "FER_BACKBONE_DIR"

BACKBONE_SIZES: Final = {
    "VGG16": 48,
    "ResNet50": 48,
    "MobileNetV2": 96,  # the minimum size of its ImageNet weights
    "MobileNet": 160,  # its VGGFace2 weights saw faces of 224 pixels; a multiple of 32, because of Keras' padding
    "Xception": 71,  # the minimum size that it accepts
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
    "DenseNet121": 64,
    "NASNetMobile": 64,
}
"""Input size in pixels of the backbones of the named models; a FER2013 face has 48."""

DEFAULT_SIZE: Final = 96
"""Input size of all other backbones."""

VGGFACE2_BACKBONE: Final = "MobileNet"
VGGFACE2_FILE: Final = "mobilenet_vggface2_notop.weights.h5"
"""Weights of a network that was trained to tell the faces of VGGFace2 apart."""

MAX_MOMENTUM: Final = 0.99
"""Of the moving averages of batch normalization."""


def backbone_names() -> list[str]:
    """Return the names of all backbones in Keras, those of the named models first."""
    import keras

    others = [name for name in dir(keras.applications) if name[0].isupper() and name not in BACKBONE_SIZES]
    return [*BACKBONE_SIZES, *others]


def build_backbone(name: str, size: int, weights: str, cut_after: str = "") -> keras.Model:
    """Build a backbone without its classification layers.

    Args:
        name: as in `keras.applications`.
        size: side of the square input in pixels.
        weights: `random`; `imagenet`: the file `weights_file(name)` in a folder of `FER_BACKBONE_DIR` (an environment
            variable, folders separated as in PATH) if there is one, else Keras' download; or `vggface2`, for MobileNet
            only: the file `VGGFACE2_FILE`, which `fer_core.training.vggface2` makes.
        cut_after: name of the layer whose output is returned; empty for the last one.

    Returns:
        A model from `(batch, size, size, 3)`, preprocessed for this backbone, to `(batch, rows, columns, channels)`.

    Raises:
        FerError: there is no such backbone, the size is too small for it, or the weights are not available.
    """
    builder = _builder(name)
    if weights not in {"imagenet", "vggface2", "random"}:
        raise FerError(f"Unknown backbone weights. Expected imagenet, vggface2 or random. Received: {weights}")
    if weights == "vggface2" and name != VGGFACE2_BACKBONE:
        raise FerError(f"Only {VGGFACE2_BACKBONE} has weights from VGGFace2. Received: {name}")
    settings: dict[str, Any] = {"include_top": False, "input_shape": (size, size, 3)}
    try:
        network = builder(**settings, weights=None)
    except ValueError as error:
        raise FerError(f"{name} cannot take faces enlarged to {size} pixels ({reason(error)}).") from error
    if weights != "random":
        file = VGGFACE2_FILE if weights == "vggface2" else weights_file(name)
        local = local_file(file)
        try:
            if local is not None:
                network.load_weights(local)
            elif weights == "vggface2":
                raise OSError("there is no such file")
            else:
                network = builder(**settings, weights="imagenet")
        except Exception as error:  # Keras raises a bare Exception where a download fails
            what = f"{local} cannot be read" if local is not None else "they could not be downloaded"
            raise FerError(
                f"The {WEIGHTS[weights]} weights of {name} are not available: {what} ({reason(error)}). Connect "
                f"to the internet once, or set {FOLDER_VARIABLE} to a folder with {file}."
            ) from error
    return _limit_momentum(_cut(network, cut_after))


def _cut(network: keras.Model, layer: str) -> keras.Model:
    """Return a backbone up to and including a layer; without a name, as it is."""
    import keras

    if not layer:
        return network
    names = [one.name for one in network.layers]
    if layer not in names:
        raise FerError(
            f"{network.name} has no layer of that name. Expected, for example, {names[-1]}. Received: {layer}"
        )
    return keras.Model(network.input, network.get_layer(layer).output, name=network.name)


def _limit_momentum(network: keras.Model) -> keras.Model:
    """Let the moving averages of batch normalization adapt within about a hundred steps.

    Those of MobileNetV2 and NASNet need more than a thousand, which suits long trainings on ImageNet. After a short
    training they would still depend on the initial weights, and inference would be wrong.
    """
    for layer in network.layers:
        if hasattr(layer, "moving_variance"):
            layer.momentum = min(layer.momentum, MAX_MOMENTUM)
    return network


def preprocessing(name: str) -> tuple[list[float], list[float]]:
    """Return the `preprocess_input` of a backbone as a factor and an offset for each of the three channels.

    Those of the named models are listed in `network_input`. All backbones have an affine function for each channel, so
    the values for black and white define the others'.

    Raises:
        FerError: there is no such backbone.
    """
    if name in BACKBONE_SCALES:
        return BACKBONE_SCALES[name]
    preprocess = sys.modules[_builder(name).__module__].preprocess_input
    black, white = (_as_list(preprocess(np.full((1, 1, 1, 3), level))) for level in (0.0, 255.0))
    return [(w - b) / 255 for w, b in zip(white, black, strict=True)], black


def weights_file(name: str) -> str:
    """Return the name of a local file with ImageNet weights, for example `mobilenet_v2_imagenet_notop.weights.h5`.

    Raises:
        FerError: there is no such backbone.
    """
    module = _builder(name).__module__.rsplit(".", 1)[-1]
    stem = module if module.replace("_", "") == name.lower() else re.sub(r"(?<=[a-z])(?=V\d)", "_", name).lower()
    return f"{stem}_imagenet_notop.weights.h5"


def pretrained_file(backbone: str, size: int) -> str:
    """Return the name of the file that `fer-lab pretrain` writes to `backbones/` in the data folder."""
    return f"{backbone.lower()}_{size}_utkface.weights.h5"


def local_file(name: str) -> Path | None:
    """Return a weights file in a folder of `FER_BACKBONE_DIR`, or in `backbones/` in the data folder; None without."""
    given = [Path(folder).expanduser() for folder in os.environ.get(FOLDER_VARIABLE, "").split(os.pathsep) if folder]
    return next((folder / name for folder in (*given, home() / "backbones") if (folder / name).is_file()), None)


def weights_digest(network: keras.Model) -> str:
    """Return a hash of a network's weights, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for array in network.get_weights():
        digest.update(str(array.shape).encode() + array.astype("<f4").tobytes())
    return digest.hexdigest()[:16]


def _builder(name: str) -> Callable[..., Any]:
    import keras

    builder = getattr(keras.applications, name, None) if name[:1].isupper() else None
    if builder is None:
        raise FerError(
            f"Keras has no backbone of that name. Expected one of: {', '.join(backbone_names())}. Received: {name}"
        )
    return builder


def _as_list(pixel: NDArray[np.float64]) -> list[float]:
    return [float(value) for value in np.asarray(pixel).reshape(3)]
