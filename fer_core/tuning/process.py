"""Work on a study in the background: `python -m fer_core.tuning.process STUDY TRIALS`.

The functions start, find and stop that process. They import neither Optuna nor Keras.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from fer_core.files import checked_name, home
from fer_core.processes import ProcessNote, log_line, read_log, start_python, stop_process
from fer_core.types import FerError

WORKER: Final = "fer_core.tuning.process"
PATIENCE: Final = 30.0
"""Seconds after which a study's process that was asked to stop is killed."""


def start(name: str, trials: int) -> None:
    """Start a process that works on a study of the default storage; it outlives this process.

    Args:
        name: the study's name.
        trials: number of trials that the study will have in all.

    Raises:
        FerError: a process is working on it already, or none can be started.
    """
    folder = _folder(name)
    if working(name):
        raise FerError(f"A process is already working on {name}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        start_python("-m", WORKER, name, str(trials), folder=folder)
    except OSError as error:
        raise FerError(f"{name} could not be started ({error.strerror}).") from error


def working(name: str) -> bool:
    """Whether a process of this computer is working on a study. Cheap."""
    return _process(name) is not None


def stop(name: str, patience: float = PATIENCE) -> None:
    """Ask a study's process to stop, and return at once; finished trials are kept."""
    process = _process(name)
    if process is not None:
        stop_process(process, patience)


def log(name: str, lines: int = 12) -> str:
    """Return the last lines of the output of a study's processes; empty if there is none."""
    return read_log(_folder(name), lines)


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Handle the signal that ends a process as Ctrl-C, so that the current trial is stored as cut off."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(name: str, trials: int) -> int:
    """Work on a study until it has `trials` trials.

    Returns:
        The process's exit status.
    """
    try:
        with interrupted_by_sigterm():
            from fer_core.tuning.storage import open_storage
            from fer_core.tuning.study import open_study

            study = open_study(name, open_storage())
            log_line("Starting Keras")
            from fer_core.tuning.tune import tune

            tune(study, trials, say=log_line)
    except KeyboardInterrupt:
        log_line("Stopped. The finished trials are kept.")
    except FerError as error:
        log_line(f"Error: {error}")
        return 1
    return 0


def _process(name: str) -> psutil.Process | None:
    note = ProcessNote.read(_folder(name))
    return note.find() if note else None


def _folder(name: str) -> Path:
    return home() / "tuning" / checked_name(name, "study")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
