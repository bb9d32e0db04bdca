"""All faces of FER2013 as a table to filter: label, votes, brightness, copies, and what a model says."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.columns import PROBABILITIES, TEST_SPLITS
from fer_core.data import FerDataset
from fer_core.data.near_duplicates import known_same_pictures
from fer_core.labels import EXPRESSIONS
from fer_core.store import StoredModel
from fer_core.types import FerError


def face_table(dataset: FerDataset, model: StoredModel | None = None) -> pd.DataFrame:
    """Return one row for each face, in the order of the dataset.

    Args:
        dataset: FER2013.
        model: whose stored predictions of the test splits are added; None for none.

    Returns:
        Columns `row`, `split`, `label`, `said` (the annotators' plurality; empty without one), `agreement` (share of
        votes for the most frequent answer; NaN without votes), `brightness` (mean gray, 0 to 255), `contrast` (standard
        deviation of the gray values), `sharpness` (variance of the Laplacian), `copy` (whether nearly the same picture
        occurs elsewhere), `predicted` (empty if unknown) and `wrong` (whether the prediction is not the label).
    """
    names = np.array([*EXPRESSIONS, ""])
    flat = dataset.images.reshape(len(dataset), -1)
    known = known_same_pictures()
    predicted = _predictions(dataset.rows, model)
    return pd.DataFrame(
        {
            "row": dataset.rows,
            "split": dataset.usage,
            "label": names[dataset.labels],
            "said": names[dataset.plurality],
            "agreement": np.nan if dataset.votes is None else dataset.votes.agreement(),
            "brightness": flat.mean(axis=1),
            "contrast": flat.std(axis=1),
            "sharpness": [cv2.Laplacian(face, cv2.CV_32F).var() for face in dataset.images],
            "copy": np.isin(dataset.rows, known.pairs),
            "predicted": names[predicted],
            "wrong": (predicted >= 0) & (predicted != dataset.labels),
        }
    )


def filtered(
    table: pd.DataFrame,
    split: str = "",
    label: str = "",
    said: str = "",
    differing: bool = False,
    wrong: bool = False,
    copies: bool = False,
) -> pd.DataFrame:
    """Return the rows of `face_table` that pass all filters.

    Args:
        table: of `face_table`.
        split, label, said: values of these columns; empty for any.
        differing: only faces whose label is not what most annotators say.
        wrong: only faces that the model predicts wrongly.
        copies: only faces whose picture occurs elsewhere too.
    """
    kept = pd.Series(True, index=table.index)
    for column, value in (("split", split), ("label", label), ("said", said)):
        if value:
            kept &= table[column] == value
    if differing:
        kept &= (table["said"] != "") & (table["said"] != table["label"])
    if wrong:
        kept &= table["wrong"]
    if copies:
        kept &= table["copy"]
    return table[kept]


def _predictions(rows: NDArray[np.int64], model: StoredModel | None) -> NDArray[np.int64]:
    """Return the prediction for each row, `(n,)` class indices; -1 if it is unknown."""
    by_row: dict[int, int] = {}
    if model is not None:
        for split in TEST_SPLITS.values():
            try:
                table = model.predictions(split)
            except FerError:
                continue
            table = table[table["row"] >= 0]
            answers = table[PROBABILITIES].to_numpy().argmax(axis=1)
            by_row |= dict(zip(table["row"].tolist(), answers.tolist(), strict=True))
    return np.array([by_row.get(int(row), -1) for row in rows], dtype=np.int64)
