"""YuNet, the default face detector: a few milliseconds per image on a CPU, by OpenCV's `FaceDetectorYN`.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research, 2023).
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.images import require_rgb, resized
from fer_core.faces.detector import MAX_OVERLAP, suppress_overlaps, yunet_path
from fer_core.faces.framing import (
    BOX_WIDTH,
    Transform,
    cut_square,
    framing_roll,
    framing_transform,
    invert,
    lies_on_its_side,
)
from fer_core.threads import Pool
from fer_core.types import Face, Image

MIN_SCORE: Final = 0.6  # detections with a lower confidence are dropped
SURE_SCORE: Final = 0.7
"""Required of faces that only an additional search finds; a cat, a motorcycle and a page of text scored up to 0.69."""

DOUBTFUL_SCORE: Final = 0.85
"""If no face scores more, rotated copies of the whole picture are searched. Of 1,500 turned pictures from FER2013's
training split, this and the next constant raised those read the right way up from 97.5 to 98.4 % (before: 0.7, 0.1)."""

SCORE_MARGIN: Final = 0.05
"""A rotated copy is used only if its best face scores higher than the upright one's by this margin."""

UPRIGHT_SCORE: Final = 0.92
"""Faces with a lower score may be upside down or lie on their side. Of 1,336 turned faces of FER2013's training split,
those that were taken for upright ones scored up to 0.916."""

TURNED_SCORE: Final = 0.88
TURN_MARGIN: Final = 0.15
"""Such a face is turned if its turned copy scores this much, or higher than the upright one by this margin: 195 of 196
turned faces of the training split do. Blurred upright faces in the sample clip scored up to 0.87 and 0.09 higher."""

SMALLEST_PASS: Final = 200  # longest side; YuNet finds 76 % of 48 x 48 crops as they are, 98 % enlarged to 200
CLOSE_UP_PASS: Final = 320  # for a face that fills a large picture
FINE_PASS: Final = (960, 1920)  # longest side at least and at most, for small faces
FINE_SCALE: Final = 0.5  # of the picture at least: a face of 24 pixels is 12 wide then, enough for YuNet
FINE_FACE: Final = 225.0  # pixels; wider detections of the fine pass are false (measured: a badge 231, a rocket 410)
COARSER: Final = 16  # factor; the next pass finds all faces that are too large for this one
TILE: Final = 2048  # longest side in pixels of the parts of a copy that are searched at once
MAX_ENLARGEMENT: Final = 3  # a 48 x 48 crop enlarged to 960 pixels gives false detections
MIN_FACE: Final = 8.0  # pixels of the searched copy; YuNet's finest anchors are 8 pixels apart
MIN_SIDE: Final = 8  # of the searched copy; OpenCV returns infinities for a 1 x 1 image
MAX_TURNED: Final = 200  # faces of a picture that are searched in turned copies, largest first; about 5 ms each
MAX_REFINED: Final = 24  # faces of a picture that are refined, largest first; about 8 ms each

PATCH: Final = 320  # side in pixels of the level copy in which a face is detected again; its face is half as wide
TURN_PATCHES: Final = (128, PATCH)  # sides of the copies that are turned: the larger one if nothing is in the small one
MAX_REFINEMENTS: Final = 3
MAX_PATCH: Final = 1.3  # of the picture's longer side; a larger patch would consist mostly of border
LEVEL_ROLL: Final = 4.0  # degrees; below it, another refinement changes nothing
MAX_SHIFT: Final = 0.5  # of the face's width; a detection further away is another face
MAX_GROWTH: Final = 1.6  # factor; a detection of a more different size is another face


