"""Made-up photos with faces at known places: FER2013 frames enlarged and pasted onto a plain room wall."""

from collections.abc import Sequence

import cv2
import numpy as np

from fer_core.types import Image


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


def scene_with_face(face: Image, seed: int = 0) -> tuple[Image, tuple[float, float, float]]:
    """Return a scene with one `(48, 48)` gray face enlarged to 120 to 200 pixels, and its centre x, y and side."""
    rng = np.random.default_rng(seed)
    side = rng.uniform(120, 200)
    x, y = rng.uniform(side / 2 + 2, 418 - side / 2), rng.uniform(side / 2 + 2, 318 - side / 2)
    return paste(wall(420, 320, seed), face, (x, y, side, 0.0)), (x, y, side)
