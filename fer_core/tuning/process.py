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

from filelock import FileLock, Timeout

from fer_core.files import checked_name, home
from fer_core.heartbeat import alive, ask_to_stop, beating
from fer_core.processes import log_line, read_log, start_python
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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".start.lock", timeout=10):
            if working(name):
                raise FerError(f"A process is already working on {name}.")
            start_python("-m", WORKER, name, str(trials), folder=folder)
    except Timeout as error:
        raise FerError(f"{name} is being started by another process.") from error
    except OSError as error:
        raise FerError(f"{name} could not be started ({error.strerror}).") from error


def working(name: str) -> bool:
    """Whether a process started from a page is working on a study, also that of another copy of the app. Cheap."""
    return alive(_folder(name))


def stop(name: str, patience: float = PATIENCE) -> None:
    """Ask a study's process to stop, and return at once; finished trials are kept."""
    ask_to_stop(_folder(name), patience)


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
        with interrupted_by_sigterm(), beating(_folder(name)):
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


def _folder(name: str) -> Path:
    return home() / "tuning" / checked_name(name, "study")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
