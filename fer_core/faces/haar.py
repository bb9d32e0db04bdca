"""Haar cascades, the fallback detector: included in OpenCV, so nothing has to be downloaded.

The cascades are asked for every window that they take for a face, and a small network (`face_check`) chooses among
them. Without it they would miss faces and find some that are none.

Viola, Jones: "Rapid Object Detection using a Boosted Cascade of Simple Features" (CVPR 2001).
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from fer_core.data.images import require_rgb, resized
from fer_core.faces.detector import suppress_overlaps
from fer_core.faces.face_check import cut_windows, face_probability
from fer_core.faces.framing import BOX_HEIGHT, BOX_WIDTH
from fer_core.threads import Pool
from fer_core.types import Face, Image

CASCADES: Final = ("haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml")
BOX_SIDE: Final = 0.965  # of FER2013's frame: median side of a Haar box (300 faces)
MIN_SCORE: Final = 0.5
"""The least probability of a face, by the network that checks the cascades' windows, in the best window of a face."""

COUNTED_SCORE: Final = 0.2  # windows with a smaller probability do not count for a face
SUPPORT: Final = 1.5
"""The least sum of the probabilities in the windows of a face, for each cascade that was asked. False hits have few
windows. Chosen on one half of a set of photos, with `COUNTED_SCORE`; see `face_check.json`."""

SAME_FACE: Final = 0.3  # intersection over union of windows that show the same face
SCALE_STEP: Final = 1.1
SMALLEST_FACE: Final = 24  # pixels of the working copy; the cascade's window is 20
FRAME_SIZE: Final = 320  # longest side to which video frames are scaled
THOROUGH_SIZE: Final = (320, 960)  # longest side at least and at most
TILTED_SIZE: Final = 320  # longest side of the copies that are rotated
TILT: Final = 22.0  # degrees to either side
TILTED_SUPPORT: Final = 8.0  # as `SUPPORT`, of both cascades together; chosen in the same way
CLOSE_UP_SIZE: Final = 240  # longest side, border included
CLOSE_UP_BORDER: Final = 0.25  # of the longest side, added on each side: the cascade needs some surroundings
EYE_PATCH: Final = 112  # side in pixels to which a face is scaled for eye detection
EYE_DISTANCE: Final = (0.2, 0.6)  # of the box's side, at least and at most
MAX_EYE_SLOPE: Final = 0.7  # about 35 degrees; the face cascade does not find faces tilted more

_LANDMARKS: Final = np.array([[0.31, 0.39], [0.68, 0.40], [0.49, 0.58], [0.34, 0.75], [0.66, 0.75]])
"""Medians in FER2013's frame, measured with YuNet: eyes, nose tip, corners of the mouth."""


