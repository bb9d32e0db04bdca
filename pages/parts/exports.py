"""Results to take along: CSV and JSON with the command line's columns and keys, and annotated pictures."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd

from fer_core.faces import annotated_png
from fer_core.labels import EXPRESSIONS
from pages.parts.analysis import Answer, Picture, decoded

COLUMNS = ("file", "error", "face", "x", "y", "width", "height", "expression", *EXPRESSIONS, "model")
"""The command line's columns, and the model last."""


def as_json(answers: Sequence[Answer]) -> str:
    """Return one JSON document: the list that `predict --json` prints, and the model in each entry."""
    return json.dumps([given.as_dict() for given in answers], indent=1, ensure_ascii=False) + "\n"


def as_csv(answers: Sequence[Answer]) -> str:
    """Return CSV, one row a face; a file that failed has one row with its error."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(answers))
    return stream.getvalue()


def as_table(answers: Sequence[Answer]) -> pd.DataFrame:
    """Return one row a face for the page: file, face, expression, its probability, all seven, model."""
    rows = [
        {
            "File": given.file,
            "Face": number,
            "Expression": face.expression,
            "Probability": face.confidence,
            **dict(zip(EXPRESSIONS, (float(p) for p in face.probabilities), strict=True)),
            "Model": given.model,
        }
        for given in answers
        for number, face in enumerate(given.faces, 1)
    ]
    return pd.DataFrame(rows)


def as_pictures(pictures: Sequence[Picture], answers: Sequence[Answer]) -> bytes:
    """Return the annotated picture as a PNG, or a zip of PNGs for several. Needs no session.

    Args:
        pictures: readable ones.
        answers: what to draw into each, in the same order.
    """
    if len(pictures) == 1:
        return annotated_png(decoded(pictures[0]), answers[0].faces)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:  # PNGs are compressed already
        for number, (picture, given) in enumerate(zip(pictures, answers, strict=True), 1):
            name = f"{number:03d}-{_stem(picture.name)}-annotated.png"
            archive.writestr(name, annotated_png(decoded(picture), given.faces))
    return stream.getvalue()


def _stem(name: str) -> str:
    """Return a file name's stem that is safe in any zip and on any disk."""
    stem = PurePath(name.replace("\\", "/")).stem
    return re.sub(r'[\x00-\x1f<>:"/|?*]', "_", stem).strip(". ")[:80] or "picture"


def _rows(answers: Sequence[Answer]) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for given in answers:
        if given.error:
            rows.append([given.file, given.error, *[""] * (len(COLUMNS) - 3), given.model])
        for number, face in enumerate(given.faces, 1):
            entry = face.as_dict()
            values = entry["probabilities"].values()
            rows.append([given.file, "", number, *entry["box"], entry["expression"], *values, given.model])
    return rows
