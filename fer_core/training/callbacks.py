"""What a fit records after each epoch, so that its curves can be shown and a killed fit can resume."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import time
from pathlib import Path

import keras
import pandas as pd

from fer_core.files import read_json, write_json
from fer_core.training.recipe import Recipe

BACKUP, HISTORY = "backup", "history.csv"


def fit_callbacks(recipe: Recipe, folder: Path | None, averaged: bool) -> list[keras.callbacks.Callback]:
    """Return the callbacks of a fit in their order; `averaged` says whether the optimizer averages the weights."""
    callbacks: list[keras.callbacks.Callback] = [_LearningRate()]
    if recipe.schedule == "reduce_on_plateau":
        callbacks.append(keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.2, patience=3))
    if averaged:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    if recipe.early_stopping:
        callbacks.append(EarlyStopping(recipe.early_stopping, folder))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        repair_backup(folder / BACKUP)
        callbacks += resumable(folder)
    return callbacks


def resumable(folder: Path) -> list[keras.callbacks.Callback]:
    """Return Keras' callbacks that write `history.csv` and the state after each epoch, from which a fit resumes."""
    return [
        keras.callbacks.CSVLogger(folder / HISTORY, append=True),
        keras.callbacks.BackupAndRestore(folder / BACKUP, double_checkpoint=True, delete_checkpoint=False),
    ]


def read_history(folder: Path) -> pd.DataFrame:
    """Return the curves of a run by `epoch`; an epoch that was started twice counts with its last attempt."""
    rows = pd.read_csv(folder / HISTORY, float_precision="round_trip")
    return rows.drop_duplicates("epoch", keep="last").sort_values("epoch", ignore_index=True)


class EarlyStopping(keras.callbacks.Callback):
    """Stop when the validation loss has not fallen for `patience` epochs, and restore the weights of the best epoch.

    Unlike Keras' own callback, it keeps these weights in a file, so that a resumed fit still has them: in `folder`, or
    in a temporary one.
    """

    def __init__(self, patience: int, folder: Path | None) -> None:
        super().__init__()
        self._temporary = tempfile.TemporaryDirectory()
        folder = folder or Path(self._temporary.name)
        self.patience, self._weights, self._best = patience, folder / "best.weights.h5", folder / "best.json"

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        loss = float((logs or {}).get("val_loss", math.inf))
        best = {"loss": math.inf, "epoch": -1, **read_json(self._best)}
        if loss < best["loss"]:
            self.model.save_weights(self._weights)
            write_json(self._best, {"loss": loss, "epoch": epoch})
        elif epoch - best["epoch"] >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        if self._best.is_file():
            self.model.load_weights(self._weights)


class Clock(keras.callbacks.Callback):
    """Add up the seconds of all finished epochs, and of computing features, in a file, also when a fit is resumed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.seconds = float(json.loads(path.read_text())) if path.is_file() else 0.0
        self._started = time.monotonic()

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._add()  # features are computed before the first epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._add()

    def _add(self) -> None:
        self.seconds += time.monotonic() - self._started
        self._started = time.monotonic()
        write_json(self.path, self.seconds)


def repair_backup(backup: Path) -> None:
    """Go back to the state before the last one if the process was killed while it wrote which epoch that is."""
    note = backup / "training_metadata.json"
    if not note.is_file() or read_json(note):
        return
    for path in (note, backup / "latest.weights.h5"):
        before = path.with_name(f"{path.name}.bkp")
        if before.is_file():
            shutil.copy(before, path)
        else:
            path.unlink(missing_ok=True)


class _LearningRate(keras.callbacks.Callback):
    """Add the learning rate at the end of each epoch to its logs."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        if logs is not None:
            logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
