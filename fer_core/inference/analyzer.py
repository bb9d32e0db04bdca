"""Predict the expressions of all faces in a picture. Thread-safe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_core.classifier import Classifier
from fer_core.faces import FaceDetector, crop_face, default_detector, whole_image_face
from fer_core.types import Face, FaceResult, Image


class FaceAnalyzer:
    """Detect the faces in an image, crop them like FER2013's faces, and classify each.

    Args:
        classifier: classifies the face crops.
        detector: by default `default_detector()`.
        flip: average each face with its mirror image.
        thorough: True for photos. False is several times faster, for frames of a camera or video.
    """

    def __init__(
        self,
        classifier: Classifier,
        detector: FaceDetector | None = None,
        flip: bool = False,
        thorough: bool = True,
    ) -> None:
        self.classifier, self.flip, self.thorough = classifier, flip, thorough
        self.detector = detector or default_detector()

    def analyze(self, image: Image, whole_image: bool = False) -> list[FaceResult]:
        """Return one result per face, largest first; an empty list if there is no face.

        Args:
            image: `(height, width, 3)` RGB uint8.
            whole_image: the picture is already a face crop, so do not detect faces in it.

        Raises:
            FerError: the image has another shape or type.
        """
        faces = [whole_image_face(image)] if whole_image else self.detector.detect(image, self.thorough)
        return self.classify(image, faces)

    def classify(self, image: Image, faces: Sequence[Face]) -> list[FaceResult]:
        """Crop and classify faces that were already detected, in their order."""
        cuts = [crop_face(image, face) for face in faces]
        crops: NDArray[np.uint8] = np.stack([crop for crop, _ in cuts]) if cuts else np.zeros((0, 48, 48), np.uint8)
        prediction = self.classifier.predict(crops, flip=self.flip)
        return [
            FaceResult(
                face,
                crop,
                transform,
                probabilities,
                activation if self.classifier.locates else None,
                self.classifier.not_sure_below,
            )
            for face, (crop, transform), probabilities, activation in zip(
                faces, cuts, prediction.probabilities, prediction.activation, strict=True
            )
        ]
