"""The backbones of `keras.applications`: one table of what is known about each, how they are built, what enters them.

Importing this does not import Keras; building a backbone does.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.files import home, usable_path
from fer_core.models.spec import WEIGHTS, ModelSpec
from fer_core.types import FerError, reason

if TYPE_CHECKING:
    import keras

FOLDER_VARIABLE: Final = "FER_BACKBONE_DIR"

VGGFACE2_BACKBONE: Final = "MobileNet"
VGGFACE2_FILE: Final = "mobilenet_vggface2_notop.weights.h5"  # of a network that tells the faces of VGGFace2 apart

Scale = tuple[list[float], list[float]]
"""A factor and an offset for each channel: a gray level enters the network as `factor * level + offset`."""

MINUS_ONE_TO_ONE: Final = (1 / 127.5, -1.0)
"""Factor and offset that turn gray levels into numbers from -1 to 1."""

_SIGNED: Final[Scale] = ([MINUS_ONE_TO_ONE[0]] * 3, [MINUS_ONE_TO_ONE[1]] * 3)
_IMAGENET_MEAN: Final[Scale] = ([1.0] * 3, [-103.939, -116.779, -123.68])  # blue, green, red
_UNCHANGED: Final[Scale] = ([1.0] * 3, [0.0] * 3)  # these networks scale their input themselves
_MEANS: Final = {0.485: 0.229, 0.456: 0.224, 0.406: 0.225}  # of ImageNet's channels, with their standard deviations
_STANDARDIZED: Final[Scale] = (
    [1 / (255 * deviation) for deviation in _MEANS.values()],
    [-mean / deviation for mean, deviation in _MEANS.items()],
)


@dataclass(frozen=True)
class Backbone:
    """What is known about a backbone; everything after the scale has a default that works.

    Attributes:
        scale: Keras' `preprocess_input`; a test compares the two.
        variants: its named models, of `frozen` and `modified` (the stages of the paper, sections 3.4.1 and 3.4.2).
        title: for people; empty if Keras' name is one.
        in_paper: whether it is one of the paper's four.
        size: side in pixels to which a face of FER2013, which has 48, is enlarged.
        imagenet_size: the same for its ImageNet weights; 0 for no difference.
        open_layers: last layers with weights that its `modified` model trains. Batch norm layers do not count.
        epochs: of its pretraining.
        learning_rate: the maximum of its pretraining.
        milliseconds: for a face of `size` pixels in Keras on two cores; None if it was not measured.
        served_milliseconds: for a face in LiteRT on two cores, one face at a time.
    """

    scale: Scale
    variants: tuple[str, ...] = ()
    title: str = ""
    in_paper: bool = False
    size: int = 96
    imagenet_size: int = 0
    open_layers: int = 6
    epochs: int = 20
    learning_rate: float = 1e-3
    milliseconds: float | None = None
    served_milliseconds: float = 5.0


BACKBONES: Final[dict[str, Backbone]] = {
    "MobileNetV2": Backbone(
        _SIGNED,
        ("frozen", "modified"),
        in_paper=True,
        size=96,
        imagenet_size=160,  # ImageNet's features suit larger objects
        open_layers=2,  # with weights, batch norm left out, among the last six layers, as the paper counts them
        epochs=6,  # limited by computing time, as those of the next three: their loss was still falling
        milliseconds=6.1,  # measured on all of FER2013
        served_milliseconds=2.0,
    ),
    "VGG16": Backbone(
        _IMAGENET_MEAN,
        ("frozen", "modified"),
        in_paper=True,
        size=48,
        open_layers=4,  # as above
        epochs=10,
        learning_rate=2e-4,  # it has no batch normalization and diverges at the usual rate
        milliseconds=12.0,
        served_milliseconds=13.0,
    ),
    "Xception": Backbone(
        _SIGNED,
        ("frozen",),
        in_paper=True,
        size=71,  # the minimum size that it accepts
        epochs=6,
        milliseconds=10.0,
        served_milliseconds=10.0,
    ),
    "ResNet50": Backbone(_IMAGENET_MEAN, ("frozen",), in_paper=True, size=48, epochs=8, milliseconds=6.0),
    "EfficientNetB0": Backbone(_UNCHANGED, ("frozen", "modified"), "EfficientNet-B0", size=64),
    "EfficientNetV2B0": Backbone(_UNCHANGED, ("modified",), "EfficientNetV2-B0", size=64),
    "DenseNet121": Backbone(_STANDARDIZED, ("frozen", "modified"), size=64),
    "NASNetMobile": Backbone(_SIGNED, ("frozen", "modified"), "NASNet Mobile", size=64),
    # in `mobilenet_faces`; its VGGFace2 weights saw faces of 224 pixels; a multiple of 32, because of Keras' padding
    "MobileNet": Backbone(_SIGNED, size=160),
    **dict.fromkeys(("VGG19", "ResNet101", "ResNet152"), Backbone(_IMAGENET_MEAN)),
    **dict.fromkeys(("ResNet50V2", "ResNet101V2", "ResNet152V2", "NASNetLarge"), Backbone(_SIGNED)),
    **dict.fromkeys(("InceptionV3", "InceptionResNetV2"), Backbone(_SIGNED)),
    **dict.fromkeys(("DenseNet169", "DenseNet201"), Backbone(_STANDARDIZED)),
    **{f"EfficientNetB{number}": Backbone(_UNCHANGED) for number in range(1, 8)},
    **{f"EfficientNetV2{size}": Backbone(_UNCHANGED) for size in ("B1", "B2", "B3", "S", "M", "L")},
    **{f"ConvNeXt{size}": Backbone(_UNCHANGED) for size in ("Tiny", "Small", "Base", "Large", "XLarge")},
    **dict.fromkeys(("MobileNetV3Small", "MobileNetV3Large"), Backbone(_UNCHANGED)),
}
"""All backbones of Keras, those of the named models first."""

BLUE_FIRST: Final = tuple(name for name, backbone in BACKBONES.items() if backbone.scale is _IMAGENET_MEAN)
"""Backbones whose channels are blue, green and red; those of all others are red, green and blue."""


def backbone_named(name: str) -> Backbone:
    """Return what is known about a backbone; raise a `FerError` if there is none of that name."""
    if name not in BACKBONES:
        raise FerError(f"Keras has no backbone of that name. Expected one of: {', '.join(BACKBONES)}. Received: {name}")
    return BACKBONES[name]


def build_backbone(name: str, size: int, weights: str, cut_after: str = "") -> keras.Model:
    """Build a backbone without its classification layers.

    Args:
        name: as in `keras.applications`.
        size: side of the square input in pixels.
        weights: `random`; `imagenet`: `local_file(weights_file(name))` if there is one, else Keras' download; or
            `vggface2`, for MobileNet only: the file `VGGFACE2_FILE`, which `vggface2_weights` of
            `fer_core.training.initial_weights` makes.
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
    for layer in network.layers:
        if hasattr(layer, "moving_variance"):
            # The moving averages of MobileNetV2 and NASNet need more than a thousand steps, which suits long trainings
            # on ImageNet. After a short training they would still depend on the initial weights.
            layer.momentum = min(layer.momentum, 0.99)
    if not cut_after:
        return network
    import keras

    names = [layer.name for layer in network.layers]
    if cut_after not in names:
        raise FerError(
            f"{network.name} has no layer of that name. Expected, for example, {names[-1]}. Received: {cut_after}"
        )
    return keras.Model(network.input, network.get_layer(cut_after).output, name=network.name)


