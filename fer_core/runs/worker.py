"""The process of one run: wait in the queue, load the faces, fit, measure. `python -m fer_core.runs.worker FOLDER`.

Every waiting run has a process of its own, so nothing else has to start the next run: the operating system releases
the lock when the process that holds it ends, for whatever reason. A waiting process needs about 30 MB, because the
imports at the top of this module load very little.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import psutil
from filelock import FileLock, Timeout

from fer_core.columns import counted
from fer_core.files import home, read_json
from fer_core.jobs import log_line, stop_asked, working
from fer_core.runs.status import STATUS, STOPPED, Status, failure_message, positive, read_status, write_status
from fer_core.visitors import visitors_folder

WORKING_LOCK: Final = ".working.lock"  # locked in `home()/runs` by the run that is working, whoever started it
_PAUSE: Final = 0.5  # seconds between two checks of the queue
_WRITE_EVERY: Final = 0.4  # seconds between two writes of the status while only the step changes


def main(folder: Path) -> int:
    """Work on a run until it has finished, stopped or failed, and write its status; return the exit status."""
    reporter = Reporter(folder)
    with working(folder), contextlib.ExitStack() as turn:  # the turn ends when the last status is written
        try:
            turn.enter_context(queued(folder, reporter.wait_for))
            reporter.begin()
            _train(folder, reporter)
            reporter.end("finished", "Finished. Its model can be promoted.")
        except (Stopped, KeyboardInterrupt):
            reporter.end("stopped", STOPPED)
        except BaseException as error:
            traceback.print_exc()
            reporter.end("failed", failure_message(error))
            return 1
    return 0


@contextmanager
def queued(folder: Path, waiting_for: Callable[[int], None]) -> Iterator[None]:
    """Wait until no other run of any visitor works or was submitted earlier, then hold the lock until the block ends.

    `waiting_for` is called with the number of runs that come first, twice a second; it may raise.
    """
    runs = home() / "runs"
    runs.mkdir(exist_ok=True)
    lock = FileLock(runs / WORKING_LOCK)
    while True:
        at_work, earlier = _runs_before(folder)
        waiting_for(at_work + earlier)
        if earlier == 0:
            try:
                lock.acquire(timeout=_PAUSE)
                break
            except Timeout:
                continue
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        lock.release()


def _runs_before(folder: Path) -> tuple[int, int]:
    """Return how many other runs, of anybody, are working, and how many are waiting that were submitted before."""
    mine = (read_status(folder).queued, folder.name)
    at_work = earlier = 0
    for other in (*(home() / "runs").glob("[!.]*/"), *visitors_folder().glob("*/runs/[!.]*/")):
        if other != folder:
            status = read_status(other)
            at_work += status.running
            earlier += status.state == "waiting" and (status.queued, other.name) < mine
    return at_work, earlier


def _train(folder: Path, reporter: Reporter) -> None:
    from fer_core.runs.data import load_for_run
    from fer_core.runs.estimate import estimate, expected_ending, note_timing
    from fer_core.runs.run import RESULT, read_run

    plan = read_run(folder).plan
    spec, recipe = plan.spec, plan.recipe
    loaded = load_for_run(folder, plan.data, say=reporter.say)
    reporter.warn(loaded.warnings)
    faces = len(loaded.data.training)
    reporter.expected = estimate(spec, recipe, faces=faces).seconds
    reporter.expected_ending = expected_ending(spec, recipe)
    reporter.say("Starting Keras")
    from fer_core.training.train import train

    callbacks, result = [_keras_callback(reporter)], folder / RESULT
    train(spec, loaded.data, recipe=recipe, root=result, folder=folder, callbacks=callbacks, say=reporter.say)
    usual = reporter.usual_epoch()
    if usual is not None and reporter.epoch_seconds:
        preparing = reporter.preparing + max(0.0, reporter.epoch_seconds[0] - usual)  # with the compilation
        measuring = reporter.seconds_since_fit()
        note_timing(spec, recipe, faces=faces, per_face=usual / faces, preparing=preparing, measuring=measuring)


class Stopped(BaseException):
    """The run was asked to stop. Not an `Exception`, so that no error handler on the way catches it."""


class Reporter:
    """Writes a run's status and log, and raises `Stopped` when the run is asked to stop. Epochs are from 0."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.epoch_seconds: list[float] = []  # durations of the epochs so far
        self.preparing = 0.0  # seconds from the start to the first epoch
        self.expected: float | None = None  # estimated seconds in all
        self.expected_ending = 0.0  # estimated seconds after the last epoch
        known = read_status(folder) if read_json(folder / STATUS) else Status("waiting")
        self._status = replace(known, state="waiting", message="Starting.", stopping=False)
        self._worked_before = self._status.seconds
        self._began = self._fitted = self._epoch_began = self._first_step = 0.0
        self._written = 0.0

    def wait_for(self, before: int) -> None:
        """Report how many runs come first."""
        self.check()
        text = f"Waiting for {counted(before, 'other run')}." if before else "Starting."
        if text != self._status.message or not self._written:
            self._write(state="waiting", message=text)

    def begin(self) -> None:
        self._began = time.monotonic()
        self._write(state="preparing", message="Loading the faces", started=time.time())

    def say(self, text: str) -> None:
        """Report what is happening, in the status and in the log."""
        self.check()
        log_line(text)
        self._write(message=text, seconds_left=self._left())

    def warn(self, warnings: tuple[str, ...]) -> None:
        self._write(warnings=warnings)

    def check(self) -> None:
        """Raise `Stopped` if the run was asked to stop."""
        if stop_asked(self.folder):
            raise Stopped

    def fit_begins(self) -> None:
        self.preparing += time.monotonic() - self._began
        self._write(state="fitting")

    def fit_ends(self) -> None:
        self._fitted = time.monotonic()
        self._write(state="measuring", message="Converting and measuring", seconds_left=self.expected_ending)
        self.check()

    def epoch_begins(self, epoch: int, epochs: int, *, steps: int) -> None:
        self._epoch_began = time.monotonic()
        self._status = replace(self._status, epoch=epoch, epochs=epochs, steps=steps, step=0)
        self._write(message=f"Epoch {epoch + 1} of {epochs}.", seconds_left=self._left())

    def step_ends(self, step: int) -> None:
        self.check()
        if not self._first_step:
            self._first_step = time.monotonic()
        self._status = replace(self._status, step=step + 1)
        if time.monotonic() - self._written >= _WRITE_EVERY:
            self._write(seconds_left=self._left())

    def epoch_ends(self, epoch: int) -> None:
        self.epoch_seconds.append(time.monotonic() - self._epoch_began)
        self._status = replace(self._status, epoch=epoch + 1, step=0)
        self._write(seconds_left=self._left())

    def usual_epoch(self) -> float | None:
        """Return the seconds per epoch without compilation; None if too little has been measured.

        The first step compiles the network. Until a second epoch has ended, the rest of the first epoch is used.
        """
        if len(self.epoch_seconds) > 1:
            return statistics.median(self.epoch_seconds[1:])
        status, now = self._status, time.monotonic()
        end = self._epoch_began + self.epoch_seconds[0] if self.epoch_seconds else now
        steps = status.steps if self.epoch_seconds else status.step
        return (end - self._first_step) / (steps - 1) * status.steps if self._first_step and steps > 1 else None

    def seconds_since_fit(self) -> float:
        return time.monotonic() - self._fitted if self._fitted else 0.0

    def end(self, state: str, message: str) -> None:
        log_line(message)
        with contextlib.suppress(OSError):
            self._write(state=state, message=message, seconds_left=None)

    def _left(self) -> float | None:
        """Return the remaining seconds by measured epochs, by the first epoch's steps, or by the estimate."""
        now, status = time.monotonic(), self._status
        if status.state == "measuring":
            return positive(self.expected_ending - (now - self._fitted))
        seconds = self.usual_epoch() if status.state == "fitting" else None
        if seconds is not None:
            done = status.epoch + (status.step / status.steps if status.steps else 0.0)
            return (status.epochs - done) * seconds + self.expected_ending
        return positive(self.expected - (now - self._began)) if self.expected is not None else None

    def _write(self, **changes: Any) -> None:
        self._status = replace(self._status, **changes, peak_memory=max(self._status.peak_memory, _peak_memory()))
        if self._began:
            self._status = replace(self._status, seconds=self._worked_before + time.monotonic() - self._began)
        write_status(self.folder, self._status)
        self._written = time.monotonic()


def _keras_callback(reporter: Reporter) -> Any:
    import keras

    def epoch_begins(epoch: int, logs: Any) -> None:  # noqa: ARG001
        reporter.epoch_begins(epoch, callback.params["epochs"], steps=callback.params["steps"] or 0)

    callback = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: reporter.fit_begins(),  # noqa: ARG005
        on_epoch_begin=epoch_begins,
        on_train_batch_end=lambda batch, logs: reporter.step_ends(batch),  # noqa: ARG005
        on_epoch_end=lambda epoch, logs: reporter.epoch_ends(epoch),  # noqa: ARG005
        on_train_end=lambda logs: reporter.fit_ends(),  # noqa: ARG005
    )
    return callback


def _peak_memory() -> int:
    """Return the largest memory of this process so far in bytes; its current memory on systems without that number."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration, ValueError):
        return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
