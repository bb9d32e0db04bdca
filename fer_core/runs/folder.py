"""A run is a folder: its plan, status, curves, log and, once finished, its result."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd

from fer_core.files import home, read_json
from fer_core.runs.plan import RunPlan
from fer_core.runs.status import Status, read_status
from fer_core.store import StoredModel, open_model
from fer_core.types import FerError

PLAN, HISTORY, LOG, RESULT = "plan.json", "history.csv", "log.txt", "result"
"""Names in a run's folder; the worker adds `status.json`, `process.json`, and what a fit keeps to go on."""

_COMMAND_LINE: Final = "spec.json"
"""What a training from the command line leaves in its folder, which has no plan and is not listed here."""


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        folder: where it is; its name is the run's id.
        plan: what it is to do.
        created: when it was submitted.
    """

    folder: Path
    plan: RunPlan
    created: datetime

    @property
    def id(self) -> str:
        """What names it, in addresses and on the command line."""
        return self.folder.name

    @property
    def title(self) -> str:
        """What people call it."""
        return self.plan.title

    def status(self) -> Status:
        """Return how far it is, read now. Cheap: ask as often as you like."""
        return read_status(self.folder)

    def history(self) -> pd.DataFrame:
        """Return its curves, one row an epoch: `epoch` from 0, `accuracy`, `loss`, `val_accuracy`, `val_loss`, ….

        An epoch that was begun twice counts with its last try; a line that is being written is left out. Empty before
        the first epoch ends.
        """
        try:
            text = (self.folder / HISTORY).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return pd.DataFrame()
        lines = text[: text.rfind("\n") + 1].splitlines()
        if len(lines) < 2:
            return pd.DataFrame()
        width = lines[0].count(",")
        whole = [lines[0], *(line for line in lines[1:] if line.count(",") == width and line != lines[0])]
        table = pd.read_csv(io.StringIO("\n".join(whole))).apply(pd.to_numeric, errors="coerce")
        if "epoch" not in table:
            return pd.DataFrame()
        table = table.dropna(subset=["epoch"]).drop_duplicates("epoch", keep="last").sort_values("epoch")
        return table.astype({"epoch": int}).reset_index(drop=True)

    def log(self, lines: int = 200) -> str:
        """Return the last lines of its log; empty if there is none."""
        try:
            with (self.folder / LOG).open("rb") as stream:
                stream.seek(0, os.SEEK_END)
                stream.seek(max(0, stream.tell() - 1000 * lines))
                text = stream.read().decode("utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def result(self) -> StoredModel | None:
        """Return the model that it made; None if it has not made one."""
        folder = self.folder / RESULT / self.plan.spec.name
        try:
            return open_model(folder) if self.status().state == "finished" else None
        except FerError:
            return None


def runs_folder() -> Path:
    """Return the folder of all runs, created on demand.

    Raises:
        FerError: it cannot be created.
    """
    folder = home() / "runs"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FerError(f"The folder of the runs cannot be made: {folder} ({error.strerror}).") from error
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
        raise FerError(f"The run {folder.name} is skipped: its {PLAN} cannot be used ({error}).") from error


def list_runs() -> tuple[list[Run], list[str]]:
    """Return all runs, newest first, and one sentence for each folder that is damaged. Cheap.

    Raises:
        FerError: the user's data folder cannot be made.
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
    """Return the run of that id.

    Raises:
        FerError: there is none, or its folder is damaged.
    """
    folder = runs_folder() / run_id
    if not run_id or Path(run_id).name != run_id or run_id.startswith(".") or not folder.is_dir():
        ids = ", ".join(run.id for run in list_runs()[0][:5]) or "none"
        raise FerError(f"There is no run of that id. The newest ones: {ids}. Received: {run_id[:80]}")
    return read_run(folder)
