"""Files of stored models."""

import shutil
from pathlib import Path
from typing import Final

import numpy as np

from fer_core.data import FaceDataset
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.files import home
from fer_core.measuring.face_table import _predictions
from fer_core.measuring.results import history_table, load_predictions
from fer_core.measuring.robustness import robustness_table
from fer_core.measuring.scoreboard import card_scoreboard
from fer_core.metrics.mapped_faces import map_table
from fer_core.store.folders import SHIPPED, list_models
from fer_core.types import FerError
from tests.load.home import Input

MODEL: Final = "compact_cnn"  # the shipped model whose files are damaged; it has all kinds of files


def models() -> dict[str, bytes]:
    files = (path for path in (SHIPPED / MODEL).iterdir() if path.suffix in (".json", ".csv", ".parquet", ".tflite"))
    return {path.name: path.read_bytes() for path in files}


def read_model(given: Input, folder: Path) -> list[str]:
    """Everything that pages and commands read of a model of the user's own whose folder has one damaged file."""
    zeros = np.zeros(5, np.int64)
    five = FaceDataset(np.zeros((5, 48, 48), np.uint8), zeros, np.full(5, "PublicTest"), np.arange(5))
    folder = home() / "models" / "mine"
    shutil.copytree(SHIPPED / MODEL, folder, ignore=shutil.ignore_patterns("*.keras", "*.md"))
    try:
        (folder / given.name).write_bytes(given.content)
        models, complaints = list_models()
        mine = [model for model in models if model.folder == folder]
        card_scoreboard(mine)
        predicted, more = load_predictions(mine, "PublicTest", "plain")
        complaints += [*more, *robustness_table(mine)[2], *history_table(mine)[2]]
        known = [predicted] if predicted else []
        for model in mine:
            for read in (
                lambda model=model: map_table(model.face_map(), known, [], model.name, Fer2013Faces()),
                model.all_predictions,
                lambda model=model: _predictions(five, model),
                lambda model=model: model.classifier().predict(five.images, flip=True),
            ):
                try:
                    read()
                except FerError as error:
                    complaints.append(str(error))
        return complaints
    finally:
        shutil.rmtree(folder)


def keras() -> dict[str, bytes]:
    return {"model.keras": (SHIPPED / MODEL / "model.keras").read_bytes()}


def read_keras(given: Input, folder: Path) -> list[str]:
    """The weights that a training starts from, and the export as ONNX."""
    from fer_core.training.initial_weights import read_keras

    path = folder / "model.keras"
    path.write_bytes(given.content)
    read_keras(path)
    return []
