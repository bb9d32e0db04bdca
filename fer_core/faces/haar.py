"""Haar cascades, the fallback detector: included in OpenCV, so nothing has to be downloaded.

Viola, Jones: "Rapid Object Detection using a Boosted Cascade of Simple Features" (CVPR 2001).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from fer_core.data.images import require_rgb, resized
from fer_core.faces.detector import suppress_overlaps
from fer_core.faces.framing import BOX_HEIGHT, BOX_WIDTH
from fer_core.threads import Pool
from fer_core.types import Face, Image

BOX_SIDE: Final = 0.965  # of FER2013's frame: median side of a Haar box (300 faces)
MIN_NEIGHBORS: Final = 3
SMALLEST_FACE: Final = 24  # pixels of the working copy; the cascade's window is 20
FRAME_SIZE: Final = 320  # longest side to which video frames are scaled
THOROUGH_SIZE: Final = (320, 960)  # longest side at least and at most
CLOSE_UP_SIZE: Final = 240  # longest side, border included
CLOSE_UP_BORDER: Final = 0.25  # of the longest side, added on each side: the cascade needs some surroundings
EYE_PATCH: Final = 112  # side in pixels to which a face is scaled for eye detection
EYE_DISTANCE: Final = (0.2, 0.6)  # of the box's side, at least and at most
MAX_EYE_SLOPE: Final = 0.7  # about 35 degrees; the face cascade does not find faces tilted more

_LANDMARKS: Final = np.array([[0.31, 0.39], [0.68, 0.40], [0.49, 0.58], [0.34, 0.75], [0.66, 0.75]])
"""Medians in FER2013's frame, measured with YuNet: eyes, nose tip, corners of the mouth."""


class HaarDetector:
    """Detect upright frontal faces with OpenCV's `alt2` cascade. Thread-safe.

    Boxes are converted to YuNet's proportions, so that crops are framed in the same way. Eyes come from the eye
    cascade; nose and mouth are placed as in a median face. A face whose eyes are not found has no landmarks.

    Args:
        note: a sentence about this detector for the user, or None.
    """

    def __init__(self, note: str | None = None) -> None:
        self.note = note
        self._faces: Pool[Any] = Pool(lambda: _cascade("haarcascade_frontalface_alt2.xml"))
        self._eyes: Pool[Any] = Pool(lambda: _cascade("haarcascade_eye.xml"))

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        """Return the faces in an image, largest first.

        Args:
            image: `(height, width, 3)` uint8 RGB of any size.
            thorough: for photos: search a larger copy and, if nothing was found, a small one with a border for a face
                that fills the picture. False, for video frames, searches one small copy.

        Raises:
            FerError: `image` is not an RGB picture.
        """
        image = require_rgb(image)
        longest = max(image.shape[:2])
        if not thorough:
            return suppress_overlaps(self._search(image, min(longest, FRAME_SIZE), border=0.0))
        faces = self._search(image, int(np.clip(longest, *THOROUGH_SIZE)), border=0.0)
        return suppress_overlaps(faces or self._search(image, CLOSE_UP_SIZE, CLOSE_UP_BORDER))

    def _search(self, image: Image, longest: int, border: float) -> list[Face]:
        """Return the faces found in a gray copy of `longest` pixels, including a border of this share on each side."""
        height, width = image.shape[:2]
        scale = longest / (max(height, width) * (1 + 2 * border))
        size = (round(width * scale), round(height * scale))
        if min(size) < SMALLEST_FACE:
            return []
        gray = cv2.cvtColor(resized(image, size), cv2.COLOR_RGB2GRAY)
        edge = round(border * max(size))
        gray = cv2.copyMakeBorder(gray, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
        with self._faces.borrow() as cascade:
            boxes, neighbors = cascade.detectMultiScale2(gray, 1.1, MIN_NEIGHBORS, minSize=(SMALLEST_FACE,) * 2)
        return [
            _face(box, int(count), self._eyes_in(gray, box), scale, edge)
            for box, count in zip(boxes, neighbors, strict=True)
        ]

    def _eyes_in(self, gray: Image, box: NDArray[np.int32]) -> NDArray[np.float64] | None:
        """Return the `(2, 2)` centres of the eyes in pixels of `gray`, left eye first, or None."""
        x, y, side, _ = box
        upper = cv2.resize(gray[y : y + side, x : x + side], (EYE_PATCH, EYE_PATCH))[: EYE_PATCH * 6 // 10]
        low, high = EYE_PATCH // 8, EYE_PATCH * 4 // 10
        with self._eyes.borrow() as cascade:
            found, counts = cascade.detectMultiScale2(upper, 1.1, 2, minSize=(low, low), maxSize=(high, high))
        centers = np.array([(a + w / 2, b + h / 2) for a, b, w, h in found]).reshape(-1, 2)
        pairs = [
            (int(counts[i]) + int(counts[j]), i, j)
            for i, left in enumerate(centers)
            for j, right in enumerate(centers)
            if _is_pair(left / EYE_PATCH, right / EYE_PATCH)
        ]
        if not pairs:
            return None
        _, i, j = max(pairs)
        return centers[[i, j]] * (side / EYE_PATCH) + (x, y)


def _cascade(name: str) -> Any:
    return cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / name))


def _is_pair(left: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    """Tell whether two points, as shares of the face box's side, can be its left and right eye."""
    across, down = right - left
    return bool(left[0] < 0.5 < right[0] and EYE_DISTANCE[0] < across < EYE_DISTANCE[1]) and bool(
        abs(down) < MAX_EYE_SLOPE * across
    )


def _face(box: NDArray[np.int32], neighbors: int, eyes: NDArray[np.float64] | None, scale: float, edge: int) -> Face:
    """Convert a Haar box of the searched copy to a face in pixels of the image.

    The score is n / (n + 3) for n overlapping windows: at least 0.5, always below 1.
    """
    x, y, side, _ = (float(value) for value in box)
    frame = side / BOX_SIDE / scale
    center_x, center_y = (x + side / 2 - edge) / scale, (y + side / 2 - edge) / scale
    width, height = BOX_WIDTH * frame, BOX_HEIGHT * frame
    landmarks = None if eyes is None else _landmarks((eyes - edge) / scale)
    upright = (center_x - width / 2, center_y - height / 2, width, height)
    return Face(upright, neighbors / (neighbors + MIN_NEIGHBORS), landmarks)


def _landmarks(eyes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the median face's `(5, 2)` landmarks, moved, rotated and scaled to match these eyes."""
    reference = _LANDMARKS @ (1, 1j)  # with complex numbers, a similarity is one factor and one shift
    left, right = eyes @ (1, 1j)
    factor = (right - left) / (reference[1] - reference[0])
    points = left + factor * (reference - reference[0])
    return np.column_stack([points.real, points.imag]).astype(np.float32)
