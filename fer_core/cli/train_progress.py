"""A progress bar over the steps of a fit."""

from __future__ import annotations

import keras
from rich.progress import Progress


class EpochBar(keras.callbacks.Callback):
    """Show the epoch, the accuracy so far and the remaining time of the whole fit, from its start on."""

    def __init__(self, bar: Progress) -> None:
        super().__init__()
        self.bar = bar
        self.epoch = 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.task = self.bar.add_task("Starting", total=None)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        steps, epochs = self.params["steps"], self.params["epochs"]
        self.epoch = epoch
        self.bar.update(self.task, total=steps * epochs, completed=epoch * steps)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if batch % 10 == 0:
            accuracy = float((logs or {}).get("accuracy", 0.0))
            text = f"Epoch {self.epoch + 1}/{self.params['epochs']}, training accuracy {accuracy:.3f}"
            self.bar.update(self.task, completed=self.epoch * self.params["steps"] + batch + 1, description=text)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        values = {name: float(value) for name, value in (logs or {}).items()}
        shown = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        self.bar.log(f"Epoch {epoch + 1}: {shown}")
