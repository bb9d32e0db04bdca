"""Predict the expressions of all faces in pictures, and write the results as tables and files."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.classifier import Classifier
from fer_core.faces import FaceDetector, annotated_png, crop_face, default_detector, whole_image_face
from fer_core.files import no_formula, write_rows
from fer_core.labels import EXPRESSIONS
from fer_core.names import normal_name, readable
from fer_core.types import Face, FaceResult, Image


def result_columns(classes: tuple[str, ...] = EXPRESSIONS) -> tuple[str, ...]:
    """Return the columns of one face, see `result_row`; those of the probabilities are the model's classes."""
    return ("x", "y", "width", "height", "expression", *classes)


def picture_columns(classes: tuple[str, ...] = EXPRESSIONS) -> tuple[str, ...]:
    """Return the columns of `PictureResult.rows`: the picture, why it cannot be used, and a face."""
    return ("file", "error", "face", *result_columns(classes))


PICTURE_COLUMNS: Final = picture_columns()


class FaceAnalyzer:
    """Detect the faces in an image, crop them like FER2013's faces, and classify each. Thread-safe.

    Args:
        classifier: classifies the face crops.
        detector: by default `default_detector()`.
        flip: average each face with its mirror image.

    Example:
        >>> analyzer = FaceAnalyzer(load_model().classifier())
        >>> [face.expression for face in analyzer.analyze(image)]
    """

    def __init__(self, classifier: Classifier, detector: FaceDetector | None = None, *, flip: bool = False) -> None:
        self.classifier, self.flip, self.detector = classifier, flip, detector or default_detector()

    def analyze(self, image: Image, whole_image: bool = False) -> list[FaceResult]:
        """Return one result per face, largest first; an empty list if there is no face.

        Args:
            image: `(height, width, 3)` RGB uint8.
            whole_image: the picture is already a face crop, so do not detect faces in it.

        Raises:
            FerError: the image has another shape or type.
        """
        return self.classify(image, [whole_image_face(image)] if whole_image else self.detector.detect(image))

    def classify(self, image: Image, faces: Sequence[Face]) -> list[FaceResult]:
        """Crop and classify faces that were already detected, in their order."""
        cuts = [crop_face(image, face) for face in faces]
        crops: NDArray[np.uint8] = np.stack([crop for crop, _ in cuts]) if cuts else np.zeros((0, 48, 48), np.uint8)
        by = self.classifier
        prediction = by.predict(crops, flip=self.flip)
        maps = prediction.activation if by.locates else [None] * len(cuts)
        return [
            FaceResult(face, crop, transform, probabilities, activation, by.not_sure_below, by.classes)
            for face, (crop, transform), probabilities, activation in zip(
                faces, cuts, prediction.probabilities, maps, strict=True
            )
        ]


@dataclass(frozen=True)
class PictureResult:
    """The faces that one model found in one picture, largest first, or one sentence on why it cannot be used."""

    file: str
    model: str
    faces: tuple[FaceResult, ...] = ()
    error: str | None = None
    classes: tuple[str, ...] = EXPRESSIONS  # of the model

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", readable(self.file))

    def as_dict(self) -> dict[str, Any]:
        """Return all but the model as JSON types."""
        return {"file": self.file, "error": self.error, "faces": [face.as_dict() for face in self.faces]}

    def rows(self) -> list[list[Any]]:
        """Return one row of `picture_columns` per face; without faces one row, with the error if there is one."""
        rows = [[self.file, None, number, *result_row(face)] for number, face in enumerate(self.faces, 1)]
        return rows or [[self.file, self.error, *[None] * (len(picture_columns(self.classes)) - 2)]]


def results_json(results: Sequence[PictureResult]) -> str:
    """Return results as a JSON list with one entry per picture and model."""
    entries = [{**result.as_dict(), "model": result.model} for result in results]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def results_csv(results: Sequence[PictureResult]) -> str:
    """Return results by models of the same classes as CSV with `picture_columns` and `model`."""
    stream = io.StringIO()
    write_rows(stream, [[*picture_columns(results[0].classes), "model"]])
    write_rows(stream, ([*row, result.model] for result in results for row in result.rows()))
    return stream.getvalue()


def results_table(results: Sequence[PictureResult]) -> pd.DataFrame:
    """Return results by models of the same classes for people to read, with one row per face."""
    rows = [
        (no_formula(result.file), k, face.expression, face.confidence, *map(float, face.probabilities), result.model)
        for result in results
        for k, face in enumerate(result.faces, 1)
    ]
    return pd.DataFrame(rows, columns=["File", "Face", "Expression", "Probability", *results[0].classes, "Model"])


def annotated_zip(pictures: Iterable[tuple[str, Image, Sequence[FaceResult]]]) -> bytes:
    """Return a zip of PNG files with numbered boxes around the faces, from file names, RGB pictures and faces."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:  # no compression: PNG files are compressed already
        for number, (name, image, faces) in enumerate(pictures, 1):
            stem = re.sub(r'[\x00-\x1f<>:"/|?*]', "_", PurePath(normal_name(name)).stem)  # for any zip and any disk
            stem = stem.strip(". ")[:80] or "picture"
            archive.writestr(f"{number:03d}-{stem}-annotated.png", annotated_png(image, faces))
    return stream.getvalue()


def result_row(result: FaceResult) -> list[float | str]:
    """Return x, y, width, height, expression and the probabilities, rounded as in `FaceResult.as_dict`."""
    entry = result.as_dict()
    return [*entry["box"], entry["expression"], *entry["probabilities"].values()]