class HaarDetector:
    """Detect upright frontal faces with OpenCV's cascades `alt2` and, in photos, `default`. Thread-safe.

    Boxes are converted to YuNet's proportions, so that crops are framed in the same way. Eyes come from the eye
    cascade; nose and mouth are placed as in a median face. A face whose eyes are not found has no landmarks.

    Args:
        note: a sentence about this detector for the user, or None.
    """

    def __init__(self, note: str | None = None) -> None:
        self.note = note
        self._eyes: Pool[Any] = Pool(lambda: _cascade("haarcascade_eye.xml"))

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        """Return the faces in an image, largest first.

        Args:
            image: `(height, width, 3)` uint8 RGB of any size.
            thorough: for photos: search a larger copy and, if nothing was found, small ones: with a border for a
                face that fills the picture, and rotated for a tilted head. False, for video frames,
                searches one small copy.

        Raises:
            FerError: `image` is not an RGB picture.
        """
        image = require_rgb(image)
        longest = max(image.shape[:2])
        if not thorough:
            return suppress_overlaps(self._search(image, min(longest, FRAME_SIZE), 0.0, CASCADES[:1]))
        faces = self._search(image, int(np.clip(longest, *THOROUGH_SIZE)), 0.0, CASCADES)
        faces = faces or self._search(image, CLOSE_UP_SIZE, CLOSE_UP_BORDER, CASCADES)
        return suppress_overlaps(faces or self._search_tilted(image))

    def _search(self, image: Image, longest: int, border: float, cascades: tuple[str, ...]) -> list[Face]:
        """Return the faces found in a gray copy of `longest` pixels, including a border of this share on each side."""
        height, width = image.shape[:2]
        scale = longest / (max(height, width) * (1 + 2 * border))
        size = (round(width * scale), round(height * scale))
        if min(size) < SMALLEST_FACE:
            return []
        gray = cv2.cvtColor(resized(image, size), cv2.COLOR_RGB2GRAY)
        edge = round(border * max(size))
        gray = cv2.copyMakeBorder(gray, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
        return [
            _face(box, score, self._eyes_in(gray, box), scale, edge)
            for box, score in checked_windows(gray, face_windows(gray, cascades), SUPPORT * len(cascades))
        ]

    def _search_tilted(self, image: Image) -> list[Face]:
        """Return the faces found in small gray copies that are rotated to either side."""
        height, width = image.shape[:2]
        scale = TILTED_SIZE / max(height, width)
        size = (round(width * scale), round(height * scale))
        if min(size) < SMALLEST_FACE:
            return []
        gray = cv2.cvtColor(resized(image, size), cv2.COLOR_RGB2GRAY)
        side, found = math.ceil(math.hypot(*size)), []
        for angle in (-TILT, TILT):
            turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), angle, 1)
            turn[:, 2] += np.subtract(side, size) / 2
            turned = cv2.warpAffine(gray, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
            for box, score in checked_windows(turned, face_windows(turned), TILTED_SUPPORT):
                face = _face(box, score, self._eyes_in(turned, box), 1.0, 0)
                found.append(_turned_back(face, cv2.invertAffineTransform(turn), scale))
        return found

    def _eyes_in(self, gray: Image, box: NDArray[np.int32]) -> NDArray[np.float64] | None:
        """Return the `(2, 2)` centres of the eyes in pixels of `gray`, left eye first, or None."""
        x, y, side = box
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


def face_windows(gray: Image, cascades: tuple[str, ...] = CASCADES) -> NDArray[np.int32]:
    """Return `(n, 3)` left, top and side of every window that one of the cascades takes for a face."""
    found = []
    for name in cascades:
        with _pool(name).borrow() as cascade:
            boxes = cascade.detectMultiScale(gray, SCALE_STEP, 0, minSize=(SMALLEST_FACE,) * 2)
        found.append(np.reshape(boxes, (-1, 4))[:, :3].astype(np.int32))
    return np.concatenate(found)


def checked_windows(gray: Image, windows: NDArray[np.int32], support: float) -> list[tuple[NDArray[np.int32], float]]:
    """Return one window for each face that the network confirms, with the largest probability of its windows.

    Windows that overlap show one face. Their mean, weighted by their probabilities, fits better than the best of them.

    Args:
        gray: `(height, width)` uint8.
        windows: `(n, 3)` of `face_windows`.
        support: least sum of the probabilities of a face's windows.
    """
    scores = face_probability(cut_windows(gray, windows))
    counted = scores >= COUNTED_SCORE
    left, weights = windows[counted].astype(np.float64), scores[counted]
    found = []
    while len(left):
        best = int(weights.argmax())
        near = _overlap(left[best], left) >= SAME_FACE
        if weights[best] >= MIN_SCORE and weights[near].sum() >= support:
            middle = np.average(left[near], axis=0, weights=weights[near])
            found.append((np.floor(middle).astype(np.int32), float(weights[best])))
        left, weights = left[~near], weights[~near]
    return found


def _overlap(window: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intersection over union of a square window with each of `(n, 3)` others."""
    low = np.maximum(window[:2], others[:, :2])
    high = np.minimum(window[:2] + window[2], others[:, :2] + others[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    return shared / (window[2] ** 2 + others[:, 2] ** 2 - shared)


@cache
def _pool(name: str) -> Pool[Any]:
    return Pool(lambda: _cascade(name))


def _cascade(name: str) -> Any:
    return cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / name))


def _is_pair(left: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    """Tell whether two points, as shares of the face box's side, can be its left and right eye."""
    across, down = right - left
    return bool(left[0] < 0.5 < right[0] and EYE_DISTANCE[0] < across < EYE_DISTANCE[1]) and bool(
        abs(down) < MAX_EYE_SLOPE * across
    )


def _face(box: NDArray[np.int32], score: float, eyes: NDArray[np.float64] | None, scale: float, edge: int) -> Face:
    """Convert a window of the searched copy to a face in pixels of the image."""
    x, y, side = (float(value) for value in box)
    frame = side / BOX_SIDE / scale
    center_x, center_y = (x + side / 2 - edge) / scale, (y + side / 2 - edge) / scale
    width, height = BOX_WIDTH * frame, BOX_HEIGHT * frame
    landmarks = None if eyes is None else _landmarks((eyes - edge) / scale)
    upright = (center_x - width / 2, center_y - height / 2, width, height)
    return Face(upright, score, landmarks)


def _turned_back(face: Face, back: NDArray[np.float64], scale: float) -> Face:
    """Convert a face of a rotated copy to pixels of the image; its box stays upright, with the same size."""
    x, y = back @ (*face.center, 1.0) / scale
    width, height = (length / scale for length in face.box[2:])
    landmarks = face.landmarks
    if landmarks is not None:
        landmarks = ((landmarks @ back[:, :2].T + back[:, 2]) / scale).astype(np.float32)
    return Face((float(x) - width / 2, float(y) - height / 2, width, height), face.score, landmarks)


def _landmarks(eyes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the median face's `(5, 2)` landmarks, moved, rotated and scaled to match these eyes."""
    reference = _LANDMARKS @ (1, 1j)  # with complex numbers, a similarity is one factor and one shift
    left, right = eyes @ (1, 1j)
    factor = (right - left) / (reference[1] - reference[0])
    points = left + factor * (reference - reference[0])
    return np.column_stack([points.real, points.imag]).astype(np.float32)
