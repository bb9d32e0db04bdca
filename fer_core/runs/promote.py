"""From a finished run to a model that every page offers."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Final

from filelock import FileLock

from fer_core.card import CARD
from fer_core.files import whole_folder
from fer_core.runs.folder import Run
from fer_core.runs.names import checked_name, name_from
from fer_core.store import KERAS, SHIPPED, WEIGHTS, StoredModel, list_models, open_model, promoted
from fer_core.types import FerError

MAX_TITLE: Final = 80


def promote(run: Run, name: str, title: str, replace: bool = False) -> StoredModel:
    """Copy a run's result into the user's own models, in one step: it is seen whole or not at all.

    The model stays when the run is deleted.

    Args:
        run: a finished one.
        name: the folder's: lower-case letters, digits, `_` and `-`.
        title: what people read; where another model has the same, the name is put behind it.
        replace: take the place of an own model of that name, or stand before a shipped one.

    Raises:
        FerError: the run has no result, the name is unfit or taken, the title is empty or too long, or the disk is
            full.
    """
    result = run.result()
    if result is None:
        raise FerError(f"{run.title} has no model to promote: it is {run.status().state}.")
    checked_name(name, "A model")
    title = " ".join(title.split())
    if not title or len(title) > MAX_TITLE:
        raise FerError(f"Expected a title of 1 to {MAX_TITLE} letters. Received: {title[:MAX_TITLE]!r}")
    root = promoted()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".promoting.lock"):
            _check_free(name, replace)
            if title in {model.title for model in list_models()[0] if model.name != name}:
                title = f"{title} ({name})"  # charts know models by their titles
            with whole_folder(root / name) as work:
                shutil.copytree(result.folder, work, dirs_exist_ok=True)
                card = dataclasses.replace(result.card, name=name, title=title, promoted_from=run.id)
                card.write(work / CARD)
                open_model(work)
    except OSError as error:
        raise FerError(f"{run.title} cannot be promoted ({error.strerror or error}). Make room on the disk.") from error
    return open_model(root / name)


def suggested_name(run: Run) -> str:
    """Return a fit name that no model has yet, made of the run's title."""
    stem = name_from(run.title)
    names = [stem, *(f"{stem}_{number}" for number in range(2, 1000))]
    return next(name for name in names if not (promoted() / name).exists() and not (SHIPPED / name).exists())


def downloads(run: Run) -> dict[str, Path]:
    """Return the files of a finished run worth taking away, by name: the LiteRT file and Keras', where it has them."""
    result = run.result()
    if result is None:
        return {}
    return {name: result.folder / name for name in (WEIGHTS, KERAS) if (result.folder / name).is_file()}


def _check_free(name: str, replace: bool) -> None:
    if replace:
        return
    if (promoted() / name).exists():
        raise FerError(f"You have a model of that name already. Choose another name, or replace it. Received: {name}")
    if (SHIPPED / name).exists():
        raise FerError(
            f"{name} is the name of a model that comes with FER Lab. Choose another, or let yours stand in its place."
        )
