"""The process of one run: wait for its turn, load the faces, fit, measure. `python -m fer_core.runs.worker FOLDER`."""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

from fer_core.processes import ProcessNote
from fer_core.runs.reporter import Reporter, Stopped
from fer_core.runs.status import STOPPED
from fer_core.runs.turn import turn


def main(folder: Path) -> int:
    """Work for the run in `folder` until it is finished, stopped or failed, and say so in its status.

    Returns:
        The process's exit status.
    """
    process = ProcessNote.of(os.getpid())
    if process is not None:
        process.write(folder)
    reporter = Reporter(folder)
    try:
        reporter.listen()
        with turn(folder, reporter.wait_for):
            reporter.begin()
            _work(folder, reporter)
            reporter.end("finished", "Finished. Its model can be promoted.")
    except (Stopped, KeyboardInterrupt):
        reporter.end("stopped", STOPPED)
    except BaseException as error:
        from fer_core.runs.failure import sentence_for

        traceback.print_exc()
        reporter.end("failed", sentence_for(error))
        return 1
    return 0


def _work(folder: Path, reporter: Reporter) -> None:
    from fer_core.runs.estimate import Timing, estimate, expected_ending, note_timing
    from fer_core.runs.folder import RESULT, read_run
    from fer_core.runs.kept_faces import faces_for

    plan = read_run(folder).plan
    chosen = faces_for(folder, plan.data, reporter)
    reporter.warn(chosen.warnings)
    faces = len(chosen.data.training)
    reporter.expect(estimate(plan.spec, plan.recipe, faces).seconds, expected_ending(plan.spec, plan.recipe))
    reporter.say("Starting Keras")
    from fer_core.runs.progress import RunProgress
    from fer_core.training.train import train

    train(
        plan.spec,
        plan.recipe,
        chosen.data,
        folder / RESULT,
        folder,
        callbacks=[RunProgress(reporter)],
        say=reporter.say,
    )
    usual = reporter.usual_epoch()
    if usual is not None and reporter.epoch_seconds:
        compiling = max(0.0, reporter.epoch_seconds[0] - usual)
        note_timing(
            plan.spec,
            plan.recipe,
            Timing(usual / faces, reporter.preparing + compiling, reporter.seconds_since_fit(), faces, time.time()),
        )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
