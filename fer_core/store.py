"""The model store: folders with a model card, weights, and what was measured.

What was measured: predictions, training history, results on degraded faces, and a map of faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from fer_core.card import CARD, ModelCard
from fer_core.columns import DEGRADED_COLUMNS, MAP_COLUMNS
from fer_core.files import home, whole_file, whole_folder, write_text
from fer_core.types import FerError
from fer_core.visitors import own_home

SHIPPED = Path(__file__).resolve().parent.parent / "trained_models"
"""Folder of the models that come with FER Lab."""

DEFAULT_MODEL = "compact_cnn_votes"
WEIGHTS, PREDICTIONS, HISTORY, KERAS = "model.tflite", "predictions.parquet", "history.csv", "model.keras"
DEGRADED, FACE_MAP = "degraded.csv", "map.parquet"
_MAX_CSV = 1_000_000  # bytes; the results have 4,000, and a line of millions of commas takes minutes to read


@dataclass(frozen=True)
class StoredModel:
    """A model in the store.

    Attributes:
        name: name of the folder.
        folder: path of the folder.
        card: content of `card.json`.
    """

    name: str
    folder: Path
    card: ModelCard

    @property
    def title(self) -> str:
        """The name that people read."""
        return self.card.title

    @property
    def weights(self) -> Path:
        """The LiteRT file that predicts.

        Raises:
            FerError: the model is kept for comparison only.
        """
        if not self.servable:
            raise FerError(f"The model {self.name} is kept for comparison only and cannot predict new faces.")
        return self.folder / WEIGHTS

    @property
    def servable(self) -> bool:
        """Whether the model can predict; one that is kept for comparison has stored predictions only."""
        return self.card.served is not None

    @property
    def size_bytes(self) -> int:
        """Size of the LiteRT file in bytes; 0 if there is none."""
        return self.weights.stat().st_size if self.servable else 0

    def predictions(self, split: str, view: str = "plain") -> pd.DataFrame:
        """Return the stored predictions of a test split.

        Args:
            split: `public_test` or `private_test`.
            view: `plain`, or `flip` for the average with the mirror image.

        Returns:
            Columns `row` (in FER2013), `label`, `plurality` (-1 if unknown), `p_angry` … `p_neutral`, in the order of
            FER2013.

        Raises:
            FerError: there are no predictions of this split and view.
        """
        table = self.all_predictions()
        found = table[(table["split"] == split) & (table["view"] == view)]
        if found.empty:
            raise FerError(f"The model {self.name} has no stored predictions of {split} ({view}).")
        return found.drop(columns=["split", "view"]).reset_index(drop=True)

    def all_predictions(self) -> pd.DataFrame:
        """Return all stored predictions, with the columns `columns.PREDICTION_COLUMNS`.

        Raises:
            FerError: there are none, or the file is damaged.
        """
        path = self.folder / PREDICTIONS
        if not path.is_file():
            raise FerError(f"The model {self.name} has no stored predictions: {path.name} is missing from its folder.")
        try:
            table = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0][:160]
            raise FerError(
                f"The file {PREDICTIONS} of {self.name} cannot be used: it is damaged or cut off ({reason}). Measure "
                f"or train the model again."
            ) from error
        return table if "plurality" in table else table.assign(plurality=-1)  # as older versions wrote it

    def history(self) -> pd.DataFrame:
        """Return the training history with one row for each epoch; empty if there is none, as for a baseline.

        Raises:
            ValueError: the file is damaged.
        """
        path = self.folder / HISTORY
        if path.is_file() and path.stat().st_size > _MAX_CSV:
            raise ValueError(f"a file of {path.stat().st_size / 1e6:.0f} MB")
        return pd.read_csv(path) if path.is_file() else pd.DataFrame()

    def degraded(self) -> pd.DataFrame:
        """Return the results on degraded faces, with the columns `columns.DEGRADED_COLUMNS`; empty if there are none.

        Raises:
            FerError: the file is damaged.
        """
        path = self.folder / DEGRADED
        if not path.is_file():
            return pd.DataFrame(columns=DEGRADED_COLUMNS)
        try:
            if path.stat().st_size > _MAX_CSV:
                raise ValueError(f"a file of {path.stat().st_size / 1e6:.0f} MB")
            table = pd.read_csv(path, float_precision="round_trip")[DEGRADED_COLUMNS]
            whole = ("strength", "faces", "faces_plurality")
            return table.astype({name: int if name in whole else float for name in DEGRADED_COLUMNS[1:]})
        except (OSError, ValueError, KeyError, OverflowError) as error:
            reason = str(error).splitlines()[0][:160]
            raise FerError(
                f"The file {DEGRADED} of {self.name} is damaged: expected the columns {', '.join(DEGRADED_COLUMNS)}, "
                f"with numbers. Received: {reason}. Measure again: fer-lab evaluate {self.name} --degraded --save"
            ) from error

    @property
    def has_face_map(self) -> bool:
        """Whether the folder has a map of faces."""
        return (self.folder / FACE_MAP).is_file()

    def face_map(self) -> pd.DataFrame:
        """Return the map of FER2013's test faces, with the columns `columns.MAP_COLUMNS`.

        Raises:
            FerError: there is none, or the file is damaged.
        """
        again = f"Make it again: fer-lab evaluate {self.name} --map --save"
        if not self.has_face_map:
            raise FerError(f"The model {self.name} has no map of faces: {FACE_MAP} is missing from its folder. {again}")
        try:
            table = pd.read_parquet(self.folder / FACE_MAP)[MAP_COLUMNS]
            table = table.astype({"row": int, "x": "float32", "y": "float32", "kept": int})
            if not np.isfinite(table[["x", "y"]]).all(axis=None) or table["row"].duplicated().any():
                raise ValueError("places that are not numbers, or a face that occurs twice")
            return table
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0][:160]
            raise FerError(
                f"The file {FACE_MAP} of {self.name} is damaged: expected the columns {', '.join(MAP_COLUMNS)}, with "
                f"numbers, one row for each face. Received: {reason}. {again}"
            ) from error


def promoted() -> Path:
    """Return the folder of the user's own models; on a shared server, of the visitor's."""
    return own_home() / "models"


def model_folders() -> list[Path]:
    """Return the folders that hold models: those that come with FER Lab, this computer's, and a visitor's own.

    Of models with the same name the last one counts.

    Raises:
        FerError: the data folder cannot be created.
    """
    return list(dict.fromkeys([SHIPPED, home() / "models", promoted()]))


def list_models(servable: bool = False) -> tuple[list[StoredModel], list[str]]:
    """Return all stored models, the default first, and one sentence for each folder that cannot be used.

    Args:
        servable: leave out models that are kept for comparison only.
    """
    models: list[StoredModel] = []
    warnings: list[str] = []
    roots = [SHIPPED]
    try:
        roots = model_folders()
    except FerError as error:  # without the data folder, the shipped models can still be used
        warnings.append(str(error))
    folders = {
        path.name: path
        for root in roots
        if root.is_dir()
        for path in sorted(root.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    }
    for path in folders.values():
        try:
            model = open_model(path)
            if model.servable or not servable:
                models.append(model)
        except FerError as error:
            warnings.append(str(error))
    return sorted(models, key=lambda m: (m.name != DEFAULT_MODEL, m.title.lower())), warnings


def load_model(name: str = DEFAULT_MODEL) -> StoredModel:
    """Return a stored model by name.

    Raises:
        FerError: there is no such model, or its folder cannot be used.
    """
    for root in reversed(model_folders()):
        if name and Path(name).name == name and (root / name).is_dir():
            return open_model(root / name)
    names = ", ".join(model.name for model in list_models()[0]) or "none"
    raise FerError(f"There is no trained model of that name. Trained models here: {names}. Received: {name}")


def open_model(folder: Path) -> StoredModel:
    """Open the folder of a model.

    Raises:
        FerError: the card is missing or damaged, or the file that the model needs is missing.
    """
    card = _card(folder / CARD, _stamp(folder / CARD))
    needed = folder / (PREDICTIONS if card.served is None else WEIGHTS)
    if not needed.is_file() or needed.stat().st_size == 0:
        raise FerError(f"The model folder {folder.name} is skipped: {needed.name} is missing or empty.")
    return StoredModel(folder.name, folder, card)


@lru_cache(maxsize=100)
def _card(path: Path, stamp: tuple[int, ...]) -> ModelCard:  # noqa: ARG001 (cache key)
    """Read a card once for all sessions and page runs, until the file changes."""
    return ModelCard.read(path)


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what differs when a file has been written anew; nothing if it cannot be read."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def save_model(
    root: Path,
    card: ModelCard,
    weights: bytes,
    predictions: pd.DataFrame,
    history: pd.DataFrame,
    keras: bytes,
    degraded: pd.DataFrame | None = None,
    face_map: pd.DataFrame | None = None,
) -> StoredModel:
    """Write the folder of a model, completely or not at all, and return the model.

    Args:
        root: `SHIPPED` or `promoted()`.
        card: its name is the name of the folder.
        weights: content of the LiteRT file; empty for a model that is kept for comparison only.
        predictions: with the columns `columns.PREDICTION_COLUMNS`.
        history: one row for each epoch; empty if there are none.
        keras: content of the `.keras` file, from which training can continue; may be empty.
        degraded: results on degraded faces, with the columns `columns.DEGRADED_COLUMNS`; None if not measured.
        face_map: with the columns `columns.MAP_COLUMNS`; None if there is none.
    """
    root.mkdir(parents=True, exist_ok=True)
    target = root / card.name
    with whole_folder(target) as work:
        for name, content in ((WEIGHTS, weights), (KERAS, keras)):
            if content:
                (work / name).write_bytes(content)
        _write(predictions, work / PREDICTIONS)
        if not history.empty:
            history.to_csv(work / HISTORY, index=False)
        if degraded is not None:
            degraded.to_csv(work / DEGRADED, index=False)
        if face_map is not None:
            _write(face_map, work / FACE_MAP)
        card.write(work / CARD)
    return open_model(target)


def update_model(
    model: StoredModel, card: ModelCard, predictions: pd.DataFrame, degraded: pd.DataFrame | None = None
) -> None:
    """Write what was measured again into a model's folder; its weights and training history stay.

    Args:
        model: in the store.
        card: with the new metrics.
        predictions: with the columns `columns.PREDICTION_COLUMNS`.
        degraded: results on degraded faces; None keeps those that are there.

    Raises:
        FerError: the folder cannot be written.
    """
    try:
        with whole_file(model.folder / PREDICTIONS) as partial:
            _write(predictions, partial)
        if degraded is not None:
            write_text(model.folder / DEGRADED, degraded.to_csv(index=False))
        card.write(model.folder / CARD)
    except OSError as error:
        raise FerError(f"The folder of {model.name} cannot be written ({error.strerror or error}).") from error


def save_face_map(model: StoredModel, face_map: pd.DataFrame) -> None:
    """Write a map of faces into a model's folder.

    Args:
        model: in the store.
        face_map: with the columns `columns.MAP_COLUMNS`.

    Raises:
        FerError: the folder cannot be written.
    """
    try:
        with whole_file(model.folder / FACE_MAP) as partial:
            _write(face_map, partial)
    except OSError as error:
        raise FerError(f"The folder of {model.name} cannot be written ({error.strerror or error}).") from error


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write a table without loss; byte-stream split of the floats reduces the file to two thirds."""
    floats = [name for name in table.columns if table[name].dtype.kind == "f"]
    table.to_parquet(
        path,
        index=False,
        compression="zstd",
        compression_level=19,
        use_dictionary=[name for name in table.columns if name not in floats],
        use_byte_stream_split=floats,
    )
