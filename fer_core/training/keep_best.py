"""Early stopping that survives a kill: the best weights so far stand in a file."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import keras

from fer_core.files import whole_file, write_json


class KeepBest(keras.callbacks.Callback):
    """Stop when the hold-out loss has not fallen for some epochs, and end with the best epoch's weights.

    Keras' own `EarlyStopping` keeps them in memory, where a run that is killed loses them.

    Args:
        patience: epochs without a lower loss after which to stop.
        folder: where `best.weights.h5` and `best.json` go; default: one that lives as long as the callback.
    """

    def __init__(self, patience: int, folder: Path | None = None) -> None:
        super().__init__()
        self._temporary = None if folder else tempfile.TemporaryDirectory()
        place = folder or Path(self._temporary.name)  # type: ignore[union-attr]
        self.patience, self._weights, self._note = patience, place / "best.weights.h5", place / "best.json"

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        loss = float((logs or {}).get("val_loss", math.inf))
        best = self._read()
        if loss < best["loss"]:
            with whole_file(self._weights) as partial:
                self.model.save_weights(partial)
            write_json(self._note, {"loss": loss, "epoch": epoch})
        elif epoch - best["epoch"] >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        if self._note.is_file():
            self.model.load_weights(self._weights)

    def _read(self) -> dict[str, float]:
        if not self._note.is_file():
            return {"loss": math.inf, "epoch": -1}
        return dict(json.loads(self._note.read_text(encoding="utf-8")))
