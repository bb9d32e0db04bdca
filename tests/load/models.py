"""Files of stored models."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import Final

import numpy as np

from fer_core.data import FaceDataset
from fer_core.files import home
from fer_core.store.folders import SHIPPED
from fer_core.types import FerError
from tests.load.material import Input, packed

MODEL: Final = "compact_cnn"  # the shipped model whose files are damaged; it has all kinds of files


@functools.cache
def models() -> dict[str, bytes]:
    files = [path for path in (SHIPPED / MODEL).iterdir() if path.suffix in (".json", ".csv", ".parquet", ".tflite")]
    return {path.name: path.read_bytes() for path in files}


def model_bombs() -> dict[str, bytes]:
    card = models()["card.json"]
    return {
        "card.json": b"[" * 200_000,
        "history.csv": b"epoch,loss\n" + b"1," * (10 << 20),
        "degraded.csv": b"," * (20 << 20),
        "model.tflite": bytes(50 << 20),
        "predictions.parquet": b"PAR1" + bytes(20 << 20) + b"PAR1",
        "map.parquet": card,
    }


def read_model(given: Input, folder: Path) -> list[str]:
    """Everything that pages and commands read of a model of the user's own whose folder has one damaged file."""
    from fer_core.data.fer2013 import Fer2013Faces
    from fer_core.measuring.face_table import _predictions
    from fer_core.measuring.results import history_table, load_predictions
    from fer_core.measuring.robustness import robustness_table
    from fer_core.measuring.scoreboard import card_scoreboard
    from fer_core.metrics.mapped_faces import map_table
    from fer_core.store.folders import list_models

    zeros = np.zeros(5, np.int64)
    five = FaceDataset(np.zeros((5, 48, 48), np.uint8), zeros, np.full(5, "PublicTest"), np.arange(5))
    place = home() / "models" / "mine"
    shutil.copytree(SHIPPED / MODEL, place, ignore=shutil.ignore_patterns("*.keras", "*.md"))
    try:
        (place / given.name).write_bytes(given.content)
        models, complaints = list_models()
        mine = [model for model in models if model.folder == place]
        card_scoreboard(mine)
        answers, more = load_predictions(mine, "PublicTest", "plain")
        complaints += [*more, *robustness_table(mine)[2], *history_table(mine)[2]]
        known = [answers] if answers else []
        for model in mine:
            for read in (
                lambda model=model: map_table(model.face_map(), known, [], model.name, Fer2013Faces()),
                model.all_predictions,
                lambda model=model: _predictions(five, model),
                lambda model=model: model.classifier().predict(np.zeros((2, 48, 48), np.uint8), flip=True),
            ):
                try:
                    read()
                except FerError as error:
                    complaints.append(str(error))
        return complaints
    finally:
        shutil.rmtree(place)


@functools.cache
def keras() -> dict[str, bytes]:
    return {"model.keras": (SHIPPED / MODEL / "model.keras").read_bytes()}


def keras_bombs() -> dict[str, bytes]:
    config = b'{"module": "keras", "class_name": "Sequential", "config": {"layers": []}, "registered_name": null}'
    zeros = bytes(1 << 20)
    return {
        "zeros.keras": packed({"config.json": config, "metadata.json": b"{}", "model.weights.h5": zeros * 600}),
        "text.keras": packed({"config.json": b" " * (300 << 20), "metadata.json": b"{}", "model.weights.h5": b""}),
        "deep.keras": packed({"config.json": b"[" * 100_000, "metadata.json": b"{}", "model.weights.h5": b""}),
    }


def read_keras(given: Input, folder: Path) -> list[str]:
    """The weights that a training starts from, and the export as ONNX."""
    from fer_core.training.initial_weights import read_keras

    path = folder / "model.keras"
    path.write_bytes(given.content)
    read_keras(path)
    return []
