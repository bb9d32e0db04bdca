"""Submit, stop, resume and delete runs. Every call returns at once: each run is worked on by a process of its own.

Copies of the app that share the data folder, also in containers, share the queue: any of them shows and stops any run.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from fer_core import jobs
from fer_core.files import checked_name, name_from, usable_path, whole_folder, write_json
from fer_core.runs.data import expected_faces
from fer_core.runs.estimate import duration_text, estimate
from fer_core.runs.run import PLAN, Run, RunPlan, list_runs, read_run, runs_folder
from fer_core.runs.status import Status, write_status
from fer_core.runs.uploads import collections_folder
from fer_core.types import FerError
from fer_core.visitors import check_room, limits

WORKER: Final = "fer_core.runs.worker"
PICTURES: Final = "pictures"  # name in a run's folder: copies of the snapshots that it learns from


def submit(plan: RunPlan) -> Run:
    """Put a run into the queue; it begins when no other run is working.

    Snapshots of a collection are copied into the run's folder, so that later changes do not affect the run.
    """
    checked_name(plan.spec.name, "model")
    folder = runs_folder()
    with _changing(folder):
        _check_allowed(plan)
        now = time.time_ns()
        stem = f"{datetime.fromtimestamp(now / 1e9, UTC).astimezone():%Y%m%d-%H%M%S}-{name_from(plan.title)}"
        names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
        target = next(folder / name for name in names if not (folder / name).exists())
        try:
            with whole_folder(target) as work:
                plan = _with_own_pictures(plan, work, target)
                write_json(work / PLAN, {"created": now / 1e9, **asdict(plan)})
                write_status(work, Status("waiting", "Starting", queued=now))
                jobs.claim(work)
        except OSError as error:
            raise FerError(f"The run cannot be written to {folder} ({error.strerror}).") from error
        _start(target)
    return read_run(target)


def stop(run: Run) -> None:
    """Ask an active run to stop after the current step; it can be resumed after its last finished epoch."""
    if run.status().active:
        jobs.stop(run.folder)


def resume(run: Run) -> Run:
    """Put a run that was stopped or interrupted, or that failed, at the end of the queue."""
    with _changing(run.folder.parent):
        status = run.status()
        if not status.can_resume:
            raise FerError(f"{run.title} cannot be resumed: it is {status.state}.")
        _check_allowed()
        try:
            jobs.claim(run.folder)
            again = replace(status, state="waiting", message="Starting", step=0, seconds_left=None)
            write_status(run.folder, replace(again, queued=time.time_ns()))
        except OSError as error:
            raise FerError(f"{run.title} cannot be resumed ({error.strerror}).") from error
        _start(run.folder)
    return run


def delete(run: Run) -> None:
    """Delete a run that is not working, and its result; a waiting one is taken out of the queue."""
    with _changing(run.folder.parent):
        if not run.status().can_delete:
            raise FerError(f"{run.title} is working. Stop it first, then delete it.")
        if run.status().active:
            stop(run)
            wait(run, 10.0)
        gone = run.folder.with_name(f".deleted-{secrets.token_hex(4)}-{run.id}")
        try:
            run.folder.rename(gone)
        except FileNotFoundError:
            return
        except OSError as error:
            raise FerError(f"{run.title} cannot be deleted ({error.strerror}).") from error
    shutil.rmtree(gone, ignore_errors=True)


def wait(run: Run, timeout: float) -> Status:
    """Wait until a run is neither working nor waiting, at most `timeout` seconds, and return its status."""
    limit = time.monotonic() + timeout
    while (status := run.status()).active and time.monotonic() < limit:
        time.sleep(0.05)
    return status


@contextlib.contextmanager
def _changing(folder: Path) -> Iterator[None]:
    """Hold the lock of the queue, for moments only."""
    try:
        held = FileLock(folder / ".queue.lock", timeout=60).acquire()
    except Timeout as error:
        raise FerError("The queue of runs is being changed by another process. Try again in a minute.") from error
    except OSError as error:
        raise FerError(f"The folder of the runs cannot be written: {folder} ({error.strerror}).") from error
    with held:
        yield


def _check_allowed(plan: RunPlan | None = None) -> None:
    """Check that the visitor of a shared server may have one more active training, and begin a new one of this plan."""
    given = limits()
    if given is None:
        return
    active = sum(run.status().active for run in list_runs()[0])
    if active >= given.trainings:
        raise FerError(
            f"Too many of your trainings wait or work on this server. Expected at most {given.trainings} at a time; "
            f"wait until it ends, or stop it. Received: {active + 1}"
        )
    if plan is None:
        return
    check_room(0)
    seconds = estimate(plan.spec, plan.recipe, faces=expected_faces(plan.data)).seconds
    if seconds > 60 * given.training_minutes:
        raise FerError(
            f"This training would take too long for this server. Expected at most {given.training_minutes:g} minutes; "
            f"choose fewer faces, fewer epochs or a smaller network. Received: {duration_text(seconds)}"
        )


def _with_own_pictures(plan: RunPlan, work: Path, target: Path) -> RunPlan:
    """Return the plan with the absolute path of its pictures; snapshots of a collection are copied into the run."""
    if plan.data.source != "folder":
        return plan
    source = usable_path(plan.data.path).resolve()  # processes that resume it may have another working directory
    kept = source
    if source.is_relative_to(collections_folder().resolve()) and source.is_dir():
        kept = target / PICTURES / source.name
        shutil.copytree(source, work / PICTURES / source.name)
    return replace(plan, data=replace(plan.data, path=str(kept)))


def _start(folder: Path) -> None:
    try:
        jobs.start("-m", WORKER, str(folder.resolve()), folder=folder)
    except OSError as error:
        message = f"Its process could not be started ({error.strerror}). Resume it to try again."
        with contextlib.suppress(OSError):
            write_status(folder, Status("failed", message))
        raise FerError(message) from error
