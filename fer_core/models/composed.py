"""Models of which only the head is shipped: put together with the downloaded backbone on first use, then kept.

Nothing here imports Keras: putting together happens in a process of its own, and what serves is a LiteRT file.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from fer_core.types import FerError

HEAD: Final = "head.npz"
WORKER: Final = "fer_core.training.compose"
REFUSED: Final = 3
"""The worker's exit status where its output is one sentence for people."""

_SECONDS: Final = 900  # with the backbone's download over a slow line


def composed_file(folder: Path, storage: str, cache: Path) -> Path:
    """Return the LiteRT file of a model folder that holds a head only.

    The first call for a head takes some 20 seconds, and longer where the backbone has to be downloaded; later ones find
    the file. Whoever asks at the same time waits for the one that works.

    Args:
        folder: the model's, with `card.json` and `head.npz`.
        storage: how weights are stored (`float32`, `float16` or `int8`).
        cache: the folder that keeps the files.

    Raises:
        FerError: the backbone cannot be had, or putting together failed.
    """
    target = composed_path(folder / HEAD, storage, cache)
    if _is_there(target):
        return target
    with FileLock(target.with_suffix(".lock")):
        if not _is_there(target):
            _run_worker(folder.resolve(), target)
    return target


def composed_path(head: Path, storage: str, cache: Path) -> Path:
    """Return where the LiteRT file of a head is kept, whether it is there or not."""
    try:
        digest = hashlib.sha256(head.read_bytes()).hexdigest()
    except OSError as error:
        raise FerError(f"The model's head cannot be read: {head} ({error.strerror}).") from error
    return cache / f"{digest[:16]}-{storage}.tflite"


def keep(content: bytes, target: Path) -> None:
    """Write a composed file in one step: it is seen whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".partial", delete=False) as stream:
        partial = Path(stream.name)
        stream.write(content)
    partial.replace(target)


def head_bytes(kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> bytes:
    """Return `head.npz` for a linear head: kernel `(channels, 7)` and bias `(7,)`, float32."""
    stream = io.BytesIO()
    np.savez(stream, kernel=kernel.astype(np.float32), bias=bias.astype(np.float32))
    return stream.getvalue()


def read_head(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read kernel `(channels, 7)` and bias `(7,)`.

    Raises:
        FerError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            kernel, bias = arrays["kernel"], arrays["bias"]
    except Exception as error:  # np.load raises whatever the archive's damage provokes
        raise FerError(f"The model's head {path} is missing or damaged ({error}).") from error
    if kernel.ndim != 2 or bias.shape != kernel.shape[1:]:
        raise FerError(f"The model's head {path} is damaged: kernel {kernel.shape} and bias {bias.shape} do not fit.")
    return kernel, bias


def _is_there(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _run_worker(folder: Path, target: Path) -> None:
    root = str(Path(__file__).resolve().parent.parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, "-m", WORKER, str(folder), str(target)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise FerError(
            f"The model {folder.name} could not be put together within {_SECONDS // 60} minutes. Try again, or run "
            f"`python -m fer_core compose {folder.name}` beforehand."
        ) from error
    if done.returncode == REFUSED:
        raise FerError(done.stdout.strip().splitlines()[-1])
    if done.returncode != 0 or not _is_there(target):
        last = (done.stderr.strip().splitlines() or ["no message"])[-1][:200]
        raise FerError(f"The model {folder.name} could not be put together with its downloaded backbone: {last}")
