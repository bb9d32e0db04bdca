"""YuNet, the default face detector: a few milliseconds per image on a CPU.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research, 2023). Weights from
OpenCV Zoo, run by OpenCV's `FaceDetectorYN`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.images import require_rgb, resized
from fer_core.faces.detector import MAX_OVERLAP, suppress_overlaps
from fer_core.faces.framing import (
    BOX_WIDTH,
    Transform,
    cut_square,
    framing_roll,
    framing_transform,
    invert,
    lies_on_its_side,
)
from fer_core.faces.yunet_weights import yunet_path
from fer_core.threads import Pool
from fer_core.types import Face, Image

MIN_SCORE: Final = 0.6  # detections with a lower confidence are dropped
SURE_SCORE: Final = 0.7
"""Required of faces that only an additional search finds; a cat, a motorcycle and a page of text scored up to 0.69."""

SCORE_MARGIN: Final = 0.1
"""A rotated copy is used only if its best face scores higher than the upright one's by this margin."""

SMALLEST_PASS: Final = 200  # longest side; YuNet finds 76 % of 48 x 48 crops as they are, 98 % enlarged to 200
CLOSE_UP_PASS: Final = 320  # for a face that fills a large picture
FINE_PASS: Final = (960, 1920)  # longest side at least and at most, for small faces
FINE_FACE: Final = 225.0  # pixels; wider detections of the fine pass are false (measured: a badge 231, a rocket 410)
MAX_ENLARGEMENT: Final = 3  # a 48 x 48 crop enlarged to 960 pixels gives false detections
MIN_FACE: Final = 8.0  # pixels of the searched copy; YuNet's finest anchors are 8 pixels apart
MIN_SIDE: Final = 8  # of the searched copy; OpenCV returns infinities for a 1 x 1 image
MAX_REFINED: Final = 24  # faces of a picture that are refined, largest first; about 8 ms each

PATCH: Final = 320  # side in pixels of the level copy in which a face is detected again
PATCH_FACE: Final = 160  # width in pixels of the face in it
MAX_REFINEMENTS: Final = 3
MAX_PATCH: Final = 1.3  # of the picture's longer side; a larger patch would consist mostly of border
LEVEL_ROLL: Final = 4.0  # degrees; below it, another refinement changes nothing
MAX_SHIFT: Final = 0.5  # of the face's width; a detection further away is another face
MAX_GROWTH: Final = 1.6  # factor; a detection of a more different size is another face


class YuNetDetector:
    """Detect faces with YuNet. Thread-safe.

    Args:
        path: the ONNX file; by default `yunet_path()`, which may download it.
        detection_size: longest side in pixels to which a picture is scaled for the first search.

    Raises:
        DetectorUnavailable: the ONNX file is not available.

    Example:
        >>> faces = YuNetDetector().detect(photo)  # (height, width, 3) uint8 RGB
        >>> faces[0].box, faces[0].landmarks.shape
    """

    note: str | None = None

    def __init__(self, path: Path | None = None, detection_size: int = 640) -> None:
        self.detection_size = detection_size
        self._weights = np.frombuffer((path or yunet_path()).read_bytes(), np.uint8)
        self._pool: Pool[Any] = Pool(self._make)
        with self._pool.borrow():  # create one detector now, so that the first camera frame does not wait for it
            pass

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        """Return the faces in an image, largest first.

        Args:
            image: `(height, width, 3)` uint8 RGB of any size.
            thorough: for photos: search a larger copy for small faces; if nothing was found, a smaller copy for a
                face that fills the picture; if nothing certain was found, rotated copies; and refine the landmarks
                of each face. False, for video frames, searches once.

        Raises:
            FerError: `image` is not an RGB picture.
        """
        image = require_rgb(image)
        longest = max(image.shape[:2])
        faces = self._search(image, int(np.clip(longest, SMALLEST_PASS, self.detection_size)))
        if not thorough:
            return suppress_overlaps(faces)
        faces = faces + self._search_finely(image) or _sure(self._search(image, CLOSE_UP_PASS))
        if _best(faces) < SURE_SCORE:
            rotated = self._search_rotated(image)
            faces = rotated if _best(rotated) > max(SURE_SCORE, _best(faces) + SCORE_MARGIN) else faces
        found = suppress_overlaps(faces)
        refined = [self._refined(image, face) for face in found[:MAX_REFINED]]
        return suppress_overlaps([*refined, *found[MAX_REFINED:]])

    def _make(self) -> Any:
        return cv2.FaceDetectorYN.create(
            "onnx", self._weights, np.empty(0, np.uint8), (320, 320), MIN_SCORE, MAX_OVERLAP, 5000
        )

    def _search(self, image: Image, longest: int, quarters: int = 0) -> list[Face]:
        """Return the faces found in a copy whose longest side is `longest` pixels.

        The copy is rotated by quarter turns as in `np.rot90`; then the faces are those of the rotated image.
        """
        height, width = image.shape[:2]
        scale = longest / max(height, width)
        if min(height, width) * scale < MIN_SIDE:
            return []
        size = (round(width * scale), round(height * scale))
        copy = image if scale == 1 else resized(image, size)
        stretch = np.array([width / size[0], height / size[1]], np.float32)
        if quarters:
            copy = np.ascontiguousarray(np.rot90(copy, quarters))
        if quarters % 2:
            size, stretch = size[::-1], stretch[::-1]
        with self._pool.borrow() as network:
            network.setInputSize(size)
            _, rows = network.detect(cv2.cvtColor(copy, cv2.COLOR_RGB2BGR))
        if rows is None:
            return []
        return [_face(row, stretch) for row in rows if np.isfinite(row).all() and row[2:4].min() >= MIN_FACE]

    def _search_finely(self, image: Image) -> list[Face]:
        """Return the small faces found in a copy larger than that of the first search."""
        longest = max(image.shape[:2])
        fine = min(int(np.clip(longest, *FINE_PASS)), MAX_ENLARGEMENT * longest)
        found = self._search(image, fine) if fine > self.detection_size else []
        return [face for face in _sure(found) if face.box[2] <= FINE_FACE * longest / fine]

    def _search_rotated(self, image: Image) -> list[Face]:
        """Return the faces found after rotation by 90, 180 or 270 degrees, whichever gives the best score."""
        best: list[Face] = []
        for quarters in (1, 3, 2):
            longest = int(np.clip(max(image.shape[:2]), SMALLEST_PASS, self.detection_size))
            faces = self._search(image, longest, quarters)
            if _best(faces) > _best(best):
                best = [_rotated_back(face, quarters, image.shape[1], image.shape[0]) for face in faces]
        return best

    def _refined(self, image: Image, face: Face) -> Face:
        """Return a face with its box and landmarks measured again in level, enlarged copies.

        On FER2013 faces rotated by 30 degrees, the roll was 10 degrees too small (median) after the first pass and 2
        to 3 degrees too small in a level copy with a face 160 pixels wide. A face that fills its picture, or that is
        not found again, is returned as it is. The score remains that of the first pass.
        """
        for _ in range(MAX_REFINEMENTS):
            transform = _patch_transform(face)
            if PATCH * np.hypot(*invert(transform)[:, 0]) > MAX_PATCH * max(image.shape[:2]):
                break
            near = [found for found in self._search(cut_square(image, transform, PATCH), PATCH) if _is_same(found)]
            if not near:
                break
            found = max(near, key=lambda candidate: candidate.score)
            face = _from_patch(found, transform, face.score)
            if abs(framing_roll(found)) < LEVEL_ROLL:
                break
        return face


