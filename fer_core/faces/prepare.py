"""What some models want done to a gray face before they see it: cut closer, or its contrast raised."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces.detector import FaceDetector, default_detector
from fer_core.faces.enhance import clahe, equalize_histogram
from fer_core.types import FerError

ENLARGED: Final = 192
"""Pixels: detectors find little in a FER2013 face of 48, and nearly every face in its fourfold enlargement."""

Box = tuple[float, float, float]
"""Left, top and side of a square, as shares of a face's width."""

WHOLE: Final[Box] = (0.0, 0.0, 1.0)


def prepare_faces(faces: NDArray[np.uint8], preprocessing: str) -> NDArray[np.uint8]:
    """Return faces as a model with this preprocessing sees them.

    Args:
        faces: `(n, side, side)` uint8 gray, framed as FER2013 frames faces.
        preprocessing: `none`; `face`: cut down to the detector's box, as the paper did (its section 3.4.4);
            `equalize`: histogram equalisation; `clahe`: the same in tiles.

    Returns:
        Shape and type of `faces`.

    Raises:
        FerError: an unknown preprocessing.
    """
    if preprocessing == "none" or len(faces) == 0:
        return faces
    if preprocessing == "face":
        return cut_to_boxes(faces, face_boxes(faces))
    if preprocessing not in _CONTRAST:
        raise FerError(f"Unknown preprocessing. Expected none, face, equalize or clahe. Received: {preprocessing}")
    return np.stack([_CONTRAST[preprocessing](face) for face in faces])


def face_boxes(faces: NDArray[np.uint8], detector: FaceDetector | None = None) -> list[Box]:
    """Return the square around the largest face found in each face crop, within its frame; the whole where none is.

    Args:
        faces: `(n, side, side)` uint8 gray.
        detector: default: the best at hand.
    """
    finder = detector or default_detector()
    boxes = []
    for face in faces:
        large = cv2.resize(face, (ENLARGED, ENLARGED), interpolation=cv2.INTER_LINEAR)
        found = finder.detect(np.repeat(large[..., None], 3, axis=2), thorough=False)
        boxes.append(_square(found[0].box) if found else WHOLE)
    return boxes


def cut_to_boxes(faces: NDArray[np.uint8], boxes: list[Box]) -> NDArray[np.uint8]:
    """Return each face's square enlarged to the face's size; `faces` and `boxes` as in `face_boxes`."""
    side = faces.shape[1]
    cut = np.empty_like(faces)
    for k, (left, top, size) in enumerate(boxes):
        # a point x of the cut lies at (x + 1/2) · size + left · side − 1/2 of the face
        matrix = np.array([[size, 0, left * side + (size - 1) / 2], [0, size, top * side + (size - 1) / 2]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut[k] = cv2.warpAffine(faces[k], matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return cut


def spread_maps(maps: NDArray[np.float32], boxes: list[Box]) -> NDArray[np.float32]:
    """Put activation maps over squares back onto the whole faces; nothing speaks for anything outside a square.

    Args:
        maps: `(n, rows, columns, classes)`.
        boxes: `n` of them.

    Returns:
        The same shape; each place takes the value of the square's place nearest to it, or 0.
    """
    _, rows, columns, _ = maps.shape
    spread = np.zeros_like(maps)
    for k, (left, top, size) in enumerate(boxes):
        row = np.floor(((np.arange(rows) + 0.5) / rows - top) / size * rows).astype(int)
        column = np.floor(((np.arange(columns) + 0.5) / columns - left) / size * columns).astype(int)
        inside = ((row >= 0) & (row < rows))[:, None] & ((column >= 0) & (column < columns))
        spread[k] = maps[k][np.clip(row, 0, rows - 1)[:, None], np.clip(column, 0, columns - 1)]
        spread[k][~inside] = 0
    return spread


def _square(box: tuple[float, float, float, float]) -> Box:
    x, y, width, height = box
    size = min(max(width, height), ENLARGED)
    left = min(max(x + (width - size) / 2, 0.0), ENLARGED - size)
    top = min(max(y + (height - size) / 2, 0.0), ENLARGED - size)
    return left / ENLARGED, top / ENLARGED, size / ENLARGED


_CONTRAST: Final = {"equalize": equalize_histogram, "clahe": clahe}