def weights_file(name: str) -> str:
    """Return the name of a local file with ImageNet weights, for example `mobilenet_v2_imagenet_notop.weights.h5`."""
    backbone_named(name)
    return f"{re.sub(r'(?<=[a-z])(?=V[0-9]|ResNet)', '_', name).lower()}_imagenet_notop.weights.h5"


def pretrained_file(backbone: str, size: int, source: str) -> str:
    """Return the name of the file that `fer-lab pretrain` writes to `backbones/` in the data folder.

    `source` is one of `PRETRAINED`.
    """
    return f"{backbone.lower()}_{size}_{source}.weights.h5"


def local_file(name: str) -> Path | None:
    """Return a weights file in a folder of `FER_BACKBONE_DIR`, or in `backbones/` in the data folder; None without."""
    given = [usable_path(folder) for folder in os.environ.get(FOLDER_VARIABLE, "").split(os.pathsep) if folder]
    return next((folder / name for folder in (*given, home() / "backbones") if (folder / name).is_file()), None)


def weights_digest(network: keras.Model) -> str:
    """Return a hash of a network's weights, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for array in network.get_weights():
        digest.update(str(array.shape).encode() + array.astype("<f4").tobytes())
    return digest.hexdigest()[:16]


def _builder(name: str) -> Callable[..., Any]:
    backbone_named(name)
    import keras

    return getattr(keras.applications, name)


def input_scale(spec: ModelSpec) -> Scale:
    """Return the scale of each channel of a network; raise a `FerError` if there is no such backbone."""
    factor, offset = MINUS_ONE_TO_ONE
    return backbone_named(spec.backbone).scale if spec.backbone else ([factor], [offset])


def network_input(face: NDArray[np.uint8], spec: ModelSpec) -> NDArray[np.float32]:
    """Return what the first convolution of a network gets for a face `(48, 48)`, gray and preprocessed for the model.

    It is `(side, side, 1)` for the compact CNN, `(side, side, 3)` for a backbone.
    """
    import cv2

    side = spec.backbone_size or len(face)
    factors, offsets = (np.array(values, np.float32) for values in input_scale(spec))
    enlarged = cv2.resize(face.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged[..., None] * factors + offsets, np.float32)


def input_picture(numbers: NDArray[np.float32], spec: ModelSpec) -> NDArray[np.uint8]:
    """Return a result of `network_input` as a picture: black is the lowest number that it can hold, white the highest.

    Where the channels have different offsets, the picture has a tint, although the face was gray. It is `(side, side)`
    gray or `(side, side, 3)` RGB.
    """
    factors, offsets = (np.array(values) for values in input_scale(spec))
    low, high = offsets.min(), (255 * factors + offsets).max()
    levels = np.clip(np.rint(255 * (numbers - low) / (high - low)), 0, 255).astype(np.uint8)
    if spec.backbone in BLUE_FIRST:
        levels = levels[..., ::-1]
    return np.ascontiguousarray(levels[..., 0] if levels.shape[2] == 1 else levels)
