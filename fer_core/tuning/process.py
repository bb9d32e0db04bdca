"""A study that works in a process of its own, apart from the page that started it. Imports neither Optuna nor Keras."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

import psutil

from fer_core.data import home
from fer_core.runs.names import checked_name
from fer_core.runs.process import RunProcess, note_process, noted_process
from fer_core.types import FerError

LOG: Final = "log.txt"
PATIENCE: Final = 30.0
"""Seconds that a study is given to end by itself once it is asked to."""

_ROOT: Final = Path(__file__).resolve().parent.parent.parent
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
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOG).open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "fer_core", "tune", "--study", name, "--trials", str(trials), "--nice"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                **apart,
            )
        process = RunProcess.of(worker.pid)
        if process is not None:
            note_process(folder, process)
    except OSError as error:
        raise FerError(f"{name} could not be started ({error.strerror}).") from error
    threading.Thread(target=worker.wait, daemon=True).start()  # or it would stay in the process table once it ended


def working(name: str) -> bool:
    """Whether a process that was started here works on a study. Cheap."""
    return _process(name) is not None


def stop(name: str, patience: float = PATIENCE) -> None:
    """Ask a study's process to end; its finished trials are kept. Returns at once."""
    process = _process(name)
    if process is None:
        return
    with contextlib.suppress(psutil.Error):
        process.terminate()
    threading.Thread(target=_make_sure, args=(process, patience), daemon=True).start()


def log(name: str, lines: int = 12) -> str:
    """Return the last lines that a study's process wrote; empty if there are none."""
    try:
        content = (_folder(name) / LOG).read_bytes()[-_SHOWN:]
    except OSError:
        return ""
    return "\n".join(content.decode("utf-8", errors="replace").splitlines()[-lines:])


def _process(name: str) -> psutil.Process | None:
    noted = noted_process(_folder(name))
    return noted.find() if noted else None


def _folder(name: str) -> Path:
    return home() / "tuning" / checked_name(name, "A study")


def _make_sure(process: psutil.Process, patience: float) -> None:
    with contextlib.suppress(psutil.Error):
        try:
            process.wait(patience)
        except psutil.TimeoutExpired:
            process.kill()
