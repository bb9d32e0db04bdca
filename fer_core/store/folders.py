"""The model store: where models are found, and how their folders are written."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.added import is_litert
from fer_core.files import home, stamp, usable_path, whole_file, whole_folder, write_text
from fer_core.store.card import CARD, ModelCard
from fer_core.store.stored_model import (
    CONSISTENCY,
    DEGRADED,
    FACE_MAP,
    HEADS,
    HISTORY,
    KERAS,
    ONNX,
    PREDICTIONS,
    WEIGHTS,
    StoredModel,
)
from fer_core.types import FerError
from fer_core.visitors import own_home

_PACKAGE = Path(__file__).resolve().parent.parent
TOP = _PACKAGE.parent if (_PACKAGE.parent / "trained_models").is_dir() else _PACKAGE / "_app"
"""Folder of `app.py`: the checkout's, or the one that an installed package has."""

SHIPPED = TOP / "trained_models"
"""Folder of the models that come with FER Lab."""

DEFAULT_MODEL = "compact_cnn_student"


def promoted() -> Path:
    """Return the folder of the user's own models; on a shared server, of the visitor's."""
    return own_home() / "models"


def model_folders() -> list[Path]:
    """Return the folders that hold models: those that come with FER Lab, this computer's, and a visitor's own.

    Of models with the same name the last one counts. A FerError says that the data folder cannot be created.
    """
    return list(dict.fromkeys([SHIPPED, home() / "models", promoted()]))


def list_models(servable: bool = False, classes: tuple[str, ...] | None = None) -> tuple[list[StoredModel], list[str]]:
    """Return all stored models, the default first, and a sentence for each unusable folder.

    Only those that predict, if `servable`, and those of the same classes, if they are given.
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
            if (model.servable or not servable) and classes in (None, model.card.classes):
                models.append(model)
        except FerError as error:
            warnings.append(str(error))
    return sorted(models, key=lambda m: (m.name != DEFAULT_MODEL, m.title.lower())), warnings


def load_model(name: str = DEFAULT_MODEL, *, classes: tuple[str, ...] | None = None) -> StoredModel:
    """Return a stored model by name; a FerError says that there is none, or that its folder cannot be used.

    With `classes`, it also says that the model has others, because only models of the same classes are compared.
    """
    for root in reversed(model_folders()):
        if name and Path(name).name == name and usable_path(root / name).is_dir():
            model = open_model(root / name)
            if classes not in (None, model.card.classes):
                raise FerError(
                    f"{model.name} has other classes. Expected a model of {', '.join(classes or ())}. Received: "
                    f"{', '.join(model.card.classes)}"
                )
            return model
    names = ", ".join(model.name for model in list_models()[0]) or "none"
    raise FerError(f"There is no trained model of that name. Trained models here: {names}. Received: {name}")


def open_model(folder: Path) -> StoredModel:
    """Open the folder of a model; a FerError says that its card or the file that it needs is missing or damaged."""
    card = _card(folder / CARD, stamp(folder / CARD))
    model = StoredModel(folder.name, folder, card)
    needed = model.weights if model.servable else folder / PREDICTIONS
    if not needed.is_file() or needed.stat().st_size == 0:
        raise FerError(f"The model folder {folder.name} is skipped: {needed.name} is missing or empty.")
    return model


@lru_cache(maxsize=100)
def _card(path: Path, version: tuple[int, ...]) -> ModelCard:  # noqa: ARG001 (cache key)
    """Read a card once for all sessions and page runs, until the file changes."""
    return ModelCard.read(path)


def save_model(
    root: Path,
    card: ModelCard,
    *,
    predictions: pd.DataFrame,
    weights: bytes = b"",
    history: pd.DataFrame | None = None,
    keras: bytes = b"",
    degraded: pd.DataFrame | None = None,
    face_map: pd.DataFrame | None = None,
    heads: NDArray[np.float32] | None = None,
) -> StoredModel:
    """Write the folder of a model into `SHIPPED` or `promoted()`, completely or not at all, and return the model.

    Args:
        root: the folder around it.
        card: its name is the name of the folder.
        weights: content of the LiteRT file, or of the ONNX file of a model that was made elsewhere; empty for a model
            that is kept for comparison only.
        keras: content of the `.keras` file, from which training can continue.
        predictions, history, degraded, face_map, heads: as the methods of `StoredModel` return them.
    """
    root.mkdir(parents=True, exist_ok=True)
    target = root / card.name
    with whole_folder(target) as work:
        file = ONNX if card.takes and not is_litert(weights) else WEIGHTS
        for name, content in ((file, weights), (KERAS, keras)):
            if content:
                (work / name).write_bytes(content)
        _write(predictions, work / PREDICTIONS)
        if history is not None and not history.empty:
            history.to_csv(work / HISTORY, index=False)
        if degraded is not None:
            degraded.to_csv(work / DEGRADED, index=False)
        if face_map is not None:
            _write(face_map, work / FACE_MAP)
        if heads is not None:
            np.save(work / HEADS, heads, allow_pickle=False)
        card.write(work / CARD)
    return open_model(target)


def update_model(
    model: StoredModel,
    card: ModelCard | None = None,
    *,
    predictions: pd.DataFrame | None = None,
    degraded: pd.DataFrame | None = None,
    face_map: pd.DataFrame | None = None,
    consistency: pd.DataFrame | None = None,
) -> None:
    """Write what was measured again into a model's folder; what is not given stays. Errors are FerErrors."""
    try:
        for name, table in ((PREDICTIONS, predictions), (FACE_MAP, face_map)):
            if table is not None:
                with whole_file(model.folder / name) as partial:
                    _write(table, partial)
        for name, table in ((DEGRADED, degraded), (CONSISTENCY, consistency)):
            if table is not None:
                write_text(model.folder / name, table.to_csv(index=False))
        if card is not None:
            card.write(model.folder / CARD)
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
