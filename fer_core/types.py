"""The few frozen dataclasses that flow between the rooms of the package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_core.labels import EXPRESSIONS, NUM_CLASSES

Image = NDArray[np.uint8]
"""A picture: `(height, width, 3)` RGB or `(height, width)` gray, 8-bit."""


class FerError(ValueError):
    """Something a user handed in cannot be used. The message is one sentence fit to be shown as it is."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face found in an image.

    Attributes:
        box: `(x, y, width, height)` in pixels of the image; may reach beyond its border.
        score: the detector's confidence, 0 to 1.
        landmarks: `(5, 2)` float32 x, y in pixels: the eye on the image's left, the eye on its right, nose tip,
            mouth corner on the image's left, mouth corner on its right. None if the detector gives none.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if len(self.box) != 4 or self.box[2] <= 0 or self.box[3] <= 0:
            raise ValueError(f"Expected a box (x, y, width, height) of positive size. Received: {self.box}")
        if self.landmarks is not None and self.landmarks.shape != (5, 2):
            raise ValueError(f"Expected landmarks of shape (5, 2). Received: {self.landmarks.shape}")

    @property
    def roll(self) -> float:
        """Angle of the line between the eyes in degrees, positive when the image's right eye is lower; 0 if unknown."""
        if self.landmarks is None:
            return 0.0
        dx, dy = self.landmarks[1] - self.landmarks[0]
        return float(np.degrees(np.arctan2(dy, dx)))


@dataclass(frozen=True, eq=False)
class FaceResult:
    """One analysed face.

    Attributes:
        face: where it was found.
        crop: `(48, 48)` uint8 gray, framed as FER2013 frames faces: what the model saw, before its own preprocessing.
        transform: `(2, 3)` float64 affine matrix that takes image x, y (pixels) to crop x, y (pixels).
        probabilities: `(7,)` float32 in the order of `labels.EXPRESSIONS`; sums to 1.
        activation: `(rows, columns, 7)` float32 class activation map over the crop; None where the model takes the
            face as one piece.
    """

    face: Face
    crop: Image
    transform: NDArray[np.float64]
    probabilities: NDArray[np.float32]
    activation: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.probabilities.shape != (NUM_CLASSES,):
            raise ValueError(f"Expected probabilities of shape (7,). Received: {self.probabilities.shape}")

    @property
    def expression(self) -> str:
        """The most probable expression's name."""
        return EXPRESSIONS[int(self.probabilities.argmax())]

    @property
    def confidence(self) -> float:
        """The probability of `expression`."""
        return float(self.probabilities.max())

    def as_dict(self) -> dict[str, Any]:
        """Return box, expression and probabilities as plain JSON types (the CLI's stable keys)."""
        return {
            "box": [round(float(v), 1) for v in self.face.box],
            "expression": self.expression,
            "probabilities": {
                name: round(float(p), 6) for name, p in zip(EXPRESSIONS, self.probabilities, strict=True)
            },
        }
