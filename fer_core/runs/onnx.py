"""A model as an ONNX file, made once by a process of its own and then kept. Imports no Keras."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from filelock import FileLock

from fer_core.processes import run_python
from fer_core.runs.folder import Run
from fer_core.store import StoredModel
from fer_core.types import FerError

REFUSED: Final = 3
"""Exit status of the worker where its output is one sentence for people."""

WORKER: Final = "fer_core.training.onnx_export"
ONNX: Final = "model.onnx"

_SECONDS: Final = 600


def onnx_file(run: Run) -> Path:
    """Return a finished run's model as ONNX; some ten seconds at first, then nothing. It goes when the run goes.

    Raises:
        FerError: the run has no model, or it cannot be converted.
    """
    model = run.result()
    if model is None:
        raise FerError(f"{run.title} has no model to convert: it is {run.status().state}.")
    return _converted(model, run.folder / ONNX)


def _converted(model: StoredModel, target: Path) -> Path:
    try:
        with FileLock(target.with_suffix(".onnx.lock")):
            if not target.is_file():
                _run_worker(model, target)
    except OSError as error:
        raise FerError(f"{model.title} cannot be written as ONNX ({error.strerror}). Make room on the disk.") from error
    return target


def _run_worker(model: StoredModel, target: Path) -> None:
    arguments = ("-m", WORKER, str(model.folder.resolve()), str(target.resolve()))
    try:
        done = run_python(*arguments, timeout=_SECONDS, variables={"KERAS_BACKEND": "tensorflow"})
    except subprocess.TimeoutExpired as error:
        raise FerError(
            f"{model.title} could not be converted to ONNX within {_SECONDS // 60} minutes. Try again."
        ) from error
    if done.returncode == REFUSED:
        raise FerError(done.stdout.strip().splitlines()[-1])
    if done.returncode != 0 or not target.is_file():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1][:200]
        raise FerError(f"{model.title} could not be converted to ONNX: {last}")
