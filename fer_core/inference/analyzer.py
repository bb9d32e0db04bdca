"""A photo in, one result a face out: the path that every page and command takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_core.faces import FaceDetector, crop_face, default_detector, whole_image_face
from fer_core.inference.classifier import Classifier
from fer_core.types import Face, FaceResult, Image


class FaceAnalyzer:
    """Find the faces of an image, cut them out as FER2013 frames faces, and classify each.

    Args:
        classifier: says the expression of a crop.
        detector: finds faces; YuNet where it can be had, else Haar.
        flip: average each face with its mirror image.
        thorough: search photos for small faces too; False, several times faster, for frames of a camera or video.
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
        """Return one result a face, largest first; none where there is no face.

        Args:
            image: `(height, width, 3)` RGB uint8.
            whole_image: take the picture as a face crop already, and look for no face in it.

        Raises:
            ValueError: another shape or type.
        """
        faces = [whole_image_face(image)] if whole_image else self.detector.detect(image, self.thorough)
        return self.classify(image, faces)

    def classify(self, image: Image, faces: Sequence[Face]) -> list[FaceResult]:
        """Cut out and classify faces that are found already, in their order."""
        cuts = [crop_face(image, face) for face in faces]
        crops: NDArray[np.uint8] = np.stack([crop for crop, _ in cuts]) if cuts else np.zeros((0, 48, 48), np.uint8)
        prediction = self.classifier.predict(crops, flip=self.flip)
        return [
            FaceResult(face, crop, transform, probabilities, activation if self.classifier.locates else None)
            for face, (crop, transform), probabilities, activation in zip(
                faces, cuts, prediction.probabilities, prediction.activation, strict=True
            )
        ]
