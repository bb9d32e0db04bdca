"""Types that all parts of the package share: pictures, faces, results and the error shown to users."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.labels import EXPRESSIONS, NOT_SURE
from fer_core.names import readable

Image = NDArray[np.uint8]
"""A picture: `(height, width, 3)` RGB or `(height, width)` gray, 8-bit."""


class FerError(ValueError):
    """Input from the user cannot be used. Pages and commands show the message, which `readable` can be written."""

    def __init__(self, message: str) -> None:
        super().__init__(readable(message))


def reason(error: BaseException) -> str:
    """Return in one short line why something failed, without the number of an error of the operating system."""
    cause = getattr(error, "reason", None) or error  # of a failed download
    words = str(getattr(cause, "strerror", None) or cause).strip().splitlines() or [type(cause).__name__]
    return re.sub(r"\[(?:Errno|WinError) -?\d+\] ", "", words[0])[:160]


@dataclass(frozen=True, eq=False)
class Face:
    """A face found in an image, with the detector's confidence as `score`, 0 to 1.

    Attributes:
        box: `(x, y, width, height)` in pixels of the image. It may extend beyond the image.
        landmarks: `(5, 2)` float32 x, y in pixels: left eye, right eye, nose tip, left and right corner of the mouth.
            Left and right are the image's. None if the detector does not provide them.
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
    def center(self) -> tuple[float, float]:
        x, y, width, height = self.box
        return x + width / 2, y + height / 2

    @property
    def area(self) -> float:
        return self.box[2] * self.box[3]


@dataclass(frozen=True, eq=False)
class FaceResult:
    """The prediction for one face.

    Attributes:
        crop: `(48, 48)` uint8 gray, framed like FER2013's faces: the model's input before its own preprocessing.
        transform: `(2, 3)` float64 affine matrix from image x, y to crop x, y, both in pixels.
        probabilities: `(classes,)` float32 with the sum 1; `(7,)` for models of the seven expressions.
        activation: `(rows, columns, classes)` float32 class activation map over the crop. None if the model's last
            feature map has only one cell.
        not_sure_below: the model's threshold of the confidence, 0 to 1; 0 for none.
        classes: the model's classes, in the order of the probabilities.
    """

    face: Face
    crop: Image
    transform: NDArray[np.float64]
    probabilities: NDArray[np.float32]
    activation: NDArray[np.float32] | None = None
    not_sure_below: float = 0.0
    classes: tuple[str, ...] = EXPRESSIONS

    def __post_init__(self) -> None:
        if self.probabilities.shape != (len(self.classes),):
            expected = f"Expected probabilities of shape ({len(self.classes)},)."
            raise ValueError(f"{expected} Received: {self.probabilities.shape}")

    @property
    def expression(self) -> str:
        return self.classes[int(self.probabilities.argmax())]

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())

    @property
    def sure(self) -> bool:
        return self.confidence >= self.not_sure_below

    @property
    def answer(self) -> str:
        return self.expression if self.sure else NOT_SURE
