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

_QUALITY: Final = 60


def map_table(
    places: pd.DataFrame,
    by_label: Sequence[Predictions],
    by_votes: Sequence[Predictions],
    name: str,
    faces: Fer2013Faces,
) -> pd.DataFrame:
    """Return the faces of a map with what is known of each.

    Args:
        places: a stored map, with the columns `columns.MAP_COLUMNS`.
        by_label: predictions of each test split, judged by FER2013's label.
        by_votes: the same, judged by most annotators; empty if that is unknown.
        name: of the model that predicts.
        faces: FER2013's faces and FER+'s votes, as far as they are available.

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
    """Return "right" or "wrong" for each prediction of `map_table`, empty if there is no clear answer.

    Args:
        table: of `map_table`.
        by: one of `columns.YARDSTICKS`.
    """
    right = np.where(table["prediction"] == table[by], "right", "wrong")
    return pd.Series(np.where(table[by] == "", "", right), index=table.index)


def expression_scores(predictions: Predictions, name: str) -> tuple[pd.DataFrame, list[str]]:
    """Return F1 of each expression on some faces, and the expressions with too few faces for it.

    Args:
        predictions: of at least one face.
        name: of the model.

    Returns:
        The table of `f1_table`, and the names of expressions with 1 to `FEW` - 1 faces.
    """
    own = predictions.only([name])
    table = f1_table(own, measure_models(own))
    few = table[(table["faces"] > 0) & (table["faces"] < FEW)]
    return table, few["expression"].tolist()


def face_sheet(faces: Fer2013Faces, table: pd.DataFrame) -> bytes | None:
    """Return all faces of a map as one picture, `SHEET_COLUMNS` in a row, in the order of `place`.

    Args:
        faces: FER2013's faces.
        table: of `map_table`.

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
    Pillow.fromarray(sheet.reshape(rows * FACE_SIZE, -1)).save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
