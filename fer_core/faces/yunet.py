"""YuNet: the face detector of first choice, a few milliseconds an image on a CPU.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research, 2023);
weights from OpenCV Zoo, run by OpenCV's own `FaceDetectorYN`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces.closer_look import PATCH, look_closer
from fer_core.faces.image_check import require_rgb
from fer_core.faces.overlaps import MAX_OVERLAP, without_overlaps
from fer_core.faces.pool import Pool
from fer_core.faces.yunet_file import yunet_path
from fer_core.types import Face, Image

SMALLEST_PASS: Final = 200  # longest side; 48 x 48 crops: 76 % found as they are, 98 % enlarged to 200
CLOSE_UP_PASS: Final = 320  # for a face that fills a large picture
FINE_PASS: Final = (960, 1920)  # longest side at least and at most, for small faces
FINE_FACE: Final = 225.0  # pixels: wider finds of the fine pass are no faces (measured: a badge 231, a rocket 410)
MOST_ENLARGED: Final = 3  # times; a 48 x 48 crop brought to 960 pixels shows faces that are not there
SURE_SCORE: Final = 0.7
"""Asked of what only a second search finds: a cat, a motorcycle and a page of text scored 0.60 to 0.69 there."""

CLEARLY_BETTER: Final = 0.1
"""By so much must the best face of the turned picture beat the upright one's before the turned one is believed."""

MIN_FACE: Final = 8.0  # pixels of the working copy; YuNet's finest anchors are 8 pixels apart
SMALLEST_SIDE: Final = 8  # of the working copy: OpenCV returns infinities for a 1 x 1 image
MOST_LOOKS: Final = 24  # faces a picture that get a closer look, the largest first; about 8 ms each


class YuNetDetector:
    """Detects faces with YuNet; may be shared between threads.

    Args:
        path: the ONNX file; by default `yunet_path()`, which may download it.
        detection_size: longest side in pixels of the copy that is searched first.
        min_score: detections below this confidence, 0 to 1, are dropped.

    Raises:
        DetectorUnavailable: there is no intact ONNX file.

    Example:
        >>> faces = YuNetDetector().detect(photo)  # (height, width, 3) uint8 RGB
        >>> faces[0].box, faces[0].landmarks.shape
    """

    note: str | None = None

    def __init__(self, path: Path | None = None, detection_size: int = 640, min_score: float = 0.6) -> None:
        self.detection_size = detection_size
        self.min_score = min_score
        self._weights = np.frombuffer((path or yunet_path()).read_bytes(), np.uint8)
        self._pool: Pool[Any] = Pool(self._make)
        with self._pool.borrow():  # read the weights now: the first camera frame should not wait
            pass

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        """Return the faces in an image, the largest first.

        Args:
            image: `(height, width, 3)` uint8 RGB of any size.
            thorough: for photos: search again at a larger size for small faces; if nothing was found, at a smaller
                size for a face that fills the picture; if nothing sure was found, with the picture turned; and look
                closer at each face, which makes landmarks and roll exact.
                False, for video frames, searches once.

        Raises:
            FerError: `image` is no RGB picture.
        """
        image = require_rgb(image)
        longest = max(image.shape[:2])
        faces = self._search(image, int(np.clip(longest, SMALLEST_PASS, self.detection_size)))
        if not thorough:
            return without_overlaps(faces)
        faces = faces + self._search_finely(image) or _sure(self._search(image, CLOSE_UP_PASS))
        if _best(faces) < SURE_SCORE:
            turned = self._search_turned(image)
            faces = turned if _best(turned) > max(SURE_SCORE, _best(faces) + CLEARLY_BETTER) else faces
        found = without_overlaps(faces)
        closer = [look_closer(image, face, self._search_patch) for face in found[:MOST_LOOKS]]
        return without_overlaps([*closer, *found[MOST_LOOKS:]])

    def _make(self) -> Any:
        return cv2.FaceDetectorYN.create(
            "onnx", self._weights, np.empty(0, np.uint8), (320, 320), self.min_score, MAX_OVERLAP, 5000
        )

    def _search(self, image: Image, longest: int) -> list[Face]:
        """Return the faces found in a copy whose longest side is `longest` pixels."""
        height, width = image.shape[:2]
        scale = longest / max(height, width)
        if min(height, width) * scale < SMALLEST_SIDE:
            return []
        size = (round(width * scale), round(height * scale))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        copy = image if scale == 1 else cv2.resize(image, size, interpolation=how)
        with self._pool.borrow() as network:
            network.setInputSize(size)
            _, rows = network.detect(cv2.cvtColor(copy, cv2.COLOR_RGB2BGR))
        if rows is None:
            return []
        stretch = np.array([width / size[0], height / size[1]], np.float32)
        return [_face(row, stretch) for row in rows if np.isfinite(row).all() and row[2:4].min() >= MIN_FACE]

    def _search_patch(self, patch: Image) -> list[Face]:
        return self._search(patch, PATCH)

    def _search_finely(self, image: Image) -> list[Face]:
        """Return the small faces found in a copy larger than that of the first search."""
        longest = max(image.shape[:2])
        fine = min(int(np.clip(longest, *FINE_PASS)), MOST_ENLARGED * longest)
        found = self._search(image, fine) if fine > self.detection_size else []
        return [face for face in _sure(found) if face.box[2] <= FINE_FACE * longest / fine]

    def _search_turned(self, image: Image) -> list[Face]:
        """Return the faces of the picture turned by quarters, from the orientation with the surest face."""
        best: list[Face] = []
        for quarters in (1, 3, 2):
            turned = np.ascontiguousarray(np.rot90(image, quarters))
            faces = self._search(turned, int(np.clip(max(image.shape[:2]), SMALLEST_PASS, self.detection_size)))
            if _best(faces) > _best(best):
                best = [_turned_back(face, quarters, image.shape[1], image.shape[0]) for face in faces]
        return best


def _face(row: NDArray[np.float32], stretch: NDArray[np.float32]) -> Face:
    """Return a row of YuNet's output, in pixels of the searched copy, as a face in pixels of the image.

    A row is x, y, width, height, five points (the person's right eye first, which is on the image's left), score.
    """
    x, y, width, height = (row[:4] * np.tile(stretch, 2)).tolist()
    return Face((x, y, width, height), float(min(row[14], 1.0)), row[4:14].reshape(5, 2) * stretch)


def _best(faces: list[Face]) -> float:
    return max((face.score for face in faces), default=0.0)


def _sure(faces: list[Face]) -> list[Face]:
    return [face for face in faces if face.score >= SURE_SCORE]


def _turned_back(face: Face, quarters: int, width: int, height: int) -> Face:
    """Return a face found in `np.rot90(image, quarters)` in pixels of the `width` x `height` image."""
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
