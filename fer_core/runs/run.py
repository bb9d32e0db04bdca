"""A run: one training that was started from the Fine-tune page or by a study, and what becomes of its model.

A run's folder holds `plan.json`, `status.json`, `history.csv`, `log.txt`, what a fit needs to be resumed, and, once the
run has finished, the trained model, which can be promoted so that every page offers it, or converted to ONNX.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
from filelock import FileLock

from fer_core.files import checked_name, name_from, read_json, usable_path, whole_folder
from fer_core.jobs import file_of_child, read_log
from fer_core.models import ModelSpec
from fer_core.runs.data import DataSettings
from fer_core.runs.status import Status, read_status
from fer_core.store.card import CARD
from fer_core.store.folders import list_models, model_folders, open_model, promoted
from fer_core.store.stored_model import KERAS, WEIGHTS, StoredModel
from fer_core.tables import read_table
from fer_core.training.recipe import Recipe
from fer_core.types import FerError, reason
from fer_core.visitors import check_room, disk_use, own_home

PLAN, HISTORY, RESULT = "plan.json", "history.csv", "result"  # names in a run's folder
ONNX: Final = "model.onnx"  # the ONNX file's name in a run's folder
ONNX_WORKER: Final = "fer_core.training.export"
_ONNX_SECONDS: Final = 600
_MAX_TITLE: Final = 80
KEPT_DAYS: Final = 30  # after its last upload, until a zip that no run uses is deleted
_COMMAND_LINE: Final = "spec.json"  # trainings from the command line have this file but no plan; they are not listed


@dataclass(frozen=True)
class RunPlan:
    """A training as it was requested: `asdict` gives what `plan.json` holds besides the time."""

    title: str  # the run's name on the page
    spec: ModelSpec
    recipe: Recipe
    data: DataSettings

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunPlan:
        """Build from the result of `asdict`; a `FerError` says if a part is missing, or of another version."""
        try:
            return cls(str(values["title"]), **parts_of(values))
        except (KeyError, TypeError, ValueError) as error:
            raise FerError(f"The plan cannot be read: {error}.") from error


def parts_of(values: dict[str, Any]) -> dict[str, Any]:
    """Return model, recipe and data of a plan's values; a `KeyError`, `TypeError` or `ValueError` if it is damaged."""
    spec, recipe = ModelSpec.from_dict(values["spec"]), Recipe.from_dict(values["recipe"])
    return {"spec": spec, "recipe": recipe, "data": DataSettings(**values["data"])}


@dataclass(frozen=True)
class Run:
    """One run: its folder, the training as it was requested, and when it was submitted."""

    folder: Path
    plan: RunPlan
    created: datetime

    @property
    def id(self) -> str:
        """The id, used in URLs and on the command line."""
        return self.folder.name

    @property
    def title(self) -> str:
        """The name on the page."""
        return self.plan.title

    def status(self) -> Status:
        """Return the state and progress, read from the folder now. Cheap."""
        return read_status(self.folder)

    @property
    def best_accuracy(self) -> float | None:
        """The highest accuracy on the hold-out of its epochs so far; None before the first one has ended."""
        history = self.history()
        return float(history["val_accuracy"].max()) if "val_accuracy" in history else None

    def history(self) -> pd.DataFrame:
        """Return one row per epoch: `epoch` from 0, `accuracy`, `loss`, `val_accuracy`, `val_loss`, and others.

        Of an epoch that was started twice the last attempt is used. Incomplete lines are left out. The table is empty
        before the first epoch has ended.
        """
        try:
            table = read_table(self.folder / HISTORY, partial=True).apply(pd.to_numeric, errors="coerce")
        except FerError:
            return pd.DataFrame()
        if "epoch" not in table or table.empty:
            return pd.DataFrame()
        table = table.dropna(subset=["epoch"]).drop_duplicates("epoch", keep="last").sort_values("epoch")
        return table.astype({"epoch": int}).reset_index(drop=True)

    def log(self, lines: int = 200) -> str:
        """Return the last lines of its log."""
        return read_log(self.folder, lines)

    def result(self) -> StoredModel | None:
        """Return the trained model; None before the run has finished."""
        folder = self.folder / RESULT / self.plan.spec.name
        try:
            return open_model(folder) if self.status().state == "finished" else None
        except FerError:
            return None


