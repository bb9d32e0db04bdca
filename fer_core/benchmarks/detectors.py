"""Compare the fallback detector, Haar cascades, with YuNet on photos."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np

from fer_core.faces import FaceDetector
from fer_core.types import Face, Image

SAME_FACE = 0.3  # intersection over union of two boxes around one face
SURE_SCORE = 0.7  # of YuNet; it also finds wrists and backs of heads, with lower scores
SMALLEST_FACE = 24  # pixels of the box's width


def compare_detectors(images: Iterable[Image], reference: FaceDetector, other: FaceDetector) -> dict[str, float]:
    """Count the faces that a detector misses, and those that only it finds.

    Args:
        images: `(height, width, 3)` uint8 RGB photos.
        reference: YuNet. Of its faces, those seen from the front, sure and not tiny must be found; the others count
            neither as missed nor as false.
        other: the detector to measure.

    Returns:
        `photos`, `faces`, `missed`, `false`, and the mean `milliseconds` of the other detector for a photo and
        `frame_milliseconds` for a video frame.
    """
    counts = {"photos": 0, "faces": 0, "missed": 0, "false": 0}
    seconds = frame_seconds = 0.0
    for image in images:
        true = reference.detect(image)
        started = time.perf_counter()
        found = other.detect(image)
        seconds += time.perf_counter() - started
        started = time.perf_counter()
        other.detect(image, thorough=False)
        frame_seconds += time.perf_counter() - started
        due = [face for face in true if _must_be_found(face)]
        counts["photos"] += 1
        counts["faces"] += len(due)
        counts["missed"] += sum(not any(_same(face, one) for one in found) for face in due)
        counts["false"] += sum(not any(_same(face, one) for one in true) for face in found)
    photos = max(counts["photos"], 1)
    times = {"milliseconds": 1000 * seconds / photos, "frame_milliseconds": 1000 * frame_seconds / photos}
    return counts | times


def _must_be_found(face: Face) -> bool:
    """Tell whether a face of YuNet is sure, not tiny, and seen from the front: the nose is between the eyes."""
    if face.landmarks is None or face.score < SURE_SCORE or face.box[2] < SMALLEST_FACE:
        return False
    left, right, nose = face.landmarks[:3, 0]
    return bool(min(left, right) < nose < max(left, right))


def _same(one: Face, other: Face) -> bool:
    low = np.maximum(one.box[:2], other.box[:2])
    high = np.minimum(np.add(one.box[:2], one.box[2:]), np.add(other.box[:2], other.box[2:]))
    shared = float(np.prod(np.maximum(high - low, 0)))
    return shared >= SAME_FACE * (one.area + other.area - shared)
