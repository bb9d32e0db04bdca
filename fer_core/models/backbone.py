"""The downloaded backbones: where their ImageNet weights come from, and what is told where they cannot be had."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fer_core.types import FerError

if TYPE_CHECKING:
    import keras

FOLDER_VARIABLE: Final = "FER_BACKBONE_DIR"
MOBILENETV2_FILE: Final = "mobilenet_v2_imagenet_notop.weights.h5"


def mobilenetv2_backbone(input_size: int, weights_from: str) -> keras.Model:
    """Build MobileNetV2 (Sandler et al. 2018; width 1.0) without its top.

    Args:
        input_size: side of the square input in pixels, a multiple of 32.
        weights_from: `imagenet`: the file `mobilenet_v2_imagenet_notop.weights.h5` in the folder that the environment
            variable `FER_BACKBONE_DIR` names, else Keras' own download, kept in its cache; or `random`.

    Returns:
        A model from `(batch, input_size, input_size, 3)` in -1 to 1 to
        `(batch, input_size / 32, input_size / 32, 1280)`.

    Raises:
        FerError: the ImageNet weights cannot be had, or `weights_from` is neither of the two.
    """
    import keras

    if weights_from not in {"imagenet", "random"}:
        raise FerError(f"Unknown backbone weights. Expected imagenet or random. Received: {weights_from}")
    shape = (input_size, input_size, 3)
    if weights_from == "random":
        return keras.applications.MobileNetV2(shape, include_top=False, weights=None)
    local = local_file(MOBILENETV2_FILE)
    try:
        return keras.applications.MobileNetV2(
            shape, include_top=False, weights="imagenet" if local is None else str(local)
        )
    except Exception as error:  # Keras raises a bare Exception where a download fails
        reason = f"{local} cannot be read" if local is not None else "they could not be downloaded"
        raise FerError(
            f"The ImageNet weights of MobileNetV2 are not at hand: {reason} ({_first_line(error)}). Connect to the "
            f"internet once, or set {FOLDER_VARIABLE} to a folder that holds {MOBILENETV2_FILE}."
        ) from error


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


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
