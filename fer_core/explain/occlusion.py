"""Occlusion sensitivity: cover each part of a face in turn and measure how much the prediction drops.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2. It only needs
predictions, so it works with any classifier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.inference import Classifier
from fer_core.labels import EXPRESSIONS, expression_index
from fer_core.types import Image

PATCH = 14
"""Pixels of a 48-pixel crop: about the size of an eye with its brow."""

STRIDE = 4
"""Pixels between positions: 13 x 13 of them on a 48-pixel crop."""


@dataclass(frozen=True, eq=False)
class OcclusionMap:
    """The drop of one expression's probability when each part of a face is covered.

    Attributes:
        expression: the expression's name.
        probability: its probability for the uncovered face.
        drop: `(rows, columns)` float32, evenly spread over the crop: `probability` minus the probability with this
            place covered. Negative where covering makes the expression more probable.
    """

    expression: str
    probability: float
    drop: NDArray[np.float32]


def occlusion_map(
    classifier: Classifier,
    crop: Image,
    expression: str | None = None,
    patch: int = PATCH,
    stride: int = STRIDE,
    flip: bool = False,
) -> OcclusionMap:
    """Slide a gray patch over a face crop and record the drop of an expression's probability.

    The patch's centre moves from border to border, so that every place is covered equally often.

    Args:
        classifier: the model to explain.
        crop: `(height, width)` uint8 gray, framed like FER2013's faces.
        expression: one of the seven; by default the predicted one.
        patch: side of the patch in pixels.
        stride: maximum distance in pixels between neighbouring positions.
        flip: average with the mirror image, if the prediction to explain was made this way.

    Raises:
        ValueError: the crop is not gray uint8, patch or stride is not positive, or the expression is unknown.
    """
    if crop.ndim != 2 or crop.dtype != np.uint8:
        raise ValueError(f"Expected a gray uint8 crop (height, width). Received: {crop.dtype} {crop.shape}")
    if patch < 1 or stride < 1:
        raise ValueError(f"Expected a patch and a stride of at least 1 pixel. Received: {patch}, {stride}")
    height, width = crop.shape
    rows, columns = _centers(height, stride), _centers(width, stride)
    gray = round(float(crop.mean()))
    faces = np.repeat(crop[None], 1 + len(rows) * len(columns), axis=0)  # (1 + positions, height, width)
    for face, (row, column) in zip(faces[1:], ((r, c) for r in rows for c in columns), strict=True):
        face[_reach(row, patch), _reach(column, patch)] = gray
    probabilities = classifier.predict(faces, flip=flip).probabilities  # (1 + positions, 7)
    index = int(probabilities[0].argmax()) if expression is None else expression_index(expression)
    uncovered = probabilities[0, index]
    drop = (uncovered - probabilities[1:, index]).reshape(len(rows), len(columns))
    return OcclusionMap(EXPRESSIONS[index], float(uncovered), drop.astype(np.float32))


def _centers(length: int, stride: int) -> NDArray[np.float64]:
    """Return the centres of cells about `stride` pixels wide that divide a side evenly."""
    count = max(1, -(-length // stride))
    return (np.arange(count) + 0.5) * length / count


def _reach(center: float, patch: int) -> slice:
    start = round(center - patch / 2)
    return slice(max(0, start), max(0, start + patch))
