"""What augmentation and preprocessing make of a face, to be shown on a page. Imports no Keras."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import asdict
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from fer_core.faces import preprocess_faces
from fer_core.models import model_spec
from fer_core.models.spec import PREPROCESSINGS
from fer_core.training.augmentation import Augmentation
from fer_core.training.preview_process import PreviewProcess
from fer_core.types import FerError

MAX_DRAWS: Final = 256
NOISE: Final = "noise"
"""Key of the noisy face among the preprocessed ones: noise is added while training only, the others always."""

_SIDE, _GAP, _GAP_LEVEL = 48, 4, 128
_process = PreviewProcess()


def warm_up() -> None:
    """Start what `augmentation_draws` needs, in the background; returns at once."""
    _process.warm_up()


def augmentation_draws(
    face: NDArray[np.uint8], augmentation: Augmentation, draws: int = 16, seed: int = 0
) -> NDArray[np.uint8]:
    """Return variations of a face by the very layers of training.

    They need Keras, so they run in a helper process: the first call, and the first after three idle minutes, takes
    some five seconds, every other one some hundredths of a second.

    Args:
        face: `(48, 48)` uint8 gray.
        augmentation: how strongly faces vary.
        draws: how many, 1 to 256.
        seed: the same face, augmentation and seed give the same variations.

    Returns:
        `(draws, crop, crop)` uint8.

    Raises:
        FerError: a face of another shape or type, too many draws, or the helper process fails.
    """
    _check(face)
    if not 1 <= draws <= MAX_DRAWS:
        raise FerError(f"Expected 1 to {MAX_DRAWS} variations. Received: {draws}")
    encoded = base64.b64encode(np.ascontiguousarray(face).tobytes()).decode()
    reply = _process.ask({"face": encoded, "augmentation": asdict(augmentation), "draws": draws, "seed": seed})
    side = int(reply["side"])
    return np.frombuffer(base64.b64decode(reply["faces"]), np.uint8).reshape(draws, side, side)


def preprocessing_preview(face: NDArray[np.uint8], seed: int = 0) -> dict[str, NDArray[np.uint8]]:
    """Return a face as each preprocessing makes it, and with the noise of the paper's noise variant.

    Args:
        face: `(48, 48)` uint8 gray.
        seed: of the noise. The network gets it without the limits of 0 and 255 that a picture has.

    Returns:
        `(48, 48)` uint8 for each of `none`, `face`, `equalize`, `clahe` and `noise`.

    Raises:
        FerError: a face of another shape or type.
    """
    _check(face)
    shown = {name: preprocess_faces(face[None], name)[0] for name in PREPROCESSINGS}
    deviation = 255 * model_spec("vgg16_modified_noise").noise
    noisy = face + np.random.default_rng(seed).normal(0.0, deviation, face.shape)
    return {**shown, NOISE: np.clip(np.rint(noisy), 0, 255).astype(np.uint8)}


def augmentation_sheet(
    face: NDArray[np.uint8], augmentation: Augmentation, draws: int = 16, seed: int = 0, enlarged: int = 3
) -> bytes:
    """Return variations of a face side by side as a PNG, about as many below each other.

    Args:
        face, augmentation, draws, seed: as in `augmentation_draws`.
        enlarged: how many pixels wide each pixel is shown.

    Raises:
        FerError: as `augmentation_draws`.
    """
    faces = augmentation_draws(face, augmentation, draws, seed)
    large = faces.repeat(enlarged, axis=1).repeat(enlarged, axis=2)
    side, columns = large.shape[1], math.ceil(math.sqrt(draws))
    step = side + _GAP
    sheet = np.full((math.ceil(draws / columns) * step - _GAP, columns * step - _GAP, 2), _GAP_LEVEL, np.uint8)
    sheet[..., 1] = 0  # gaps are transparent: the page's own colour shows, light or dark
    for position, one in enumerate(large):
        top, left = position // columns * step, position % columns * step
        sheet[top : top + side, left : left + side] = np.stack([one, np.full_like(one, 255)], axis=2)
    return _png(sheet)


def preprocessing_pictures(face: NDArray[np.uint8], enlarged: int = 4) -> dict[str, bytes]:
    """Return `preprocessing_preview` as PNGs, each pixel `enlarged` pixels wide."""
    found = preprocessing_preview(face)
    return {name: _png(one.repeat(enlarged, axis=0).repeat(enlarged, axis=1)) for name, one in found.items()}


def _check(face: NDArray[np.uint8]) -> None:
    if face.shape != (_SIDE, _SIDE) or face.dtype != np.uint8:
        raise FerError(f"Expected a gray face of 48 by 48 pixels, uint8. Received: {face.shape}, {face.dtype}")


def _png(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
