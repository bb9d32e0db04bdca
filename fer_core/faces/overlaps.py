"""One face for each person: merge what several passes found."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from fer_core.types import Face

MAX_OVERLAP = 0.3
"""Two boxes whose intersection over union is above this show the same face (OpenCV's own default for YuNet)."""


def without_overlaps(faces: Sequence[Face], max_overlap: float = MAX_OVERLAP) -> list[Face]:
    """Return the faces left by non-maximum suppression, largest box first.

    Args:
        faces: detections of one image, in any order.
        max_overlap: of boxes whose intersection over union is greater, the most confident one stays.
    """
    if not faces:
        return []
    boxes = [tuple(map(float, face.box)) for face in faces]
    kept = cv2.dnn.NMSBoxes(boxes, [float(face.score) for face in faces], 0.0, max_overlap)
    return sorted((faces[int(index)] for index in kept), key=lambda face: face.box[2] * face.box[3], reverse=True)
