"""Files of the predictions for pictures: JSON and CSV as the command line writes them, and annotated pictures."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import pandas as pd

from fer_core.faces import annotated_png
from fer_core.labels import EXPRESSIONS
from fer_core.types import FaceResult, Image

COLUMNS: Final = ("file", "error", "face", "x", "y", "width", "height", "expression", *EXPRESSIONS, "model")
"""The columns of `predict --csv`, and the model."""


@dataclass(frozen=True)
class PictureResult:
    """The faces that one model found in one picture.

    Attributes:
        file: the name of the picture.
        model: the name of the model.
        faces: largest first.
        error: why the picture cannot be used, one sentence.
    """

    file: str
    model: str
    faces: tuple[FaceResult, ...] = ()
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the keys of `predict --json`, and the model."""
        faces = [face.as_dict() for face in self.faces]
        return {"file": self.file, "error": self.error, "faces": faces, "model": self.model}


def results_json(results: Sequence[PictureResult]) -> str:
    """Return results as a JSON list with one entry per picture and model."""
    return json.dumps([result.as_dict() for result in results], indent=1, ensure_ascii=False) + "\n"


def results_csv(results: Sequence[PictureResult]) -> str:
    """Return results as CSV with one row per face; a picture that cannot be used has one row with its error."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in results:
        if result.error:
            writer.writerow([result.file, result.error, *[""] * (len(COLUMNS) - 3), result.model])
        for number, face in enumerate(result.faces, 1):
            writer.writerow([result.file, "", number, *face.as_row(), result.model])
    return stream.getvalue()


def results_table(results: Sequence[PictureResult]) -> pd.DataFrame:
    """Return results for people to read, with one row per face."""
    rows = [
        {
            "File": result.file,
            "Face": number,
            "Expression": face.expression,
            "Probability": face.confidence,
            **dict(zip(EXPRESSIONS, map(float, face.probabilities), strict=True)),
            "Model": result.model,
        }
        for result in results
        for number, face in enumerate(result.faces, 1)
    ]
    return pd.DataFrame(rows)


def annotated_zip(pictures: Iterable[tuple[str, Image, Sequence[FaceResult]]]) -> bytes:
    """Return a zip of PNG files, each a picture with numbered boxes around its faces.

    Args:
        pictures: the file name, the RGB picture and the faces of each.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:  # no compression: PNG files are compressed already
        for number, (name, image, faces) in enumerate(pictures, 1):
            archive.writestr(f"{number:03d}-{_safe_stem(name)}-annotated.png", annotated_png(image, faces))
    return stream.getvalue()


def _safe_stem(name: str) -> str:
    """Return the stem of a file name with only characters that are allowed in any zip and on any disk."""
    stem = PurePath(name.replace("\\", "/")).stem
    return re.sub(r'[\x00-\x1f<>:"/|?*]', "_", stem).strip(". ")[:80] or "picture"
