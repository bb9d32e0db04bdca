"""The Keras callback that tells a run's reporter where the fit is. Imported by the worker once it has its turn."""

from __future__ import annotations

import keras

from fer_core.runs.reporter import Reporter


class RunProgress(keras.callbacks.Callback):
    """Passes epochs and steps on; ends the fit after a step if somebody asked to stop.

    Args:
        reporter: the run's.
    """

    def __init__(self, reporter: Reporter) -> None:
        super().__init__()
        self.reporter = reporter

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.reporter.fit_begins()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.reporter.epoch_begins(epoch, self.params["epochs"], self.params["steps"] or 0)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.reporter.step_ends(batch)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.reporter.epoch_ends(epoch)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.reporter.fit_ends()
