"""Models of which only the trained part is shipped: put together with the downloaded backbone on first use, then kept.

Nothing here imports Keras: putting together happens in a process of its own, and what serves is a LiteRT file.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from fer_core.files import whole_file
from fer_core.types import FerError

TRAINED: Final = "trained.npz"
"""The weights that training changed, each under its path in the network."""

WORKER: Final = "fer_core.training.compose"
REFUSED: Final = 3
"""The worker's exit status where its output is one sentence for people."""

_SECONDS: Final = 900  # with the backbone's download over a slow line


def composed_file(folder: Path, storage: str, cache: Path) -> Path:
    """Return the LiteRT file of a model folder that holds a trained part only.

    The first call takes some 20 seconds, and longer where the backbone has to be downloaded; later ones find
    the file. Whoever asks at the same time waits for the one that works.

    Args:
        folder: the model's, with `card.json` and `trained.npz`.
        storage: how weights are stored (see `fer_core.training.convert`).
        cache: the folder that keeps the files.

    Raises:
        FerError: the backbone cannot be had, or putting together failed.
    """
    target = composed_path(folder / TRAINED, storage, cache)
    if _is_there(target):
        return target
    with FileLock(target.with_suffix(".lock")):
        if not _is_there(target):
            _run_worker(folder.resolve(), target)
    return target


def composed_path(trained: Path, storage: str, cache: Path) -> Path:
    """Return where the LiteRT file of a trained part is kept, whether it is there or not."""
    try:
        digest = hashlib.sha256(trained.read_bytes()).hexdigest()
    except OSError as error:
        raise FerError(f"The model's trained part cannot be read: {trained} ({error.strerror}).") from error
    return cache / f"{digest[:16]}-{storage}.tflite"


def keep(content: bytes, target: Path) -> None:
    """Write a composed file in one step: it is seen whole or not at all."""
    with whole_file(target) as partial:
        partial.write_bytes(content)


def pack_weights(weights: dict[str, NDArray[np.floating]]) -> bytes:
    """Return `trained.npz` for weights by their paths; each keeps its type."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:  # np.savez takes no slashes in names everywhere
        for path in sorted(weights):
            content = io.BytesIO()
            np.save(content, weights[path], allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{path}.npy"), content.getvalue())
    return stream.getvalue()


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read `trained.npz` as float32.

    Raises:
        FerError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name].astype(np.float32) for name in arrays.files}
    except Exception as error:  # np.load raises whatever the archive's damage provokes
        raise FerError(f"The model's trained part {path} is missing or damaged ({error}).") from error
    if not found:
        raise FerError(f"The model's trained part {path} is damaged: it is empty.")
    return found


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