def _face(row: NDArray[np.float32], stretch: NDArray[np.float32]) -> Face:
    """Convert a row of YuNet's output, in pixels of the searched copy, to a face in pixels of the image.

    A row holds x, y, width, height, five points (first the person's right eye, which is on the image's left), score.
    """
    x, y, width, height = (row[:4] * np.tile(stretch, 2)).tolist()
    return Face((x, y, width, height), float(min(row[14], 1.0)), row[4:14].reshape(5, 2) * stretch)


def _best(faces: list[Face]) -> float:
    return max((face.score for face in faces), default=0.0)


def _sure(faces: list[Face]) -> list[Face]:
    return [face for face in faces if face.score >= SURE_SCORE]


def _rotated_back(face: Face, quarters: int, width: int, height: int) -> Face:
    """Convert a face found in `np.rot90(image, quarters)` to pixels of the `width` x `height` image."""
    x, y, box_width, box_height = face.box
    corners = np.array([[x, y], [x + box_width, y + box_height]], np.float32)
    assert face.landmarks is not None
    points = np.concatenate([corners, face.landmarks])
    for quarter in range(quarters, 0, -1):  # undo one quarter turn at a time
        right_edge = width if quarter % 2 == 1 else height
        points = np.column_stack([right_edge - points[:, 1], points[:, 0]])
    low, high = points[:2].min(0), points[:2].max(0)
    box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return Face(box, face.score, points[2:].astype(np.float32))


def _patch_transform(face: Face) -> Transform:
    frame = round(PATCH_FACE / BOX_WIDTH)
    transform = framing_transform(face, frame)
    transform[:, 2] += (PATCH - frame) / 2
    return transform


def _is_same(found: Face) -> bool:
    """Tell whether a face found in a patch is the one that the patch was cut around."""
    shift = np.hypot(*np.subtract(found.center, PATCH / 2))
    return bool(shift <= MAX_SHIFT * PATCH_FACE and 1 / MAX_GROWTH <= found.box[2] / PATCH_FACE <= MAX_GROWTH)


def _from_patch(found: Face, transform: Transform, score: float) -> Face:
    """Convert a face found in a patch to pixels of the image. Its box keeps the size that it has when level."""
    assert found.landmarks is not None
    back = invert(transform)
    _, _, width, height = found.box
    x, y = back @ (found.center[0] - 0.5, found.center[1] - 0.5, 1.0) + 0.5
    landmarks = (found.landmarks @ back[:, :2].T + back[:, 2]).astype(np.float32)
    scale = float(np.hypot(*back[:, 0]))
    wide, high = width * scale, height * scale
    if lies_on_its_side(framing_roll(Face((0.0, 0.0, wide, high), score, landmarks))):
        wide, high = high, wide
    return Face((float(x) - wide / 2, float(y) - high / 2, wide, high), score, landmarks)
