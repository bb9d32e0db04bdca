"""Choose the face detector: YuNet, or a simpler one where YuNet's weights are not available."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

import cv2

from fer_core.faces.yunet_weights import DetectorUnavailable, yunet_path
from fer_core.types import Face, Image

FALLBACK_NOTE: Final = "Faces are found with a simpler detector: tilted heads are not turned upright. {why}"

MAX_OVERLAP: Final = 0.3
"""Boxes with a larger intersection over union show the same face (OpenCV's default for YuNet)."""


class FaceDetector(Protocol):
    """Interface of the detectors. Implementations are thread-safe."""

    @property
    def note(self) -> str | None:
        """A sentence about the detector's limits for the user, or None."""

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        """Return the faces in a `(height, width, 3)` uint8 RGB image, largest first.

        Args:
            image: of any size, at least one pixel.
            thorough: True for photos. False is several times faster, for video frames.
        """


def default_detector(detection_size: int = 640) -> FaceDetector:
    """Return YuNet if its weights are available, else `FallbackDetector` with a `note` that gives the reason.

    Detectors are cached, and a failed download is not repeated for some minutes, so this is cheap to call for each
    picture.

    Args:
        detection_size: longest side in pixels to which YuNet scales a picture for its first search. 320 is enough
            for faces near a camera and takes a quarter of the time.
    """
    try:
        return _yunet(yunet_path(), detection_size)
    except DetectorUnavailable as error:
        return _fallback(FALLBACK_NOTE.format(why=error))


def suppress_overlaps(faces: Sequence[Face]) -> list[Face]:
    """Return the faces that remain after non-maximum suppression, largest first."""
    if not faces:
        return []
    boxes = [tuple(map(float, face.box)) for face in faces]
    kept = cv2.dnn.NMSBoxes(boxes, [float(face.score) for face in faces], 0.0, MAX_OVERLAP)
    return sorted((faces[int(index)] for index in kept), key=lambda face: face.area, reverse=True)


@lru_cache(maxsize=4)
def _yunet(path: Path, detection_size: int) -> FaceDetector:
    from fer_core.faces.yunet import YuNetDetector

    return YuNetDetector(path, detection_size)


@lru_cache(maxsize=2)
def _fallback(note: str) -> FaceDetector:
    from fer_core.faces.fallback import FallbackDetector

    return FallbackDetector(note)