class YuNetDetector:
    """Detect faces with YuNet. Thread-safe.

    Args:
        path: the ONNX file; by default `yunet_path()`, which may download it or raise `DetectorUnavailable`.
        detection_size: longest side in pixels to which a picture is scaled for the first search.

    Example:
        >>> faces = YuNetDetector().detect(photo)  # (height, width, 3) uint8 RGB
        >>> faces[0].box, faces[0].landmarks.shape
    """

    note: str | None = None

    def __init__(self, path: Path | None = None, detection_size: int = 640) -> None:
        self.detection_size = detection_size
        weights, no_config = np.frombuffer((path or yunet_path()).read_bytes(), np.uint8), np.empty(0, np.uint8)
        options = ((320, 320), MIN_SCORE, MAX_OVERLAP, 5000)
        self._pool: Pool[Any] = Pool(lambda: cv2.FaceDetectorYN.create("onnx", weights, no_config, *options))
        with self._pool.borrow():  # create one detector now, so that the first camera frame does not wait for it
            pass

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        """Return the faces in an RGB image of any size, largest first, with the eyes above the mouth as it is turned.

        For photos, a thorough search looks for small faces in a larger copy; if nothing was found, in a smaller copy
        for a face that fills the picture; if a face is turned or none is certain, in rotated copies; and it refines
        the landmarks of each face. Otherwise, for video frames, a picture is searched once.
        """
        image = require_rgb(image)
        faces = self._first_search(image)
        if thorough:
            faces = faces + self._search_finely(image) or _sure(self._search(image, CLOSE_UP_PASS))
        found = suppress_overlaps(faces)
        found = [*(self._right_way_up(image, face) for face in found[:MAX_TURNED]), *found[MAX_TURNED:]]
        if not thorough:
            return found
        found = suppress_overlaps(self._search_turned(image, found))
        refined = [self._refined(image, face) for face in found[:MAX_REFINED]]
        return suppress_overlaps([*refined, *found[MAX_REFINED:]])

    def _first_search(self, image: Image, quarters: int = 0) -> list[Face]:
        return self._search(image, int(np.clip(max(image.shape[:2]), SMALLEST_PASS, self.detection_size)), quarters)

    def _search(self, image: Image, longest: int, quarters: int = 0) -> list[Face]:
        """Return the faces found in a copy whose longest side is `longest` pixels, turned as in `np.rot90`."""
        height, width = image.shape[:2]
        scale = longest / max(height, width)
        if min(height, width) * scale < MIN_SIDE:
            return []
        size = (round(width * scale), round(height * scale))
        copy = np.ascontiguousarray(np.rot90(image if scale == 1 else resized(image, size), quarters))
        stretch = np.array([width / size[0], height / size[1]], np.float32)
        with self._pool.borrow() as network:
            network.setInputSize(copy.shape[1::-1])
            _, rows = network.detect(cv2.cvtColor(copy, cv2.COLOR_RGB2BGR))
        if rows is None:
            return []
        kept = [row for row in rows if np.isfinite(row).all() and row[2:4].min() >= MIN_FACE]
        return [_face(row, quarters, size, stretch) for row in kept]

    def _search_finely(self, image: Image, quarters: int = 0) -> list[Face]:
        """Return the small faces found in overlapping tiles of copies larger than that of the first search."""
        longest = max(image.shape[:2])
        size = min(max(float(np.clip(longest, *FINE_PASS)), FINE_SCALE * longest), MAX_ENLARGEMENT * longest)
        faces: list[Face] = []
        while size > self.detection_size:
            scale = size / longest
            cuts = [_cuts(length, round(TILE / scale), round(FINE_FACE / scale)) for length in image.shape[:2]]
            for (top, bottom, first, last), (left, right, west, east) in itertools.product(*cuts):
                longer = round(scale * max(bottom - top, right - left))
                for face in _sure(self._search(image[top:bottom, left:right], longer, quarters)):
                    moved = _moved(face, left, top)
                    x, y = moved.center
                    if west <= x < east and first <= y < last and min(face.box[2:]) * scale <= FINE_FACE:
                        faces.append(moved)
            size /= COARSER
        return faces

    def _search_turned(self, image: Image, faces: list[Face]) -> list[Face]:
        """Return faces and, in a picture that is turned by 90, 180 or 270 degrees, those found after turning it back.

        The most certain face tells how the picture is turned, or a rotated copy in which a face is more certain.
        """
        best = max(faces, key=lambda face: face.score, default=None)
        quarters = 0 if best is None else round(framing_roll(best) / 90) % 4
        if _best(faces) < DOUBTFUL_SCORE:
            scores = {turn: _best(self._first_search(image, turn)) for turn in (1, 3, 2)}
            turn = max(scores, key=lambda turn: scores[turn])
            if scores[turn] > max(SURE_SCORE, _best(faces) + SCORE_MARGIN):
                faces, quarters = [], turn
        if quarters:
            return _sure(faces) + self._first_search(image, quarters) + self._search_finely(image, quarters)
        return faces

    def _right_way_up(self, image: Image, face: Face) -> Face:
        """Return a face as it is found in the turned copy of its surroundings with a clearly higher score.

        YuNet takes many turned faces for upright ones, with the eyes where the mouth is.
        """
        if face.score >= UPRIGHT_SCORE:
            return face
        for side in TURN_PATCHES:
            transform = _patch_transform(face, side)
            patch = cut_square(image, transform, side)
            found = {quarters: near for quarters in range(4) if (near := self._face_of(patch, quarters))}
            if found:
                quarters, near = max(found.items(), key=lambda item: item[1].score)
                upright = _best([found[0]] if 0 in found else [])
                turned = near.score >= TURNED_SCORE or near.score > upright + TURN_MARGIN
                return _from_patch(near, transform, near.score) if quarters and turned else face
        return face

    def _face_of(self, patch: Image, quarters: int = 0) -> Face | None:
        """Return the face that a square patch was cut around, if it is found again."""
        near = (face for face in self._search(patch, len(patch), quarters) if _is_same(face, len(patch)))
        return max(near, key=lambda face: face.score, default=None)

    def _refined(self, image: Image, face: Face) -> Face:
        """Return a face with its box and landmarks measured again in level, enlarged copies.

        On FER2013 faces rotated by 30 degrees, the roll was 10 degrees too small (median) after the first pass and 2
        to 3 degrees too small in a level copy with a face 160 pixels wide. A face that fills its picture, or that is
        not found again, is returned as it is. The score remains that of the first pass.
        """
        for _ in range(MAX_REFINEMENTS):
            transform = _patch_transform(face, PATCH)
            if PATCH * np.hypot(*invert(transform)[:, 0]) > MAX_PATCH * max(image.shape[:2]):
                break
            found = self._face_of(cut_square(image, transform, PATCH))
            if found is None:
                break
            face = _from_patch(found, transform, face.score)
            if abs(framing_roll(found)) < LEVEL_ROLL:
                break
        return face


