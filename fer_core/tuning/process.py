"""A study that works in a process of its own, apart from the page that started it. Imports neither Optuna nor Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

from fer_core.files import checked_name, home
from fer_core.processes import LOG, ProcessNote, start_python, stop_process
from fer_core.types import FerError

PATIENCE: Final = 30.0
"""Seconds that a study is given to end by itself once it is asked to."""

_SHOWN: Final = 20_000  # bytes of a log, from its end


def start(name: str, trials: int) -> None:
    """Let a process work on a study that stands in the default storage; it outlives this one.

    Args:
        name: the study's.
        trials: how many trials it shall have in all.

    Raises:
        FerError: one works on it already, or none can be started.
    """
    folder = _folder(name)
    if working(name):
        raise FerError(f"{name} is being worked on already.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        start_python("-m", "fer_core", "tune", "--study", name, "--trials", str(trials), folder=folder)
    except OSError as error:
        raise FerError(f"{name} could not be started ({error.strerror}).") from error


def working(name: str) -> bool:
    """Whether a process that was started here works on a study. Cheap."""
    return _process(name) is not None


def stop(name: str, patience: float = PATIENCE) -> None:
    """Ask a study's process to end; its finished trials are kept. Returns at once."""
    process = _process(name)
    if process is not None:
        stop_process(process, patience)


def log(name: str, lines: int = 12) -> str:
    """Return the last lines that a study's process wrote; empty if there are none."""
    try:
        content = (_folder(name) / LOG).read_bytes()[-_SHOWN:]
    except OSError:
        return ""
    return "\n".join(content.decode("utf-8", errors="replace").splitlines()[-lines:])


def _process(name: str) -> psutil.Process | None:
    noted = ProcessNote.read(_folder(name))
    return noted.find() if noted else None


def _folder(name: str) -> Path:
    return home() / "tuning" / checked_name(name, "study")
