"""Preprocessing of gray face crops: a closer crop, level eyes, or more contrast.

CLAHE: Zuiderveld, "Contrast Limited Adaptive Histogram Equalization" (Graphics Gems IV, 1994).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces.detector import FaceDetector, default_detector
from fer_core.faces.framing import STEEP_ROLL, framing_roll
from fer_core.types import Face, FerError

DETECTING: Final = {"face": (192,), "aligned": (320, 320)}
"""Preprocessings that detect the face, so that the models get a part of the crop, and how often they look: each time at
the crop enlarged to this side in pixels, and turned as found before. Few faces are found at FER2013's 48, nearly all at
192. On crops of the portrait turned by up to 35°, the angle is wrong by 10° after one look at 192, and by 2.5° after
two at 320."""

Box = tuple[float, float, float, float]
"""Left, top and side of a square as shares of a crop's width, and the degrees by which it is turned clockwise."""

WHOLE: Final[Box] = (0.0, 0.0, 1.0, 0.0)


def preprocess_faces(faces: NDArray[np.uint8], preprocessing: str) -> NDArray[np.uint8]:
    """Apply a model's preprocessing to face crops `(n, side, side)` uint8 gray, framed like FER2013's faces.

    `none` changes nothing, `face` crops to the detected face, as in the paper's section 3.4.4, `aligned` also turns it
    until the eyes are level ("a consistent orientation" in the paper's abstract), `equalize` equalizes the histogram,
    and `clahe` does so in tiles and with a limit.
    """
    if preprocessing == "none" or len(faces) == 0:
        return faces
    if preprocessing in DETECTING:
        return crop_to_boxes(faces, detect_boxes(faces, preprocessing))
    if preprocessing == "equalize":
        return np.stack([cv2.equalizeHist(face) for face in faces])
    if preprocessing == "clahe":
        clahe = cv2.createCLAHE(2.0, (4, 4))  # tiles of 12 x 12 pixels on a FER2013 face
        return np.stack([clahe.apply(face) for face in faces])
    raise FerError(f"Unknown preprocessing. Expected none, face, aligned, equalize or clahe. Received: {preprocessing}")


def detect_boxes(
    faces: NDArray[np.uint8], preprocessing: str = "face", detector: FaceDetector | None = None
) -> list[Box]:
    """Return a square around the largest face detected in each crop, or the whole crop if none is detected.

    With `aligned`, it is turned as the line between the eyes, unless that is steeper than 60°: such landmarks are
    usually wrong in crops that are upright already.
    """
    detector = detector or default_detector()
    boxes = []
    for face in faces:
        box = WHOLE
        for side in DETECTING[preprocessing]:
            (turned,) = crop_to_boxes(face[None], [(0.0, 0.0, 1.0, box[3])])
            large = cv2.resize(turned, (side, side), interpolation=cv2.INTER_LINEAR)
            found = detector.detect(np.repeat(large[..., None], 3, axis=2), thorough=False)
            box = _square(found[0], side, before=box[3], turned=preprocessing == "aligned") if found else box
        boxes.append(box)
    return boxes


def crop_to_boxes(faces: NDArray[np.uint8], boxes: list[Box]) -> NDArray[np.uint8]:
    """Return each crop's square enlarged to the size of the crop; `faces` and `boxes` as in `detect_boxes`."""
    side = faces.shape[1]
    cropped = np.empty_like(faces)
    for k, (left, top, size, roll) in enumerate(boxes):
        # the centre of the result, from which distances are turned and scaled, is at the centre of the square
        turn = size * _rotation(roll)
        centre = np.array([left + size / 2, top + size / 2]) * side - 0.5
        matrix = np.column_stack([turn, centre - turn @ np.full(2, (side - 1) / 2)])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cropped[k] = cv2.warpAffine(faces[k], matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return cropped


def maps_on_whole_faces(maps: NDArray[np.float32], boxes: list[Box]) -> NDArray[np.float32]:
    """Transfer activation maps `(n, rows, columns, classes)` of cropped squares to the whole faces.

    Each cell has the nearest value of the square, and 0 outside it.
    """
    _, rows, columns, _ = maps.shape
    result = np.zeros_like(maps)
    y, x = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij")
    for k, (left, top, size, roll) in enumerate(boxes):
        from_centre = np.stack([x - left - size / 2, y - top - size / 2], axis=-1)
        places = from_centre @ _rotation(roll) / size + 0.5  # a row vector times the matrix turns back
        column, row = (np.floor(places[..., axis] * count).astype(int) for axis, count in ((0, columns), (1, rows)))
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        result[k][inside] = maps[k][row[inside], column[inside]]
    return result


def _rotation(degrees: float) -> NDArray[np.float64]:
    """Return the matrix that turns (x, y), with y downwards, clockwise."""
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _square(face: Face, side: int, *, before: float, turned: bool) -> Box:
    """Return the square around a face that was found in a crop enlarged to `side` and turned by `before` degrees."""
    x, y, width, height = face.box
    roll = framing_roll(face) if turned else 0.0
    roll = before + roll if abs(before + roll) <= STEEP_ROLL else before
    size = min(max(width, height), side)
    corner = np.clip([x + (width - size) / 2, y + (height - size) / 2], 0.0, side - size)
    left, top = _rotation(before) @ ((corner + size / 2) / side - 0.5) + 0.5 - size / side / 2
    return float(left), float(top), size / side, roll
