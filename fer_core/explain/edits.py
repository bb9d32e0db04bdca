"""Edit a picture and classify a face again, to see what the prediction depends on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from fer_core.faces import framing_transform
from fer_core.inference import FaceAnalyzer
from fer_core.types import Face, FaceResult, FerError, Image

REGIONS: Final[dict[str, tuple[float, float, float, float]]] = {
    "eyes": (0.08, 0.22, 0.92, 0.50),
    "nose": (0.34, 0.36, 0.66, 0.66),
    "mouth": (0.20, 0.64, 0.80, 0.94),
    "left half": (0.0, 0.0, 0.5, 1.0),
    "right half": (0.5, 0.0, 1.0, 1.0),
}
"""Left, top, right, bottom as shares of FER2013's frame. The mean eyes are at (0.31, 0.39) and (0.68, 0.40), the mouth
at y = 0.76. Left and right are the picture's, not the person's."""

GRAY: Final = 128
NOISE_SEED: Final = 2013
CLOSE_UP: Final = 2.0  # side of a close-up, as a multiple of the face's frame
CLOSE_UP_FRAME: Final = 200
"""Maximum side in pixels of the face's frame in a close-up, so that noise has the same effect on every camera."""


@dataclass(frozen=True)
class Edits:
    """Edits to apply to a picture. The defaults change nothing.

    Raises:
        FerError: a region is unknown, or blur, contrast or noise is negative.
    """

    blur: float = 0.0  # standard deviation of a Gaussian blur, in percent of the face's width
    brightness: float = 0.0  # added to every pixel, in percent of white, -100 to 100
    contrast: float = 1.0  # factor around mid gray
    noise: float = 0.0  # standard deviation of Gaussian noise, in percent of white; the seed is fixed
    rotate: float = 0.0  # degrees counter-clockwise about the picture's centre
    cover: tuple[str, ...] = ()  # names in `REGIONS`, covered with gray on every face

    def __post_init__(self) -> None:
        unknown = [name for name in self.cover if name not in REGIONS]
        if unknown:
            raise FerError(f"Unknown region. Expected some of {', '.join(REGIONS)}. Received: {', '.join(unknown)}")
        for name in ("blur", "contrast", "noise"):
            if not getattr(self, name) >= 0:
                raise FerError(f"Expected a {name} of 0 or more. Received: {getattr(self, name)}")

    def apply(self, image: Image, faces: Sequence[Face] = ()) -> Image:
        """Return an edited copy of an RGB picture, of the same size.

        The order is that of a camera: cover, contrast and brightness, rotation, blur, noise. The faces are covered, and
        their mean width is the unit of blur; without faces it is the picture's width.
        """
        changed = image.copy()
        for face in faces:
            for region in self.cover:
                changed = cover_region(changed, face, region)
        if self.contrast != 1 or self.brightness:
            light = (np.arange(256) - GRAY) * self.contrast + GRAY + self.brightness * 2.55
            changed = np.rint(light.clip(0, 255)).astype(np.uint8)[changed]
        if self.rotate:
            height, width = changed.shape[:2]
            matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), self.rotate, 1.0)
            changed = np.asarray(
                cv2.warpAffine(changed, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
            )
        if self.blur:
            sigma = self.blur / 100 * (float(np.mean([face.box[2] for face in faces])) if faces else image.shape[1])
            changed = np.asarray(cv2.GaussianBlur(changed, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8)
        if self.noise:
            grain = np.random.default_rng(NOISE_SEED).standard_normal(changed.shape, dtype=np.float32)
            changed = np.rint((changed + grain * np.float32(self.noise * 2.55)).clip(0, 255)).astype(np.uint8)
        return changed


def edit_and_rerun(
    analyzer: FaceAnalyzer, image: Image, *, before: FaceResult, edits: Edits, find_again: bool = False
) -> tuple[Image, FaceResult | None]:
    """Edit a close-up of one face and classify it again.

    Edits that change nothing return the prediction as it was. The close-up of a face wider than 150 pixels is reduced,
    and this alone moves a probability by up to two points.

    Args:
        analyzer: detects and classifies.
        image: `(height, width, 3)` RGB uint8, the whole picture.
        before: the analyzer's result for a face of this image.
        edits: what to edit.
        find_again: detect the face again in the edited picture. False: use the same crop as before, so that only the
            model is tested.

    Returns:
        The edited close-up, RGB, and the new prediction; None if the face was not found again.
    """
    part, there = close_up(image, before.face)
    if edits == Edits():
        return part, before
    changed = edits.apply(part, [there])
    faces = analyzer.detector.detect(changed) if find_again else [there]
    nearest = sorted(faces, key=lambda face: math.dist(face.center, there.center))[:1]
    return changed, next(iter(analyzer.classify(changed, nearest)), None)


def cover_region(image: Image, face: Face, region: str) -> Image:
    """Return a copy of a picture with one of a face's `REGIONS` covered with gray, rotated like the face."""
    left, top, right, bottom = REGIONS[region]
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    to_frame = framing_transform(face, size=1)  # to shares of the crop's side; pixel centres are at -0.5
    back = np.linalg.inv(to_frame[:, :2])
    points = (corners - 0.5 - to_frame[:, 2]) @ back.T
    covered = image.copy()
    cv2.fillConvexPoly(covered, np.rint(points).astype(np.int32), (GRAY, GRAY, GRAY))
    return covered


def close_up(image: Image, face: Face) -> tuple[Image, Face]:
    """Return a square around one face of an RGB picture, reduced if it is large, and the face in its coordinates.

    The square is about `(side, side, 3)` RGB uint8, centred on the face, with edge pixels repeated beyond the picture.
    """
    to_frame = framing_transform(face, size=1)
    frame = 1 / math.sqrt(abs(float(np.linalg.det(to_frame[:, :2]))))
    scale = min(1.0, CLOSE_UP_FRAME / frame)
    x, y, width, height = face.box
    reach = max(1, math.ceil(CLOSE_UP * frame / 2))
    left, top = round(face.center[0]) - reach, round(face.center[1]) - reach
    part, missing = _inside(image, left, top, 2 * reach)
    if scale < 1:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    left_rim, right_rim, top_rim, bottom_rim = (round(rim * scale) for rim in missing)
    framed = cv2.copyMakeBorder(part, top_rim, bottom_rim, left_rim, right_rim, cv2.BORDER_REPLICATE)
    box = ((x - left) * scale, (y - top) * scale, width * scale, height * scale)
    landmarks = None if face.landmarks is None else ((face.landmarks - (left, top)) * scale).astype(np.float32)
    return np.asarray(framed, np.uint8), replace(face, box=box, landmarks=landmarks)


def _inside(image: Image, left: int, top: int, side: int) -> tuple[Image, tuple[int, int, int, int]]:
    """Return the part of a square inside the picture, and the missing pixels at the left, right, top and bottom."""
    height, width = image.shape[:2]
    x0, x1 = min(max(left, 0), width - 1), max(min(left + side, width), 1)
    y0, y1 = min(max(top, 0), height - 1), max(min(top + side, height), 1)
    missing = (max(0, -left), max(0, left + side - width), max(0, -top), max(0, top + side - height))
    return image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)], missing
