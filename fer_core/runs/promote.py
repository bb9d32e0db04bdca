"""What becomes of a finished run's model: promoted so that every page offers it, downloaded, or converted to ONNX."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Final

from filelock import FileLock

from fer_core.files import checked_name, name_from, whole_folder
from fer_core.jobs import file_of_child
from fer_core.runs.run import Run
from fer_core.store.card import CARD
from fer_core.store.folders import list_models, model_folders, open_model, promoted
from fer_core.store.stored_model import KERAS, WEIGHTS, StoredModel
from fer_core.types import FerError
from fer_core.visitors import check_room, disk_use

ONNX: Final = "model.onnx"
"""The ONNX file's name in a run's folder."""

ONNX_WORKER: Final = "fer_core.training.export"
_ONNX_SECONDS: Final = 600
_MAX_TITLE: Final = 80


def promote(run: Run, name: str, *, title: str, replace: bool = False) -> StoredModel:
    """Copy a run's model to the user's own models, completely or not at all.

    The model stays when the run is deleted.

    Args:
        run: a finished run.
        name: the model's folder name: lower-case letters, digits, `_` and `-`.
        title: the model's name on the pages; if another model has the same title, the folder name is appended.
        replace: replace an own model of that name, or take precedence over a shipped one.

    Raises:
        FerError: the run has no model, the name is not valid or taken, the title is empty or too long, or the disk is
            full.
    """
    result = _result(run, "promote")
    checked_name(name, "model")
    title = " ".join(title.split())
    if not title or len(title) > _MAX_TITLE:
        raise FerError(f"Expected a title of 1 to {_MAX_TITLE} letters. Received: {title[:_MAX_TITLE]!r}")
    root = promoted()
    check_room(disk_use(result.folder))
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".promoting.lock"), whole_folder(root / name) as work:
            _check_free(name, replace)
            if title in {model.title for model in list_models()[0] if model.name != name}:
                title = f"{title} ({name})"  # charts identify models by their titles
            shutil.copytree(result.folder, work, dirs_exist_ok=True)
            dataclasses.replace(result.card, name=name, title=title, promoted_from=run.id).write(work / CARD)
            open_model(work)
    except OSError as error:
        raise FerError(f"{run.title} cannot be promoted ({error.strerror or error}). Free some disk space.") from error
    return open_model(root / name)


def suggested_name(run: Run) -> str:
    """Return a valid name made from the run's title that no model has yet."""
    stem = name_from(run.title)
    names = [stem, *(f"{stem}_{number}" for number in range(2, 1000))]
    return next(name for name in names if not any((root / name).exists() for root in model_folders()))


def downloads(run: Run) -> dict[str, Path]:
    """Return the LiteRT and Keras files of a finished run by name, as far as it has them."""
    result = run.result()
    if result is None:
        return {}
    return {name: result.folder / name for name in (WEIGHTS, KERAS) if (result.folder / name).is_file()}


def onnx_file(run: Run) -> Path:
    """Return a finished run's model as ONNX; the first call takes about ten seconds and keeps the file in the run.

    Raises:
        FerError: the run has no model, or it cannot be converted.
    """
    model = _result(run, "convert")
    target = run.folder / ONNX
    try:
        with FileLock(target.with_suffix(".onnx.lock")):
            if not target.is_file():  # Keras is imported in a process of its own
                words = ("-m", ONNX_WORKER, str(model.folder.resolve()), str(target.resolve()))
                failed = f"{model.title} could not be converted to ONNX"
                file_of_child(*words, target=target, failed=failed, timeout=_ONNX_SECONDS)
    except OSError as error:
        raise FerError(f"{model.title} cannot be written as ONNX ({error.strerror}). Free some disk space.") from error
    return target


def _result(run: Run, action: str) -> StoredModel:
    model = run.result()
    if model is None:
        raise FerError(f"{run.title} has no model to {action}: it is {run.status().state}.")
    return model


def _check_free(name: str, replace: bool) -> None:
    if replace:
        return
    if (promoted() / name).exists():
        raise FerError(f"You have a model of that name already. Choose another name, or replace it. Received: {name}")
    if any((root / name).exists() for root in model_folders()):
        raise FerError(
            f"{name} is the name of a model that comes with FER Lab. Choose another, or let yours take its place."
        )
