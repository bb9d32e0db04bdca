"""One stored model: the folder of its files, and how each is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.added import Takes
from fer_core.classifier import Classifier
from fer_core.columns import CONSISTENCY_COLUMNS, DEGRADED_COLUMNS, MAP_COLUMNS, PREDICTION_COLUMNS, PROBABILITIES
from fer_core.files import stamp
from fer_core.labels import NUM_CLASSES
from fer_core.store.card import CARD, ModelCard
from fer_core.tables import read_table
from fer_core.types import FerError, reason

WEIGHTS, PREDICTIONS, HISTORY, KERAS = "model.tflite", "predictions.parquet", "history.csv", "model.keras"
DEGRADED, FACE_MAP, HEADS, CONSISTENCY = "degraded.csv", "map.parquet", "heads.npy", "consistency.csv"
ONNX = "model.onnx"  # instead of `WEIGHTS`, only for a model that was made elsewhere


@dataclass(frozen=True)
class StoredModel:
    """A model in the store, by the name of its folder, the folder and its card.

    Methods raise a FerError if what they return is missing from the folder or damaged.
    """

    name: str
    folder: Path
    card: ModelCard

    def __hash__(self) -> int:
        return hash(self.folder)

    @property
    def title(self) -> str:
        return self.card.title

    @property
    def weights(self) -> Path:
        """The file that predicts; a FerError says that the model is kept for comparison only."""
        if not self.servable:
            raise FerError(f"The model {self.name} is kept for comparison only and cannot predict new faces.")
        onnx = self.folder / ONNX
        return onnx if self.card.takes and onnx.is_file() else self.folder / WEIGHTS

    @property
    def version(self) -> tuple[int, ...]:
        """What differs once one of the files that the app reads has been written anew."""
        names = (CARD, WEIGHTS, ONNX, PREDICTIONS, HISTORY, DEGRADED, FACE_MAP, CONSISTENCY)
        return tuple(part for name in names for part in stamp(self.folder / name))

    def content(self) -> bytes:
        """Return the file that predicts, compared with its card: a changed one may answer wrongly or crash LiteRT.

        Raises:
            FerError: there is none, or it is not the one of its card.
        """
        try:
            content = self.weights.read_bytes()
        except OSError as error:
            raise FerError(f"The file {self.weights.name} of {self.name} cannot be read ({error.strerror}).") from error
        digest, expected = hashlib.sha256(content).hexdigest(), (self.card.served or {}).get("sha256")
        if expected is not None and digest != expected:
            raise FerError(
                f"The file {self.weights.name} of {self.name} is damaged or was changed: its SHA-256 is not the one in "
                f"its card. Install or train the model again. Received: {digest[:16]}…"
            )
        return content

    def classifier(self, threads: int = 2) -> Classifier:
        """Open the model, with the preprocessing, the threshold and the classes that its card names."""
        card, content = self.card, self.content()
        below = 0.0 if card.not_sure is None else card.not_sure.below
        given: dict[str, Any] = {"not_sure_below": below, "classes": card.classes, "takes": self.takes}
        return Classifier(content, threads, preprocessing=card.preprocessing, **given)

    @property
    def takes(self) -> Takes | None:
        """How a file that was made elsewhere takes pictures; None for a file of this project."""
        return Takes.from_dict(self.card.takes) if self.card.takes else None

    @property
    def servable(self) -> bool:
        """Whether the model can predict; one that is kept for comparison has stored predictions only."""
        return self.card.served is not None

    @property
    def size_bytes(self) -> int:
        """Size of the file that predicts in bytes; 0 if there is none."""
        return self.weights.stat().st_size if self.servable else 0

    def predictions(self, split: str, view: str = "plain") -> pd.DataFrame:
        """Return the stored predictions of a test split (`public_test` or `private_test`), in the order of FER2013.

        The columns are those of `columns.PREDICTION_COLUMNS` but `split` and `view`.
        """
        table = self.all_predictions()
        rows = table[(table["split"] == split) & (table["view"] == view)]
        if rows.empty:
            raise FerError(f"The model {self.name} has no stored predictions of {split} ({view}).")
        return rows.drop(columns=["split", "view"]).reset_index(drop=True)

    def all_predictions(self) -> pd.DataFrame:
        """Return all stored predictions, with the columns `columns.PREDICTION_COLUMNS`."""
        path = self.folder / PREDICTIONS
        if not path.is_file():
            raise FerError(f"The model {self.name} has no stored predictions: {path.name} is missing from its folder.")
        expected = f"the columns {', '.join(PREDICTION_COLUMNS)}, with numbers"
        with self._reading(PREDICTIONS, expected, "Measure or train the model again."):
            table = read_table(path)
            table = table if "plurality" in table else table.assign(plurality=-1)  # as older versions wrote it
            numbers = {**dict.fromkeys(("row", "label", "plurality"), "int64"), **dict.fromkeys(PROBABILITIES, "float")}
            table[[*numbers]].astype(numbers)  # fails if they are none
            return table[PREDICTION_COLUMNS]

    def history(self) -> pd.DataFrame:
        """Return the training history with one row for each epoch; empty if there is none, as for a baseline.

        Raises:
            ValueError: the file is damaged.
        """
        path = self.folder / HISTORY
        if not path.is_file() or path.stat().st_size < 2:  # a line feed, as pandas writes no rows
            return pd.DataFrame()
        table = read_table(path).apply(pd.to_numeric)
        if table.empty:
            raise ValueError("it has no epochs")
        return table

    def degraded(self) -> pd.DataFrame:
        """Return the results on degraded faces, columns `columns.DEGRADED_COLUMNS`; empty if there are none."""
        path = self.folder / DEGRADED
        if not path.is_file():
            return pd.DataFrame(columns=DEGRADED_COLUMNS)
        expected = f"the columns {', '.join(DEGRADED_COLUMNS)}, with numbers"
        with self._reading(DEGRADED, expected, f"Measure again: fer-lab evaluate {self.name} --degraded --save"):
            kinds, *cells = read_table(path)[DEGRADED_COLUMNS].to_numpy(object).T
            whole = ("strength", "faces", "faces_plurality")
            numbers = {
                name: np.where(texts == "", "nan", texts).astype(int if name in whole else float)
                for name, texts in zip(DEGRADED_COLUMNS[1:], cells, strict=True)
            }
            return pd.DataFrame({DEGRADED_COLUMNS[0]: kinds, **numbers})

    def consistency(self) -> pd.DataFrame:
        """Return how often the model says the same of changed faces, columns `columns.CONSISTENCY_COLUMNS`; empty if
        that was not measured."""
        path = self.folder / CONSISTENCY
        if not path.is_file():
            return pd.DataFrame(columns=CONSISTENCY_COLUMNS)
        again = f"Measure again: fer-lab audit FACES --model {self.name} --save NAME"
        with self._reading(CONSISTENCY, f"the columns {', '.join(CONSISTENCY_COLUMNS)}, with numbers", again):
            numbers = {"faces": int, "value": float, "low": float, "high": float}
            return read_table(path)[CONSISTENCY_COLUMNS].astype(numbers)

    @property
    def has_heads(self) -> bool:
        return (self.folder / HEADS).is_file()

    def heads(self) -> NDArray[np.float32]:
        """Return the weights of both heads of a model that learned labels and votes; the served head is between them.

        Returns:
            `(2, features + 1, 7)`: the labels head, then the votes head; the last row of each is its bias.
        """
        again = f"Train it again to get them: fer-lab train {self.name}"
        if not self.has_heads:
            raise FerError(f"The model {self.name} has no heads for labels and votes: {HEADS} is missing. {again}")
        with self._reading(HEADS, "an array (2, features + 1, 7) of numbers", again):
            weights = np.load(self.folder / HEADS, allow_pickle=False)
            if weights.ndim != 3 or weights.shape[::2] != (2, NUM_CLASSES) or not np.isfinite(weights).all():
                raise ValueError(f"an array of shape {weights.shape}")
            return weights.astype(np.float32)

    @property
    def has_face_map(self) -> bool:
        return (self.folder / FACE_MAP).is_file()

    def face_map(self) -> pd.DataFrame:
        """Return the map of FER2013's test faces, with the columns `columns.MAP_COLUMNS`."""
        again = f"Make it again: fer-lab evaluate {self.name} --map --save"
        if not self.has_face_map:
            raise FerError(f"The model {self.name} has no map of faces: {FACE_MAP} is missing from its folder. {again}")
        expected = f"the columns {', '.join(MAP_COLUMNS)}, with numbers, one row for each face"
        with self._reading(FACE_MAP, expected, again):
            table = read_table(self.folder / FACE_MAP)[MAP_COLUMNS]
            table = table.astype({"row": int, "x": "float32", "y": "float32", "kept": int})
            if not np.isfinite(table[["x", "y"]]).all(axis=None) or table["row"].duplicated().any():
                raise ValueError("places that are not numbers, or a face that occurs twice")
            return table

    @contextmanager
    def _reading(self, file: str, expected: str, again: str) -> Iterator[None]:
        """Say of a damaged file what was expected and received, and how to get it again."""
        try:
            yield
        except (OSError, ValueError, KeyError, OverflowError, EOFError, AttributeError, TypeError, BadZipFile) as error:
            raise FerError(
                f"The file {file} of {self.name} is damaged: expected {expected}. Received: {reason(error)}. {again}"
            ) from error
