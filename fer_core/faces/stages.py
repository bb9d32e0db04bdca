"""What face detection makes of a picture, step by step: detected, cropped upright, gray input of the networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2

from fer_core.data.images import require_rgb, resized
from fer_core.faces.detector import FaceDetector, default_detector
from fer_core.faces.draw import MARKED_SIDE, marked_faces
from fer_core.faces.framing import crop_face, cut_square, framing_transform
from fer_core.types import Image

UPRIGHT: Final = 192
"""Side in pixels of the upright crop in colour: four times that of the gray input."""


@dataclass(frozen=True, eq=False)
class DetectionStages:
    """The steps from a picture to what networks get.

    Attributes:
        before: the picture as it was given, at most 384 pixels wide or high.
        marked: the picture with the box and the five landmarks of each face, RGB, at most 384 pixels wide or high.
        faces: number of detected faces. Only the largest one is cropped.
        upright: `(192, 192, 3)` uint8 RGB, upright and framed like FER2013's faces; None if no face is detected.
        gray: `(48, 48)` uint8, the same as networks get it; None if no face is detected.
    """

    before: Image
    marked: Image
    faces: int
    upright: Image | None = None
    gray: Image | None = None


def detection_stages(image: Image, detector: FaceDetector | None = None) -> DetectionStages:
    """Detect the faces of a picture and crop the largest one.

    Args:
        image: `(height, width, 3)` RGB or `(height, width)` gray, uint8.
        detector: by default `default_detector()`.

    Raises:
        FerError: `image` is not a picture.
    """
    picture = require_rgb(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image)
    faces = (detector or default_detector()).detect(picture)
    marked = marked_faces(picture, faces)
    size = marked.shape[1::-1]
    before = image if max(image.shape[:2]) <= MARKED_SIDE else resized(image, size)
    if not faces:
        return DetectionStages(before, marked, 0)
    upright = cut_square(picture, framing_transform(faces[0], UPRIGHT), UPRIGHT)
    return DetectionStages(before, marked, len(faces), upright, crop_face(picture, faces[0])[0])