def runs_folder() -> Path:
    """Return the folder of all runs of the user, or of the visitor of a shared server, created on demand."""
    folder = own_home() / "runs"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FerError(f"The folder of the runs cannot be created: {folder} ({error.strerror}).") from error
    return folder


def read_run(folder: Path) -> Run:
    """Read one run's folder; a `FerError` says if its plan is missing or damaged."""
    values = read_json(folder / PLAN)
    skipped = f"The run {folder.name} is skipped: its {PLAN}"
    if not values:
        raise FerError(f"{skipped} is missing or damaged. Delete the folder {folder}")
    try:
        return Run(folder, RunPlan.from_dict(values), created=datetime.fromtimestamp(float(values["created"]), UTC))
    except (FerError, KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise FerError(f"{skipped} cannot be used ({reason(error)}).") from error


def list_runs(root: Path | None = None) -> tuple[list[Run], list[str]]:
    """Return all runs in `root`, by default `runs_folder`, newest first, and a sentence for each damaged one. Cheap.

    By default, uploaded zips that none of them has used for `KEPT_DAYS` are deleted.
    """
    runs: list[Run] = []
    warnings: list[str] = []
    for folder in sorted((root or runs_folder()).glob("[!.]*/")):
        if (folder / _COMMAND_LINE).is_file() and not (folder / PLAN).exists():
            continue
        try:
            runs.append(read_run(folder))
        except FerError as error:
            warnings.append(str(error))
    if root is None:
        _delete_old_zips({Path(run.plan.data.path).parent.name for run in runs})
    return sorted(runs, key=lambda run: (run.created, run.id), reverse=True), warnings


def zips_folder() -> Path:
    """Return the folder that has a folder for each uploaded zip, whether it exists or not."""
    return own_home() / "uploads" / "zips"


def _delete_old_zips(used: set[str]) -> None:
    for folder in zips_folder().glob("*"):
        with contextlib.suppress(OSError):  # deleted in between
            if folder.name not in used and time.time() - folder.stat().st_mtime > KEPT_DAYS * 86_400:
                shutil.rmtree(folder, ignore_errors=True)


def open_run(run_id: str) -> Run:
    """Return the run with this id; a `FerError` says if there is none, or its folder is damaged."""
    folder = usable_path(runs_folder() / run_id)
    if not run_id or Path(run_id).name != run_id or run_id.startswith(".") or not folder.is_dir():
        ids = ", ".join(run.id for run in list_runs()[0][:5]) or "none"
        raise FerError(f"There is no run with this id. The newest ones: {ids}. Received: {run_id[:80]}")
    return read_run(folder)


def promote(run: Run, name: str, *, title: str, replace: bool = False) -> StoredModel:
    """Copy a run's model to the user's own models, completely or not at all. It stays when the run is deleted.

    If another model has the same title, the model's name is appended. With `replace`, an own model of that name is
    replaced, and a shipped one is hidden. A `FerError` says if the run has no model, or the name is taken.
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
            if not replace:
                _check_free(name)
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


def file_stem(run: Run) -> str:
    """Return the name of a run's files to download: that of its promoted model, else one made from its title."""
    names = (model.name for model in list_models()[0] if model.card.promoted_from == run.id)
    return next(names, name_from(run.title))


def downloads(run: Run) -> dict[str, Path]:
    """Return the LiteRT and Keras files of a finished run by name, as far as it has them."""
    model = run.result()
    files = [] if model is None else [model.folder / name for name in (WEIGHTS, KERAS)]
    return {file.name: file for file in files if file.is_file()}


def onnx_file(run: Run) -> Path:
    """Return a finished run's model as ONNX; the first call takes about ten seconds and keeps the file in the run."""
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


def _check_free(name: str) -> None:
    if (promoted() / name).exists():
        raise FerError(f"You have a model of that name already. Choose another name, or replace it. Received: {name}")
    if any((root / name).exists() for root in model_folders()):
        raise FerError(
            f"{name} is the name of a model that comes with FER Lab. Choose another, or let yours take its place."
        )
