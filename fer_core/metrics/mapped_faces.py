"""A model's map of faces with what is known of each face, and the faces that a person selects on it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from PIL import Image as Pillow

from fer_core.data.dataset import FACE_SIZE
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.core import f1_table, measure_models
from fer_core.metrics.predictions import Predictions
from fer_core.types import FerError

FEW: Final = 20
"""With fewer faces of an expression, its F1 says little."""

SHEET_COLUMNS: Final = 64
"""Faces in a row of `face_sheet`."""

_UNKNOWN: Final = 128  # gray level in place of a face that the installed data lack


def map_table(
    places: pd.DataFrame,
    by_label: Sequence[Predictions],
    by_votes: Sequence[Predictions],
    name: str,
    faces: Fer2013Faces,
) -> pd.DataFrame:
    """Return the faces of a model's stored map with what is known of each.

    The predictions are of each test split, judged by FER2013's label, and by most annotators if that is known.

    Returns:
        One row for each face on the map with a stored prediction: `place` (its number from 0), `row`, `split`, `x`,
        `y`, `kept`, `label`, `plurality` (empty without one clear answer), `prediction`, `confidence` and `agreement`
        (share of votes for the most frequent answer; NaN if unknown).

    Raises:
        FerError: `by_label` is empty.
    """
    if not by_label:
        raise FerError(f"The model {name} has no stored predictions of the faces on its map that can be read.")
    names = np.array(EXPRESSIONS)
    plurality: dict[int, str] = {}
    for part in by_votes:
        plurality |= dict(zip(part.rows.tolist(), names[part.labels].tolist(), strict=True))
    known = pd.concat(
        pd.DataFrame(
            {
                "row": part.rows,
                "split": part.split,
                "label": names[part.given],
                "prediction": names[part.probabilities[name].argmax(axis=1)],
                "confidence": part.probabilities[name].max(axis=1),
            }
        )
        for part in by_label
    )
    table = places.merge(known, on="row")
    return table.assign(
        place=np.arange(len(table)),
        plurality=[plurality.get(row, "") for row in table["row"]],
        agreement=faces.agreement(table["row"].to_numpy(np.int64)),
    )


def judged(table: pd.DataFrame, by: str) -> pd.Series:
    """Return "right" or "wrong" for each prediction of `map_table` by one of `columns.YARDSTICKS`; empty if unknown."""
    right = np.where(table["prediction"] == table[by], "right", "wrong")
    return pd.Series(np.where(table[by] == "", "", right), index=table.index)


def expression_scores(predictions: Predictions, name: str) -> tuple[pd.DataFrame, list[str]]:
    """Return the `f1_table` of a model on at least one face, and the expressions with 1 to `FEW` - 1 faces."""
    own = predictions.only([name])
    table = f1_table(own, measure_models(own))
    few = table[(table["faces"] > 0) & (table["faces"] < FEW)]
    return table, few["expression"].tolist()


def face_sheet(faces: Fer2013Faces, table: pd.DataFrame) -> bytes | None:
    """Return all faces of a `map_table` as one picture, `SHEET_COLUMNS` in a row, in the order of `place`.

    Returns:
        A gray JPEG, about 3 MB for both test splits; None if none of the faces is available.
    """
    pictures = [faces.face(row, label) for row, label in zip(table["row"], table["label"], strict=True)]
    if all(face is None for face in pictures):
        return None
    rows = -(-len(pictures) // SHEET_COLUMNS)
    sheet = np.full((rows, FACE_SIZE, SHEET_COLUMNS, FACE_SIZE), _UNKNOWN, np.uint8)
    for place, face in enumerate(pictures):
        if face is not None:
            sheet[place // SHEET_COLUMNS, :, place % SHEET_COLUMNS] = face
    stream = io.BytesIO()
    Pillow.fromarray(sheet.reshape(rows * FACE_SIZE, -1)).save(stream, "JPEG", quality=60)
    return stream.getvalue()
