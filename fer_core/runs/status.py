"""The state and progress of a run: written by its process a few times a second, read by the page and the commands."""

from __future__ import annotations

import errno
import json
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from fer_core.files import read_json, write_json
from fer_core.jobs import STOP, alive
from fer_core.types import FerError

STATUS: Final = "status.json"  # name in a run's folder
_RUNNING: Final = ("preparing", "fitting", "measuring")
_STATES: Final = ("waiting", *_RUNNING, "finished", "stopped", "failed", "interrupted")
STATE_LABELS: Final = {state: state.capitalize() for state in _STATES}
"""All states with their labels. `interrupted` is never written to disk: it means that the process has vanished."""

_AGAIN: Final = "Resume it to continue after its last finished epoch."
VANISHED: Final = f"Its process vanished (killed, out of memory, or the computer was restarted). {_AGAIN}"
UNREADABLE: Final = f"Its status cannot be read. {_AGAIN}"
STOPPED: Final = f"Stopped. {_AGAIN}"
DISK_FULL: Final = "The disk is full. Free some space, then resume the run: it continues after its last finished epoch."
NO_MEMORY: Final = (
    "This computer does not have enough memory. Choose fewer faces, a smaller batch or a smaller model, or close other "
    "programs and resume the run."
)
_MEMORY_ERRORS: Final = ("ResourceExhaustedError", "OutOfMemoryError", "XlaRuntimeError")


@dataclass(frozen=True)
class Status:
    """State and progress of a run."""

    state: str  # a key of `STATE_LABELS`
    message: str = ""  # one sentence on what is happening, or on what went wrong
    queued: int = 0  # when it was put into the queue, in nanoseconds since 1970; runs start in this order
    epoch: int = 0  # number of finished epochs
    epochs: int = 0  # number of epochs in all; 0 until the first begins
    step: int = 0  # number of finished steps of the current epoch
    steps: int = 0  # number of steps per epoch; 0 until it is known
    seconds: float = 0.0  # working time so far, including before a resume and without waiting
    seconds_left: float | None = None  # None if unknown
    peak_memory: int = 0  # largest memory of its process so far in bytes; 0 if unknown
    started: float = 0.0  # when it began to work, in seconds since 1970; 0 if it has not yet
    updated: float = 0.0  # when this status was written, in seconds since 1970
    warnings: tuple[str, ...] = ()  # one sentence for each problem of its data
    stopping: bool = False  # it was asked to stop and is still working

    @property
    def fraction(self) -> float:
        """Finished part of the fit, 0 to 1."""
        if self.state in ("measuring", "finished"):
            return 1.0
        part = self.step / self.steps if self.steps else 0.0
        return min(1.0, (self.epoch + part) / self.epochs) if self.epochs else 0.0

    @property
    def running(self) -> bool:
        """Whether it is working now."""
        return self.state in _RUNNING

    @property
    def active(self) -> bool:
        """Whether it is working or waiting in the queue."""
        return self.running or self.state == "waiting"

    @property
    def can_stop(self) -> bool:
        return self.active and not self.stopping

    @property
    def can_resume(self) -> bool:
        return self.state in ("stopped", "failed", "interrupted")

    @property
    def can_delete(self) -> bool:
        return not self.running


def write_status(folder: Path, status: Status) -> None:
    """Write a run's status completely or not at all, with the current time.

    If the disk is full, the old file is overwritten in place, which needs no more space: otherwise the page could not
    show that the disk is full. An `OSError` means that this failed, too.
    """
    values = asdict(replace(status, updated=time.time(), stopping=False))
    path = folder / STATUS
    try:
        write_json(path, values)
    except OSError:
        if not path.is_file():
            raise
        with path.open("r+b") as stream:
            room = len(stream.read())
            stream.seek(0)
            stream.write(json.dumps(values).encode().ljust(room))  # JSON may end with spaces


def read_status(folder: Path) -> Status:
    """Return a run's status from its file and from whether its worker is alive. Cheap."""
    status = _parsed(read_json(folder / STATUS))
    if status is not None and not status.active:
        return status
    if alive(folder):
        known = status or Status("preparing", "Starting")
        # nothing is written during a long step
        since = max(0.0, time.time() - known.updated) if known.running and known.updated else 0.0
        left = None if known.seconds_left is None else positive(known.seconds_left - since)
        stopping = (folder / STOP).exists()
        return replace(known, seconds=known.seconds + since, seconds_left=left, stopping=stopping)
    again = _parsed(read_json(folder / STATUS))  # it may have ended between the two reads
    if again is None:
        return Status("interrupted", UNREADABLE)
    if not again.active:
        return again
    state, message = ("stopped", STOPPED) if (folder / STOP).exists() else ("interrupted", VANISHED)
    return replace(again, state=state, message=message, seconds_left=None)


def failure_message(error: BaseException) -> str:
    """Return one sentence for the user about an error that ended a run; the traceback goes to the log."""
    if isinstance(error, FerError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ in _MEMORY_ERRORS:
        return NO_MEMORY
    if isinstance(error, OSError) and (
        error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        or "No space left" in str(error)  # HDF5 puts the system's error into its own message
    ):
        return DISK_FULL
    kind = type(error).__name__
    return f"An unexpected error occurred ({kind}). The run's log has the details; resume it to try again."


def positive(seconds: float) -> float | None:
    """Return the remaining seconds; None if more time has passed than was estimated."""
    return seconds if seconds > 0 else None


def _parsed(values: dict[str, Any]) -> Status | None:
    """Return the status in a file's values; None if they are not a valid status."""
    known = {field.name for field in fields(Status)}
    try:
        status = Status(**{name: value for name, value in values.items() if name in known})
        status = replace(status, warnings=tuple(str(text) for text in status.warnings))
    except TypeError:
        return None
    counts = (status.epoch, status.epochs, status.step, status.steps, status.queued)
    times = (status.seconds, status.updated, status.started, status.peak_memory, status.seconds_left or 0)
    good = all(isinstance(n, int) for n in counts) and all(isinstance(t, int | float) for t in times)
    return status if good and status.state in STATE_LABELS else None