def _face(row: NDArray[np.float32], quarters: int, size: tuple[int, int], stretch: NDArray[np.float32]) -> Face:
    """Convert a row that YuNet found in `np.rot90(copy, quarters)` to a face in pixels of the image.

    The copy has this size (width, height), and its pixels are `stretch` pixels of the image. A row holds x, y, width,
    height, five points (first the person's right eye, which is on the image's left), score.
    """
    points = np.concatenate([[row[:2], row[:2] + row[2:4]], row[4:14].reshape(5, 2)])
    for quarter in range(quarters, 0, -1):  # undo one quarter turn at a time
        right_edge = size[0] if quarter % 2 == 1 else size[1]
        points = np.column_stack([right_edge - points[:, 1], points[:, 0]])
    low, high = points[:2].min(0), points[:2].max(0)
    x, y, width, height = (np.concatenate([low, high - low]) * np.tile(stretch, 2)).tolist()
    return Face((x, y, width, height), float(min(row[14], 1.0)), points[2:] * stretch)


def _best(faces: list[Face]) -> float:
    return max((face.score for face in faces), default=0.0)


def _sure(faces: list[Face]) -> list[Face]:
    return [face for face in faces if face.score >= SURE_SCORE]


def _cuts(length: int, part: int, overlap: int) -> list[tuple[int, int, float, float]]:
    """Divide a length into parts that overlap: start and stop of each, and the limits for the centres of its faces.

    A face as wide as the overlap is whole in one part at least, and counts in only one.
    """
    count, half = max(1, math.ceil((length - overlap) / (part - overlap))), overlap // 2
    edges = [-math.inf, *(round(length * k / count) for k in range(1, count)), math.inf]
    return [
        (int(max(0, low - half)), int(min(length, high + half)), low, high) for low, high in itertools.pairwise(edges)
    ]


def _moved(face: Face, right: int, down: int) -> Face:
    x, y, width, height = face.box
    assert face.landmarks is not None
    return Face((x + right, y + down, width, height), face.score, face.landmarks + np.array([right, down], np.float32))


def _patch_transform(face: Face, side: int) -> Transform:
    frame = round(side / 2 / BOX_WIDTH)
    transform = framing_transform(face, frame)
    transform[:, 2] += (side - frame) / 2
    return transform


def _is_same(found: Face, side: int) -> bool:
    """Tell whether a face found in a patch is the one that the patch was cut around."""
    shift = np.hypot(*np.subtract(found.center, side / 2))
    growth = min(found.box[2:]) / (side / 2)
    return bool(shift <= MAX_SHIFT * side / 2 and 1 / MAX_GROWTH <= growth <= MAX_GROWTH)


def _from_patch(found: Face, transform: Transform, score: float) -> Face:
    """Convert a face found in a patch to pixels of the image. Its box keeps the size that it has when level."""
    assert found.landmarks is not None
    back = invert(transform)
    _, _, width, height = found.box
    x, y = back @ (found.center[0] - 0.5, found.center[1] - 0.5, 1.0) + 0.5
    landmarks = (found.landmarks @ back[:, :2].T + back[:, 2]).astype(np.float32)
    scale = float(np.hypot(*back[:, 0]))
    wide, high = width * scale, height * scale
    turned = framing_roll(Face((0.0, 0.0, wide, high), score, landmarks))
    if lies_on_its_side(turned) != lies_on_its_side(framing_roll(found)):
        wide, high = high, wide
    return Face((float(x) - wide / 2, float(y) - high / 2, wide, high), score, landmarks)
