"""Preprocessing of gray face crops: a closer crop, or more contrast.

CLAHE: Zuiderveld, "Contrast Limited Adaptive Histogram Equalization" (Graphics Gems IV, 1994).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces.detector import FaceDetector, default_detector
from fer_core.types import FerError

ENLARGED: Final = 192
"""Side in pixels to which crops are enlarged for detection: few faces are found at FER2013's 48, nearly all at 192."""

Box = tuple[float, float, float]  # left, top and side of a square, as shares of a crop's width
WHOLE: Final[Box] = (0.0, 0.0, 1.0)


def preprocess_faces(faces: NDArray[np.uint8], preprocessing: str) -> NDArray[np.uint8]:
    """Apply a model's preprocessing to face crops `(n, side, side)` uint8 gray, framed like FER2013's faces.

    `none` changes nothing, `face` crops to the detected face, as in the paper's section 3.4.4, `equalize` equalizes the
    histogram, and `clahe` does so in tiles and with a limit.
    """
    if preprocessing == "none" or len(faces) == 0:
        return faces
    if preprocessing == "face":
        return crop_to_boxes(faces, detect_boxes(faces))
    if preprocessing == "equalize":
        return np.stack([cv2.equalizeHist(face) for face in faces])
    if preprocessing == "clahe":
        clahe = cv2.createCLAHE(2.0, (4, 4))  # tiles of 12 x 12 pixels on a FER2013 face
        return np.stack([clahe.apply(face) for face in faces])
    raise FerError(f"Unknown preprocessing. Expected none, face, equalize or clahe. Received: {preprocessing}")


def detect_boxes(faces: NDArray[np.uint8], detector: FaceDetector | None = None) -> list[Box]:
    """Return a square around the largest face detected in each crop, or the whole crop if none is detected."""
    detector = detector or default_detector()
    boxes = []
    for face in faces:
        large = cv2.resize(face, (ENLARGED, ENLARGED), interpolation=cv2.INTER_LINEAR)
        found = detector.detect(np.repeat(large[..., None], 3, axis=2), thorough=False)
        boxes.append(_square(found[0].box) if found else WHOLE)
    return boxes


def crop_to_boxes(faces: NDArray[np.uint8], boxes: list[Box]) -> NDArray[np.uint8]:
    """Return each crop's square enlarged to the size of the crop; `faces` and `boxes` as in `detect_boxes`."""
    side = faces.shape[1]
    cropped = np.empty_like(faces)
    for k, (left, top, size) in enumerate(boxes):
        # x of the result is at (x + 1/2) · size + left · side − 1/2 of the face
        matrix = np.array([[size, 0, left * side + (size - 1) / 2], [0, size, top * side + (size - 1) / 2]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cropped[k] = cv2.warpAffine(faces[k], matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return cropped


def maps_on_whole_faces(maps: NDArray[np.float32], boxes: list[Box]) -> NDArray[np.float32]:
    """Transfer activation maps `(n, rows, columns, classes)` of cropped squares to the whole faces.

    Each cell has the nearest value of the square, and 0 outside it.
    """
    _, rows, columns, _ = maps.shape
    result = np.zeros_like(maps)
    for k, (left, top, size) in enumerate(boxes):
        row = np.floor(((np.arange(rows) + 0.5) / rows - top) / size * rows).astype(int)
        column = np.floor(((np.arange(columns) + 0.5) / columns - left) / size * columns).astype(int)
        inside = ((row >= 0) & (row < rows))[:, None] & ((column >= 0) & (column < columns))
        result[k] = maps[k][np.clip(row, 0, rows - 1)[:, None], np.clip(column, 0, columns - 1)]
        result[k][~inside] = 0
    return result


def _square(box: tuple[float, float, float, float]) -> Box:
    x, y, width, height = box
    size = min(max(width, height), ENLARGED)
    left = min(max(x + (width - size) / 2, 0.0), ENLARGED - size)
    top = min(max(y + (height - size) / 2, 0.0), ENLARGED - size)
    return left / ENLARGED, top / ENLARGED, size / ENLARGED
