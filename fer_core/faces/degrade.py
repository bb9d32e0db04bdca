"""Degraded copies of faces, to measure how a model holds up: the same copy every time."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SEED: Final = 2013


def add_noise(faces: NDArray[np.uint8], deviation: float) -> NDArray[np.uint8]:
    """Return faces `(n, height, width)` with Gaussian noise of this standard deviation in gray levels."""
    random = np.random.default_rng(SEED)
    noisy = [np.clip(np.rint(face + random.normal(0, deviation, face.shape)), 0, 255) for face in faces]
    return np.array(noisy, np.uint8).reshape(faces.shape)


def blur_faces(faces: NDArray[np.uint8], deviation: float) -> NDArray[np.uint8]:
    """Return faces `(n, height, width)` under a Gaussian blur of this standard deviation in pixels."""
    return np.array([cv2.GaussianBlur(face, (0, 0), deviation) for face in faces], np.uint8).reshape(faces.shape)
