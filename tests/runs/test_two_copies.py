"""Two copies of the app on one data folder: a run that one has started is watched, stopped and resumed by the other."""

from __future__ import annotations

from dataclasses import replace

from filelock import FileLock

from fer_core.processes import ProcessNote, run_python
from fer_core.runs import queue
from fer_core.runs.run import list_runs
from fer_core.runs.worker import WORKING_LOCK
from tests.waiting import until

OTHER_COPY = """
import sys
from fer_core.runs import queue
from fer_core.runs.run import list_runs

(run,), _ = list_runs()
print(run.id, run.status().state, flush=True)
getattr(queue, sys.argv[1])(run)
print(queue.wait(run, 30 if sys.argv[1] == "stop" else 0).state)
"""


def other_copy(action: str) -> list[str]:
    done = run_python("-c", OTHER_COPY, action)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_one_copy_stops_and_resumes_what_the_other_has_started(runs, plan_for, tmp_path):
    runs.mkdir(parents=True)
    with FileLock(runs / WORKING_LOCK):  # as if a run of a third copy worked
        run = queue.submit(plan_for(tmp_path / "nothing"))
        assert other_copy("stop") == [run.id, "waiting", "stopped"]
        assert run.status().state == "stopped"
        assert other_copy("resume") == [run.id, "stopped", "waiting"]
        assert list_runs()[0][0].status().state == "waiting"
    assert queue.wait(run, 30).state == "failed"  # there are no pictures


def test_a_run_of_another_container_is_watched_and_stopped(runs, plan_for, tmp_path):
    """Its process id means nothing here, so its real worker is known by its heartbeat and asked by a file."""
    runs.mkdir(parents=True)
    with FileLock(runs / WORKING_LOCK):
        run = queue.submit(plan_for(tmp_path / "nothing"))
        until(lambda: run.status().message.startswith("Waiting") or run.status().message == "Starting.")
        process = ProcessNote.read(run.folder).find()
        replace(ProcessNote.of(process.pid), place="elsewhere").write(run.folder)
        assert run.status().state == "waiting"
        queue.stop(run)
        assert run.status().stopping
        assert queue.wait(run, 20).state == "stopped"
        process.wait(20)
