"""How far a run is: written by its process a few times a second, read by whoever looks."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from fer_core.files import read_json, write_json
from fer_core.processes import ProcessNote

STATUS, STOP = "status.json", "stop"
"""Names in a run's folder: the status, and the mark that somebody asked it to stop."""

STATE_WORDS: Final = {
    "waiting": "Waiting",
    "preparing": "Preparing",
    "fitting": "Fitting",
    "measuring": "Measuring",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
    "interrupted": "Interrupted",
}
"""Every state in words. `interrupted` is never written: it is what a run is whose process vanished."""

RUNNING: Final = ("preparing", "fitting", "measuring")
ACTIVE: Final = ("waiting", *RUNNING)
RESUMABLE: Final = ("stopped", "failed", "interrupted")

VANISHED: Final = (
    "Its process vanished (killed, out of memory, or the computer was restarted). Resume it to go on at its last "
    "finished epoch."
)
UNREADABLE: Final = "Its status cannot be read. Resume it to go on at its last finished epoch."
STOPPED: Final = "Stopped. Resume it to go on at its last finished epoch."

_STARTING: Final = 30.0
"""Seconds in which a run may be without a process: it is being started."""


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes:
        state: a key of `STATE_WORDS`.
        message: one sentence on what happens, or on what went wrong.
        queued: when it was put into the queue, in nanoseconds since 1970: the queue's order.
        epoch: how many epochs are finished.
        epochs: how many there will be; 0 until they begin.
        step: how many steps of the running epoch are done.
        steps: how many an epoch has; 0 until they are known.
        seconds: for how long it has worked, over resumes too, without waiting.
        seconds_left: how long it will still take; None if unknown.
        peak_memory: most bytes that its process held at once; 0 if unknown.
        started: when it began to work, in seconds since 1970; 0 if it did not.
        updated: when this was written, in seconds since 1970.
        warnings: a sentence for each thing to know about its data.
        stopping: whether somebody asked it to stop and it still works.
    """

    state: str
    message: str = ""
    queued: int = 0
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    seconds_left: float | None = None
    peak_memory: int = 0
    started: float = 0.0
    updated: float = 0.0
    warnings: tuple[str, ...] = ()
    stopping: bool = False

    @property
    def fraction(self) -> float:
        """How much of the fitting is done, 0 to 1."""
        if self.state in ("measuring", "finished"):
            return 1.0
        part = self.step / self.steps if self.steps else 0.0
        return min(1.0, (self.epoch + part) / self.epochs) if self.epochs else 0.0

    @property
    def running(self) -> bool:
        """Whether it works right now."""
        return self.state in RUNNING

    @property
    def active(self) -> bool:
        """Whether it works or waits its turn."""
        return self.state in ACTIVE

    @property
    def can_stop(self) -> bool:
        """Whether `stop` makes sense."""
        return self.active and not self.stopping

    @property
    def can_resume(self) -> bool:
        """Whether `resume` makes sense."""
        return self.state in RESUMABLE

    @property
    def can_delete(self) -> bool:
        """Whether `delete` is allowed."""
        return not self.running

    @property
    def can_promote(self) -> bool:
        """Whether there is a model to promote."""
        return self.state == "finished"


def write_status(folder: Path, status: Status) -> None:
    """Write a run's status in one step, with the time.

    On a full disk it is written over the old one, which needs no more room: people must see that the disk is full.

    Raises:
        OSError: even that is impossible.
    """
    values = asdict(replace(status, updated=time.time(), stopping=False))
    path = folder / STATUS
    try:
        write_json(path, values)
    except OSError:
        if not path.is_file():
            raise
        _write_over(path, json.dumps(values).encode())


def read_status(folder: Path) -> Status:
    """Return how far a run is, by what its folder says and by whether its process lives. Cheap."""
    status = _parsed(read_json(folder / STATUS))
    if status is not None and not status.active:
        return status
    process = ProcessNote.read(folder)
    if process is not None and process.find() is not None:
        known = status or Status("preparing", "Starting")
        return replace(_up_to_now(known), stopping=(folder / STOP).exists())
    again = _parsed(read_json(folder / STATUS))  # it may have ended between the two looks
    starting = process is None and again is not None and time.time() - again.updated < _STARTING
    return again if again is not None and (starting or not again.active) else _abandoned(folder, again)


def _abandoned(folder: Path, status: Status | None) -> Status:
    """Return the status of a run whose process is gone without a last word."""
    if status is None:
        return Status("interrupted", UNREADABLE)
    stopped = (folder / STOP).exists()
    state, message = ("stopped", STOPPED) if stopped else ("interrupted", VANISHED)
    return replace(status, state=state, message=message, seconds_left=None)


def _up_to_now(status: Status) -> Status:
    """Return a working run's status with the seconds since it was written counted in: long steps write nothing."""
    since = max(0.0, time.time() - status.updated) if status.running and status.updated else 0.0
    left = None if status.seconds_left is None else positive(status.seconds_left - since)
    return replace(status, seconds=status.seconds + since, seconds_left=left)


def positive(seconds: float) -> float | None:
    """Return the seconds left; None where an estimate is used up, for then nothing is known."""
    return seconds if seconds > 0 else None


def _parsed(values: dict[str, Any]) -> Status | None:
    """Return the status that a file holds; None if it holds none."""
    known = {field.name for field in fields(Status)}
    try:
        status = Status(**{name: value for name, value in values.items() if name in known})
        status = replace(status, warnings=tuple(str(text) for text in status.warnings))
        numbers = (status.epoch, status.epochs, status.step, status.steps, status.queued)
        times = (status.seconds, status.updated, status.started, status.peak_memory, status.seconds_left or 0)
        good = all(isinstance(n, int) for n in numbers) and all(isinstance(t, int | float) for t in times)
    except TypeError:
        return None
    return status if good and status.state in STATE_WORDS else None


def _write_over(path: Path, content: bytes) -> None:
    with path.open("r+b") as stream:
        room = len(stream.read())
        stream.seek(0)
        stream.write(content.ljust(room))  # JSON may end in blanks
