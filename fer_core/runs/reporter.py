"""What a run's process tells about itself: status, log, and how long it takes. Keras-free."""

from __future__ import annotations

import contextlib
import signal
import statistics
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

import psutil

from fer_core.files import read_json
from fer_core.runs.status import STATUS, Status, positive, read_status, write_status

_BETWEEN: Final = 0.4  # seconds between two writings of the status while nothing but the step changes


class Stopped(BaseException):
    """Somebody asked the run to stop. Not an `Exception`: nothing on the way may take it for an error."""


class Reporter:
    """Writes a run's status and log, and ends the run when it is asked to.

    Args:
        folder: the run's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.epoch_seconds: list[float] = []
        self.preparing = 0.0
        self.expected: float | None = None
        self.expected_ending = 0.0
        self._status = _last_status(folder)
        self._worked_before = self._status.seconds
        self._began = self._fitted = self._epoch_began = self._first_step = 0.0
        self._written = 0.0
        self._asked = self._patient = False

    def listen(self) -> None:
        """Take the stop signal from now on."""
        signal.signal(signal.SIGTERM, self._on_signal)

    def wait_for(self, before: int) -> None:
        """Tell how many runs come first."""
        text = f"Waiting for {before} other run{'s' if before > 1 else ''}." if before else "Starting."
        self._write(state="waiting", message=text)

    def begin(self) -> None:
        """It is this run's turn."""
        self._began = time.monotonic()
        self._write(state="preparing", message="Loading the faces", started=time.time())

    def expect(self, seconds: float, ending: float) -> None:
        """Take an estimate until epochs were measured.

        Args:
            seconds: for all of the run.
            ending: for what follows the last epoch.
        """
        self.expected, self.expected_ending = seconds, ending

    def say(self, text: str) -> None:
        """Tell what happens, in the status and in the log."""
        self.check()
        log(text)
        self._write(message=text, seconds_left=self._left())

    def warn(self, warnings: tuple[str, ...]) -> None:
        """Keep what is to know about the data."""
        self._write(warnings=warnings)

    def check(self) -> None:
        """End here if somebody asked to stop."""
        if self._asked:
            raise Stopped

    def fit_begins(self) -> None:
        """Epochs follow: from now on a stop waits for the end of a step, so that no backup is cut off."""
        self._patient = True
        self.preparing += time.monotonic() - self._began
        self._write(state="fitting")

    def fit_ends(self) -> None:
        """The last epoch is over."""
        self._patient = False
        self._fitted = time.monotonic()
        self._write(state="measuring", message="Converting and measuring", seconds_left=self.expected_ending)
        self.check()

    def epoch_begins(self, epoch: int, epochs: int, steps: int) -> None:
        """Epoch `epoch`, from 0, begins."""
        self._epoch_began = time.monotonic()
        self._status = replace(self._status, epoch=epoch, epochs=epochs, steps=steps, step=0)
        self._write(message=f"Epoch {epoch + 1} of {epochs}.", seconds_left=self._left())

    def step_ends(self, step: int) -> None:
        """Step `step`, from 0, is over; ends here if somebody asked to stop."""
        self.check()
        if not self._first_step:
            self._first_step = time.monotonic()
        self._status = replace(self._status, step=step + 1)
        if time.monotonic() - self._written >= _BETWEEN:
            self._write(seconds_left=self._left())

    def epoch_ends(self, epoch: int) -> None:
        """Epoch `epoch`, from 0, is over."""
        self.epoch_seconds.append(time.monotonic() - self._epoch_began)
        self._status = replace(self._status, epoch=epoch + 1, step=0)
        self._write(seconds_left=self._left())

    def usual_epoch(self) -> float | None:
        """Return the seconds that an epoch takes once the network is compiled; None if too little is known.

        The first step compiles: the rest of the first epoch counts as long as there is no other.
        """
        if len(self.epoch_seconds) > 1:
            return statistics.median(self.epoch_seconds[1:])
        status, now = self._status, time.monotonic()
        end = self._epoch_began + self.epoch_seconds[0] if self.epoch_seconds else now
        steps = status.steps if self.epoch_seconds else status.step
        return (end - self._first_step) / (steps - 1) * status.steps if self._first_step and steps > 1 else None

    def seconds_since_fit(self) -> float:
        """Return how long the last epoch is over; 0 if there was none."""
        return time.monotonic() - self._fitted if self._fitted else 0.0

    def end(self, state: str, message: str) -> None:
        """Write the last status; a stop that comes now comes too late."""
        self._patient = True
        log(message)
        with contextlib.suppress(OSError):
            self._write(state=state, message=message, seconds_left=None)

    def _left(self) -> float | None:
        """Seconds left, by the epochs so far, or by the steps of the first one, or by the estimate until it is over."""
        now, status = time.monotonic(), self._status
        if status.state == "measuring":
            return positive(self.expected_ending - (now - self._fitted))
        one = self.usual_epoch() if status.state == "fitting" else None
        if one is not None:
            done = status.epoch + (status.step / status.steps if status.steps else 0.0)
            return (status.epochs - done) * one + self.expected_ending
        return positive(self.expected - (now - self._began)) if self.expected is not None else None

    def _write(self, **changes: Any) -> None:
        self._status = replace(self._status, **changes, peak_memory=max(self._status.peak_memory, _peak_memory()))
        if self._began:
            self._status = replace(self._status, seconds=self._worked_before + time.monotonic() - self._began)
        write_status(self.folder, self._status)
        self._written = time.monotonic()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._asked = True
        if not self._patient:
            raise Stopped


def log(text: str) -> None:
    """Write a line with the time to standard output, which is the run's log; a full disk loses only the line."""
    with contextlib.suppress(OSError):
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {text}", flush=True)


def _last_status(folder: Path) -> Status:
    """Return what a submission or resumption wrote."""
    status = read_status(folder) if read_json(folder / STATUS) else Status("waiting")
    return replace(status, state="waiting", message="Starting.", stopping=False)


def _peak_memory() -> int:
    """Return the most bytes that this process held at once; where the system does not keep that, what it holds now."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration, ValueError):
        return int(psutil.Process().memory_info().rss)
