"""Predict the expressions of all faces in pictures, and write the results as tables and files."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.classifier import Classifier
from fer_core.faces import FaceDetector, annotated_png, crop_face, default_detector, head_pose, whole_image_face
from fer_core.files import no_formula, write_rows
from fer_core.labels import EXPRESSIONS
from fer_core.names import normal_name, readable
from fer_core.types import Face, FaceResult, FerError, Image

BOX: Final = ("x", "y", "width", "height")
POINTS: Final = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")


def result_columns(classes: tuple[str, ...] = EXPRESSIONS) -> tuple[str, ...]:
    """Return the columns of one face, see `result_row`; those of the probabilities are the model's classes."""
    return (
        *(*BOX, "expression", *classes, "sure", "detector_score", "roll", "yaw", "pitch"),
        *(f"{point}_{axis}" for point in POINTS for axis in "xy"),
    )


def picture_columns(classes: tuple[str, ...] = EXPRESSIONS) -> tuple[str, ...]:
    """Return the columns of `PictureResult.rows`: the picture, why it cannot be used, and a face."""
    return ("file", "error", "face", *result_columns(classes))


def reading_order(faces: Iterable[Face]) -> list[Face]:
    """Return faces as one reads: by rows from the top, and from left to right within a row.

    A row's faces have their centres at most half a face below that of its highest one.
    """
    rows: list[list[Face]] = []
    for face in sorted(faces, key=lambda face: face.center[1]):
        if rows and face.center[1] - rows[-1][0].center[1] <= rows[-1][0].box[3] / 2:
            rows[-1].append(face)
        else:
            rows.append([face])
    return [face for row in rows for face in sorted(row, key=lambda face: face.center[0])]


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
        """Return one result per face, in the order of `reading_order`; an empty list if there is no face.

        Args:
            image: `(height, width, 3)` RGB uint8.
            whole_image: the picture is already a face crop, so do not detect faces in it.

        Raises:
            FerError: the image has another shape or type.
        """
        if whole_image:
            return self.classify(image, [whole_image_face(image)])
        return self.classify(image, reading_order(self.detector.detect(image)))

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
    """The faces that one model found in one picture, as one reads, or one sentence on why it cannot be used."""

    file: str
    model: str
    faces: tuple[FaceResult, ...] = ()
    error: str | None = None
    classes: tuple[str, ...] = EXPRESSIONS  # of the model

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", readable(self.file))

    def as_dict(self) -> dict[str, Any]:
        """Return all but the model as JSON types."""
        names = result_columns(self.classes)
        rows = [dict(zip(names, result_row(face), strict=True)) for face in self.faces]
        faces = [result_dict(row, self.classes) for row in rows]
        return {"file": self.file, "error": self.error, "faces": faces}

    def rows(self) -> list[list[Any]]:
        """Return one row of `picture_columns` per face; without faces one row, with the error if there is one."""
        rows = [[self.file, None, number, *result_row(face)] for number, face in enumerate(self.faces, 1)]
        return rows or [[self.file, self.error, *[None] * (len(picture_columns(self.classes)) - 2)]]


def analyze_picture(
    read: Callable[[], Image],
    analyzer: FaceAnalyzer,
    *,
    file: str,
    model: str = "",
    whole_image: bool = False,
    use: Callable[[Image, list[FaceResult]], object] = lambda *_: None,
) -> PictureResult:
    """Return the faces in the picture that `read` returns, or why it cannot be used: the message of a `FerError`.

    Args:
        file, model: names for the result.
        whole_image: as for `FaceAnalyzer.analyze`.
        use: is called with the picture and its faces, for example to draw them.
    """
    try:
        image = read()
        faces = analyzer.analyze(image, whole_image=whole_image)
        use(image, faces)
    except FerError as error:
        return PictureResult(file, model, error=str(error), classes=analyzer.classifier.classes)
    return PictureResult(file, model, tuple(faces), classes=analyzer.classifier.classes)


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


def result_row(result: FaceResult) -> list[Any]:
    """Return a face as a row of `result_columns`.

    The box and the landmarks are in pixels, left and right as in the picture, and rounded as all numbers are.
    `expression` is the most probable one, also where the model is not `sure`. Roll, yaw and pitch are those of
    `faces.head_pose`. Landmarks and angles that are unknown are None.
    """
    face = result.face
    points = np.full(2 * len(POINTS), np.nan) if face.landmarks is None else face.landmarks.ravel()
    return [
        *(*_rounded(face.box, 1), result.expression, *_rounded(result.probabilities, 6)),
        *(result.sure, *_rounded([face.score], 4), *_rounded(head_pose(face), 1), *_rounded(points, 1)),
    ]


def result_dict(row: Mapping[str, Any], classes: tuple[str, ...] = EXPRESSIONS) -> dict[str, Any]:
    """Return a face, by the names of `result_columns`, as the JSON types of the command line's output."""
    landmarks = {point: [row[f"{point}_x"], row[f"{point}_y"]] for point in POINTS}
    return {
        "box": [row[side] for side in BOX],
        "expression": row["expression"],
        "probabilities": {name: row[name] for name in classes},
        **{name: row[name] for name in ("sure", "detector_score", "roll", "yaw", "pitch")},
        "landmarks": None if row["nose_x"] is None else landmarks,
    }


def _rounded(values: Iterable[float], digits: int) -> list[float | None]:
    return [None if math.isnan(value) else round(float(value), digits) for value in values]
