"""All faces of a dataset as a table to filter: label, votes, brightness, head roll, copies, what a model says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.columns import PROBABILITIES, TEST_SPLITS, percent
from fer_core.data import FaceDataset
from fer_core.data.near_duplicates import find_same_pictures, known_same_pictures
from fer_core.faces import dataset_roll
from fer_core.inference import Classifier
from fer_core.labels import EXPRESSIONS
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError


class Measure(NamedTuple):
    """A number of each face to filter by. A range of `filtered` that ends at `low` or `high` is open there."""

    title: str
    low: float
    high: float
    help: str


MEASURES: Final[dict[str, Measure]] = {
    "agreement": Measure("Annotators’ agreement", 0.0, 1.0, "Share of the votes for the most frequent answer."),
    "brightness": Measure("Brightness", 0, 255, "Mean gray level: 0 is black, 255 is white."),
    "contrast": Measure("Contrast", 0, 100, "Standard deviation of the gray levels."),
    "sharpness": Measure("Sharpness", 0, 5000, "Variance of the Laplacian: low for blurred faces."),
    "roll": Measure("Head roll, degrees", -45, 45, "Angle of the line between the eyes, positive if clockwise."),
}
"""The numeric columns of `face_table`."""


def face_table(
    dataset: FaceDataset,
    model: StoredModel | None = None,
    opened: Callable[[StoredModel], Classifier] = StoredModel.classifier,
) -> pd.DataFrame:
    """Return one row for each face of FER2013 or of the user's own pictures, in the order of the dataset.

    Predictions are the model's stored ones of FER2013's test splits. Faces of unknown row are predicted by the model as
    `opened` returns it, if it can be used.

    Returns:
        Columns `row`, `split`, `label`, `said` (the annotators' plurality; empty without one), `agreement` (share of
        votes for the most frequent answer; NaN without votes), `brightness` (mean gray, 0 to 255), `contrast` (standard
        deviation of the gray values), `sharpness` (variance of the Laplacian), `roll` (degrees, see
        `fer_core.faces.head_roll`; NaN if unknown), `copy` (whether nearly the same picture occurs elsewhere),
        `predicted` (empty if unknown) and `wrong` (whether the prediction is not the label).
    """
    names = np.array([*EXPRESSIONS, ""])
    levels = np.array([cv2.meanStdDev(face) for face in dataset.images]).reshape(-1, 2)
    edges = [cv2.meanStdDev(cv2.Laplacian(face, cv2.CV_32F))[1].item() for face in dataset.images]
    predicted = _predictions(dataset, model)
    unknown = dataset.rows < 0
    if model is not None and unknown.any():
        with suppress(FerError, OSError):
            predicted[unknown] = opened(model).predict(dataset.images[unknown]).probabilities.argmax(axis=1)
    return pd.DataFrame(
        {
            "row": dataset.rows,
            "split": dataset.usage,
            "label": names[dataset.labels],
            "said": names[dataset.plurality],
            "agreement": np.nan if dataset.votes is None else dataset.votes.agreement(),
            "brightness": levels[:, 0],
            "contrast": levels[:, 1],
            "sharpness": [deviation**2 for deviation in edges],
            "roll": dataset_roll(dataset),
            "copy": _copies(dataset),
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
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> pd.DataFrame:
    """Return the rows of `face_table` that pass all filters.

    Args:
        table: of `face_table`.
        split, label, said: values of these columns; empty for any.
        differing: only faces whose label is not what most annotators say.
        wrong, copies: only faces that the model predicts wrongly, or whose picture occurs elsewhere too.
        ranges: lowest and highest value by key of `MEASURES`. Faces without a value pass only if both ends are open.
    """
    kept = pd.Series(True, index=table.index)
    for column, value in (("split", split), ("label", label), ("said", said), ("wrong", wrong), ("copy", copies)):
        if value:
            kept &= table[column] == value
    if differing:
        kept &= (table["said"] != "") & (table["said"] != table["label"])
    for column, (low, high) in (ranges or {}).items():
        if low > MEASURES[column].low:
            kept &= table[column] >= low
        if high < MEASURES[column].high:
            kept &= table[column] <= high
    return table[kept]


def facts_in_words(face: Any) -> dict[str, str]:
    """Return the properties of the picture of a row of `face_table` by their titles."""
    return {
        "Mean gray": f"{face.brightness:.0f}",
        "Standard deviation": f"{face.contrast:.0f}",
        "Sharpness": f"{face.sharpness:.0f}",
        "Head roll": "unknown" if pd.isna(face.roll) else f"{face.roll:.0f}°",
        "Nearly the same picture elsewhere": "yes" if face.copy else "no",
    }


def votes_in_words(face: Any) -> str:
    """Say what most annotators see on the face of a row of `face_table`, and how many of them."""
    if pd.isna(face.agreement):
        return "no votes"
    return f"{face.said or 'no clear answer'}, {percent(face.agreement)} agree"


def ranges_in_words(ranges: Mapping[str, tuple[float, float]]) -> list[str]:
    """Say which ranges by key of `MEASURES` leave out something."""
    limits = {name: (MEASURES[name].low, MEASURES[name].high) for name in ranges}
    return [f"{MEASURES[name].title} {of[0]:g} to {of[1]:g}" for name, of in ranges.items() if of != limits[name]]


def shuffled_places(dataset: FaceDataset, label: str = "") -> list[int]:
    """Return the places of all faces, or of those with a label, in a random order that stays."""
    chosen = dataset.labels == EXPRESSIONS.index(label) if label else np.ones(len(dataset), bool)
    return np.random.default_rng(2013).permutation(np.flatnonzero(chosen)).tolist()


def _copies(dataset: FaceDataset) -> NDArray[np.bool_]:
    """Return for each face whether nearly the same picture occurs elsewhere, in FER2013 or among the own pictures."""
    copies = np.isin(dataset.rows, known_same_pictures().pairs)
    unknown = np.flatnonzero(dataset.rows < 0)
    copies[unknown[find_same_pictures(dataset.images[unknown]).pairs]] = True
    return copies


def _predictions(dataset: FaceDataset, model: StoredModel | None) -> NDArray[np.int64]:
    """Return the prediction for each face by row and label, `(n,)` class indices; -1 if it is unknown."""
    known: dict[tuple[int, int], int] = {}
    if model is not None:
        for split in TEST_SPLITS.values():
            try:
                table = model.predictions(split)
            except FerError:
                continue
            table = table[table["row"] >= 0]
            answers = table[PROBABILITIES].to_numpy().argmax(axis=1)
            known |= dict(zip(zip(table["row"], table["label"], strict=True), answers.tolist(), strict=True))
    faces = zip(dataset.rows.tolist(), dataset.labels.tolist(), strict=True)
    return np.array([known.get(face, -1) for face in faces], dtype=np.int64)
