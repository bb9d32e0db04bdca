"""Every step from a picture to the probabilities of one face, for people who want to follow a prediction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.faces import (
    FaceDetector,
    annotated_jpeg,
    default_detector,
    framing_roll,
    framing_transform,
    marked_faces,
    preprocess_faces,
)
from fer_core.faces.framing import cut_square, frame_side
from fer_core.faces.preprocessing import DETECTING
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.models import ModelSpec
from fer_core.models.backbones import input_scale, network_input
from fer_core.types import Face, FaceResult, FerError, Image

MARKED: Final = 768  # longer side in pixels of the pictures with marked faces
SURROUNDINGS: Final = 0.3  # how far a close-up reaches beyond the face's box, as a share of the box
UPRIGHT: Final = 480  # side in pixels of the upright face in colour
PATCH: Final = 8  # side in pixels of the part of the network's input whose numbers are shown
PATCH_CENTER: Final = (0.40, 0.31)
"""Row and column of its middle, as shares of the side: the eye on the left, as FER2013 frames faces."""


@dataclass(frozen=True, eq=False)
class Tour:
    """What every step makes of the largest face of a picture."""

    picture: bytes  # as a JPEG file, at most 1,400 pixels wide or high
    size: tuple[int, int]  # width and height of the original in pixels
    marked: Image  # the picture with the box and the landmarks of each face, RGB, 768 pixels wide or high
    close: Image  # the same of the largest face's surroundings
    faces: int  # the number of detected faces
    roll: float  # degrees by which the face was turned, clockwise in the picture; 0 if it is unknown
    upright: Image  # `(480, 480, 3)` RGB, the face turned upright and framed like FER2013's faces
    side: float  # of that frame in pixels of the picture
    result: FaceResult  # the face, its `(48, 48)` crop and its probabilities as served
    maps: NDArray[np.float32]  # the activation maps, `(rows, columns, 7)`: what each place adds to each logit
    numbers: NDArray[np.float32]  # `(side, side, channels)`, what the first convolution gets
    scale: tuple[float, float]  # factor and offset that turn a gray level into a number of the first channel
    corner: tuple[int, int]  # first row and column of `patch`
    patch: NDArray[np.float32]  # `(8, 8)`, a part of the first channel of `numbers`, around the eye on the left
    logits: NDArray[np.float64]  # `(7,)`, the mean of each activation map
    exponentials: NDArray[np.float64]  # `(7,)`, the exponential function of each logit
    softmax: NDArray[np.float64]  # `(7,)`, each exponential divided by the sum of all
    largest_difference: float  # between `softmax` and the served probabilities


def tour(classifier: Classifier, spec: ModelSpec, image: Image, detector: FaceDetector | None = None) -> Tour:
    """Follow the largest face of a picture from pixels to probabilities.

    Args:
        classifier: the model. Its maps must have several cells and cover the whole crop.
        spec: of the same model.
        image: `(height, width, 3)` uint8 RGB.
        detector: by default `default_detector()`.

    Raises:
        FerError: no face is detected, or the model's maps have one cell or cover only a part of the crop.
    """
    if not classifier.locates or spec.preprocessing in DETECTING:
        raise FerError(
            "The tour needs a model whose activation maps show places of the whole face. Choose another model, for "
            f"example a compact CNN. Received: {spec.title}"
        )
    detector = detector or default_detector()
    faces = detector.detect(image)
    if not faces:
        raise FerError(
            "No face was found in this picture. A larger, brighter or more frontal face may help. "
            f"Received: {image.shape[1]} × {image.shape[0]} pixels"
        )
    face = faces[0]
    (result,) = FaceAnalyzer(classifier, detector).classify(image, [face])
    assert result.activation is not None
    numbers = network_input(preprocess_faces(result.crop[None], spec.preprocessing)[0], spec)
    row, column = (round(share * len(numbers)) - PATCH // 2 for share in PATCH_CENTER)
    factors, offsets = input_scale(spec)
    logits = result.activation.astype(np.float64).mean(axis=(0, 1))
    exponentials = np.exp(logits)
    softmax = exponentials / exponentials.sum()
    return Tour(
        picture=annotated_jpeg(image, []),
        size=(image.shape[1], image.shape[0]),
        marked=marked_faces(image, faces, MARKED),
        close=_close_up(image, face),
        faces=len(faces),
        roll=framing_roll(face),
        upright=cut_square(image, framing_transform(face, UPRIGHT), UPRIGHT),
        side=frame_side(face),
        result=result,
        maps=result.activation,
        numbers=numbers,
        scale=(factors[0], offsets[0]),
        corner=(row, column),
        patch=numbers[row : row + PATCH, column : column + PATCH, 0],
        logits=logits,
        exponentials=exponentials,
        softmax=softmax,
        largest_difference=float(np.abs(softmax - result.probabilities).max()),
    )


def _close_up(image: Image, face: Face) -> Image:
    x, y, width, height = face.box
    left, top = max(0, round(x - SURROUNDINGS * width)), max(0, round(y - SURROUNDINGS * height))
    part = image[top : round(y + (1 + SURROUNDINGS) * height), left : round(x + (1 + SURROUNDINGS) * width)]
    landmarks = None if face.landmarks is None else face.landmarks - np.array([left, top], np.float32)
    moved = replace(face, box=(x - left, y - top, width, height), landmarks=landmarks)
    return marked_faces(np.ascontiguousarray(part), [moved], MARKED)
