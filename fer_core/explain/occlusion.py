"""Occlusion sensitivity: cover each part of a face in turn and measure how much the prediction drops.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2. It only needs
predictions, so it works with any classifier.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from fer_core.inference import Classifier
from fer_core.types import Image

PATCH = 14  # pixels of a 48-pixel crop: about the size of an eye with its brow
STRIDE = 4  # pixels between positions: 12 x 12 of them on a 48-pixel crop
NOTABLE = 0.1  # a drop of 10 points of probability; smaller ones should not be drawn as if they were large


@dataclass(frozen=True, eq=False)
class OcclusionMap:
    """The drop of each expression's probability when one part of a face after the other is covered.

    Attributes:
        probabilities: `(7,)` float32, of the uncovered face.
        drop: `(rows, columns, 7)` float32, for each position of the patch, evenly spread over the crop:
            `probabilities` minus those with the patch there. Negative where an expression becomes more probable.
    """

    probabilities: NDArray[np.float32]
    drop: NDArray[np.float32]


def occlusion_map(
    classifier: Classifier, crop: Image, patch: int = PATCH, stride: int = STRIDE, flip: bool = False
) -> OcclusionMap:
    """Slide a gray patch over a face crop and record the drop of the probabilities.

    The crop is divided evenly into cells about `stride` pixels wide, and the patch is centred once on each: by default
    12 x 12 cells of 4 x 4 pixels and a patch of 14 x 14, so 144 positions. Each value is the drop for one position and
    not an average over the overlapping patches that cover a cell, because these differ in number: along each side a
    pixel is under 3 or 4 positions, and under 2 at the border. A patch at the border sticks out and covers less, in a
    corner 9 x 9 pixels, so values there tend to be smaller.

    Args:
        classifier: the model to explain.
        crop: `(height, width)` uint8 gray, framed like FER2013's faces. The patch has its mean gray.
        patch: side of the patch in pixels.
        stride: maximum distance in pixels between neighbouring positions.
        flip: average with the mirror image, if the prediction to explain was made this way.

    Raises:
        ValueError: the crop is not gray uint8, or patch or stride is not positive.
    """
    if crop.ndim != 2 or crop.dtype != np.uint8:
        raise ValueError(f"Expected a gray uint8 crop (height, width). Received: {crop.dtype} {crop.shape}")
    if patch < 1 or stride < 1:
        raise ValueError(f"Expected a patch and a stride of at least 1 pixel. Received: {patch}, {stride}")
    height, width = crop.shape
    rows, columns = _centers(height, stride), _centers(width, stride)
    gray = round(float(crop.mean()))
    faces = np.repeat(crop[None], 1 + len(rows) * len(columns), axis=0)  # (1 + positions, height, width)
    for face, (row, column) in zip(faces[1:], product(rows, columns), strict=True):
        face[_reach(row, patch), _reach(column, patch)] = gray
    probabilities = classifier.predict(faces, flip=flip).probabilities  # (1 + positions, 7)
    drop = (probabilities[0] - probabilities[1:]).reshape(len(rows), len(columns), -1)
    return OcclusionMap(probabilities[0], drop)


def _centers(length: int, stride: int) -> NDArray[np.float64]:
    """Return the centres of cells about `stride` pixels wide that divide a side evenly."""
    count = max(1, -(-length // stride))
    return (np.arange(count) + 0.5) * length / count


def _reach(center: float, patch: int) -> slice:
    start = round(center - patch / 2)
    return slice(max(0, start), max(0, start + patch))
