"""A run: one training that was started from the Fine-tune page or by a study, kept in a folder of its own.

The folder holds `plan.json`, `status.json`, `history.csv`, `log.txt`, what a fit needs to be resumed, and, once the run
has finished, the trained model.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from fer_core.files import read_json
from fer_core.jobs import read_log
from fer_core.models import ModelSpec
from fer_core.runs.data import DataSettings
from fer_core.runs.status import Status, read_status
from fer_core.store.folders import open_model
from fer_core.store.stored_model import StoredModel
from fer_core.tables import read_table
from fer_core.training.recipe import Recipe
from fer_core.types import FerError, reason
from fer_core.visitors import own_home

PLAN, HISTORY, RESULT = "plan.json", "history.csv", "result"
"""Names in a run's folder."""

_COMMAND_LINE: Final = "spec.json"  # trainings from the command line have this file but no plan; they are not listed


@dataclass(frozen=True)
class RunPlan:
    """A training as it was requested.

    Attributes:
        title: the run's name on the page.
        spec: the model to build.
        recipe: how to fit it.
        data: what to learn from.
    """

    title: str
    spec: ModelSpec
    recipe: Recipe
    data: DataSettings

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for `plan.json`."""
        return {"title": self.title, **{part: getattr(self, part).as_dict() for part in ("spec", "recipe", "data")}}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunPlan:
        """Build from the result of `as_dict`.

        Raises:
            FerError: a part is missing, or was written by another version.
        """
        try:
            return cls(
                str(values["title"]),
                ModelSpec.from_dict(values["spec"]),
                Recipe.from_dict(values["recipe"]),
                DataSettings(**values["data"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FerError(f"The plan cannot be read: {error}.") from error


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        folder: its folder, named by the run's id.
        plan: the training as it was requested.
        created: when it was submitted.
    """

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
        """Return the last lines of its log; empty if there is none."""
        return read_log(self.folder, lines)

    def result(self) -> StoredModel | None:
        """Return the trained model; None before the run has finished."""
        folder = self.folder / RESULT / self.plan.spec.name
        try:
            return open_model(folder) if self.status().state == "finished" else None
        except FerError:
            return None


def runs_folder() -> Path:
    """Return the folder of all runs of the user, or of the visitor of a shared server, created on demand.

    Raises:
        FerError: it cannot be created.
    """
    folder = own_home() / "runs"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FerError(f"The folder of the runs cannot be created: {folder} ({error.strerror}).") from error
    return folder


def read_run(folder: Path) -> Run:
    """Read one run's folder.

    Raises:
        FerError: its plan is missing or damaged.
    """
    values = read_json(folder / PLAN)
    if not values:
        raise FerError(
            f"The run {folder.name} is skipped: its {PLAN} is missing or damaged. Delete the folder {folder}"
        )
    try:
        return Run(folder, RunPlan.from_dict(values), datetime.fromtimestamp(float(values["created"]), UTC))
    except (FerError, KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise FerError(f"The run {folder.name} is skipped: its {PLAN} cannot be used ({reason(error)}).") from error


def list_runs() -> tuple[list[Run], list[str]]:
    """Return all runs, newest first, and one sentence for each damaged folder. Cheap.

    Raises:
        FerError: the user's data folder cannot be created.
    """
    runs: list[Run] = []
    warnings: list[str] = []
    for folder in sorted(runs_folder().iterdir()):
        if not folder.is_dir() or folder.name.startswith("."):
            continue
        if (folder / _COMMAND_LINE).is_file() and not (folder / PLAN).exists():
            continue
        try:
            runs.append(read_run(folder))
        except FerError as error:
            warnings.append(str(error))
    return sorted(runs, key=lambda run: (run.created, run.id), reverse=True), warnings


def open_run(run_id: str) -> Run:
    """Return the run with this id.

    Raises:
        FerError: there is none, or its folder is damaged.
    """
    folder = runs_folder() / run_id
    if not run_id or Path(run_id).name != run_id or run_id.startswith(".") or not folder.is_dir():
        ids = ", ".join(run.id for run in list_runs()[0][:5]) or "none"
        raise FerError(f"There is no run with this id. The newest ones: {ids}. Received: {run_id[:80]}")
    return read_run(folder)
