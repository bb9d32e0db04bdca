"""Made-up photos with faces at known places: FER2013 frames enlarged and pasted onto a plain room wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.types import Image


@dataclass(frozen=True, eq=False)
class Scene:
    """A photo and the truth about it.

    Attributes:
        image: `(height, width, 3)` uint8 RGB.
        frames: `(n, 4)` float64, one pasted frame a row: centre x, centre y, side (pixels), roll (degrees, positive
            when the image's right eye is lower).
    """

    image: Image
    frames: NDArray[np.float64]


def wall(width: int, height: int, seed: int = 0) -> Image:
    """Return a `(height, width, 3)` RGB background: large soft blotches and a little sensor noise, no face."""
    rng = np.random.default_rng(seed)
    blotches = rng.uniform(70, 190, (5, 6, 3)).astype(np.float32)
    soft = cv2.resize(blotches, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(soft + rng.normal(0, 2, soft.shape), 0, 255).astype(np.uint8)


def paste(image: Image, face: Image, frame: Sequence[float]) -> Image:
    """Return a copy of the RGB `image` with a `(48, 48)` gray face put at `frame` (centre x, y, side, roll)."""
    x, y, side, roll = frame
    size = face.shape[0]
    cosine, sine = np.cos(np.radians(roll)) * side / size, np.sin(np.radians(roll)) * side / size
    turn = np.array([[cosine, -sine], [sine, cosine]])
    offset = np.array([x, y]) - 0.5 - turn @ np.full(2, size / 2 - 0.5)
    to_image = np.column_stack([turn, offset])
    target = (image.shape[1], image.shape[0])
    rgb = np.repeat(face[:, :, None], 3, axis=2)
    pasted = cv2.warpAffine(rgb, to_image, target, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    corners = np.array([[-0.5, -0.5], [size - 0.5, -0.5], [size - 0.5, size - 0.5], [-0.5, size - 0.5]])
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners @ turn.T + offset).astype(np.int32), 1)
    return np.where(mask[:, :, None] == 1, pasted, image).astype(np.uint8)


def scene_with_face(
    face: Image,
    seed: int = 0,
    width: int = 640,
    height: int = 480,
    roll: float = 0.0,
    sides: tuple[int, int] = (120, 200),
) -> Scene:
    """Return a scene with one `(48, 48)` gray face enlarged to a random side within `sides`, wholly inside."""
    rng = np.random.default_rng(seed)
    side = rng.uniform(*sides)
    reach = side * (abs(np.cos(np.radians(roll))) + abs(np.sin(np.radians(roll)))) / 2 + 2
    x, y = rng.uniform(reach, width - reach), rng.uniform(reach, height - reach)
    frame = (x, y, side, roll)
    return Scene(paste(wall(width, height, seed), face, frame), np.array([frame]))


def scene_with_grid(faces: NDArray[np.uint8], columns: int, side: int, gap: int, seed: int = 0) -> Scene:
    """Return a group photo: `(n, 48, 48)` gray faces, each `side` pixels, in rows of `columns`, `gap` pixels apart."""
    rows = -(-len(faces) // columns)
    step = side + gap
    image = wall(columns * step + gap, rows * step + gap, seed)
    frames = []
    for index, face in enumerate(faces):
        row, column = divmod(index, columns)
        frame = (gap + column * step + side / 2, gap + row * step + side / 2, float(side), 0.0)
        image = paste(image, face, frame)
        frames.append(frame)
    return Scene(image, np.array(frames))
