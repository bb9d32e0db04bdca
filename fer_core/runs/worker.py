"""The process of one run: wait in the queue, load the faces, fit, measure. `python -m fer_core.runs.worker FOLDER`.

Every waiting run has a process of its own, so nothing else has to start the next run: the operating system releases
the lock when the process that holds it ends, for whatever reason. A waiting process needs about 30 MB, because the
imports at the top of this module load very little.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from fer_core.files import home
from fer_core.heartbeat import beating
from fer_core.processes import ProcessNote
from fer_core.runs.progress import Reporter, Stopped, keras_callback
from fer_core.runs.status import STOP, STOPPED, failure_message, read_status
from fer_core.visitors import visitors_folder

WORKING_LOCK: Final = ".working.lock"
"""Locked in `home()/runs` by the run that is working, whoever started it."""

_PAUSE: Final = 0.5  # seconds between two checks of the queue


def main(folder: Path) -> int:
    """Work on the run in `folder` until it has finished, stopped or failed, and write its status.

    Returns:
        The process's exit status.
    """
    process = ProcessNote.of(os.getpid())
    if process is not None:
        process.write(folder)
    reporter = Reporter(folder)
    try:
        reporter.listen()
        with beating(folder), queued(folder, reporter.wait_for):
            reporter.begin()
            _train(folder, reporter)
            reporter.end("finished", "Finished. Its model can be promoted.")
    except (Stopped, KeyboardInterrupt):
        reporter.end("stopped", STOPPED)
    except BaseException as error:
        traceback.print_exc()
        if (folder / STOP).exists():  # TensorFlow turns an interrupt into errors of its own in a few places
            reporter.end("stopped", STOPPED)
            return 0
        reporter.end("failed", failure_message(error))
        return 1
    return 0


@contextmanager
def queued(folder: Path, waiting_for: Callable[[int], None]) -> Iterator[None]:
    """Wait until no other run of any visitor works or was submitted earlier, then hold the lock until the block ends.

    Args:
        folder: the run's folder.
        waiting_for: called with the number of runs that come first, whenever it changes.
    """
    runs = home() / "runs"
    runs.mkdir(exist_ok=True)
    lock = FileLock(runs / WORKING_LOCK)
    reported = -1
    while True:
        working, earlier = _runs_before(folder)
        if working + earlier != reported:
            reported = working + earlier
            waiting_for(reported)
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
    """Return how many other runs are working, and how many are waiting that were submitted before this one."""
    mine = (read_status(folder).queued, folder.name)
    working = earlier = 0
    for other in every_run_folder():
        if other.name.startswith(".") or other == folder or not other.is_dir():
            continue
        status = read_status(other)
        working += status.running
        earlier += status.state == "waiting" and (status.queued, other.name) < mine
    return working, earlier


def every_run_folder() -> list[Path]:
    """Return what is in the folders of runs of this computer's user and of all visitors."""
    return [*(home() / "runs").glob("*"), *visitors_folder().glob("*/runs/*")]


def _train(folder: Path, reporter: Reporter) -> None:
    from fer_core.runs.data import load_for_run
    from fer_core.runs.estimate import Timing, estimate, expected_ending, note_timing
    from fer_core.runs.run import RESULT, read_run

    plan = read_run(folder).plan
    loaded = load_for_run(folder, plan.data, reporter.say)
    reporter.warn(loaded.warnings)
    faces = len(loaded.data.training)
    reporter.expect(estimate(plan.spec, plan.recipe, faces).seconds, expected_ending(plan.spec, plan.recipe))
    reporter.say("Starting Keras")
    from fer_core.training.train import train

    callbacks = [keras_callback(reporter)]
    train(
        plan.spec,
        loaded.data,
        recipe=plan.recipe,
        root=folder / RESULT,
        folder=folder,
        callbacks=callbacks,
        say=reporter.say,
    )
    usual = reporter.usual_epoch()
    if usual is not None and reporter.epoch_seconds:
        preparing = reporter.preparing + max(0.0, reporter.epoch_seconds[0] - usual)  # with the compilation
        timing = Timing(usual / faces, preparing, reporter.seconds_since_fit(), faces, time.time())
        note_timing(plan.spec, plan.recipe, timing)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
