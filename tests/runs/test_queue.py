"""The queue, with workers that have nothing to learn from and so end before they load Keras."""

from __future__ import annotations

import os
import signal

import pytest
from filelock import FileLock

from fer_core.jobs import ALIVE, run_python, working
from fer_core.runs import queue
from fer_core.runs.run import list_runs
from fer_core.runs.uploads import Collection
from fer_core.runs.worker import WORKING_LOCK
from fer_core.threads import in_parallel
from fer_core.types import FerError
from tests.runs.conftest import write_faces
from tests.waiting import until

OTHER_COPY = """
import sys
from fer_core.runs import queue
from fer_core.runs.run import list_runs

(run,), _ = list_runs()
print(run.id, run.status().state, flush=True)
queue.stop(run)
print(queue.wait(run, 30).state)
"""


def pid(run) -> int:
    return int((run.folder / ALIVE).read_text())


def test_one_at_a_time_in_order_and_a_killed_one_delays_no_other(runs, plan_for, tmp_path):
    plan = plan_for(tmp_path / "nothing")
    with FileLock(runs / WORKING_LOCK):  # as if another run worked
        started = list(in_parallel(queue.submit, [plan, plan], workers=2))
        assert len({run.id for run in started}) == 2
        more = [queue.submit(plan) for _ in range(3)]
        first, second = sorted(started, key=lambda run: run.status().queued)
        killed, deleted, last = more
        until(lambda: all(run.status().message.startswith("Waiting for") for run in more))
        with pytest.raises(FerError, match="cannot be resumed: it is waiting"):
            queue.resume(last)
        os.kill(pid(killed), signal.SIGKILL)
        until(lambda: killed.status().state == "interrupted")
        queue.delete(deleted)
        assert not deleted.folder.exists()
        assert {run.status().state for run in (first, second, last)} == {"waiting"}
    ends = [queue.wait(run, 60) for run in (first, second, last)]
    assert [end.state for end in ends] == ["failed"] * 3
    assert all("does not exist. Expected a folder for each expression" in end.message for end in ends)
    assert all("Traceback" in run.log() for run in (first, second, last))
    assert ends[0].updated <= ends[1].started
    assert ends[1].updated <= ends[2].started
    assert not list(runs.glob(".partial-*")) + list(runs.glob(".deleted-*"))


def test_another_copy_of_the_app_stops_a_waiting_run_and_it_is_resumed_once(runs, plan_for, tmp_path):
    def again(run) -> str:
        try:
            return queue.resume(run).id
        except FerError as error:
            return str(error)

    with FileLock(runs / WORKING_LOCK):
        run = queue.submit(plan_for(tmp_path / "nothing"))
        assert run_python("-c", OTHER_COPY).stdout.split() == [run.id, "waiting", "stopped"]
        assert run.status().state == "stopped"
        outcomes = set(in_parallel(again, [run, run], workers=2))  # a double click
        assert outcomes == {run.id, "A try cannot be resumed: it is waiting."}
        assert run.status().can_delete
        queue.delete(run)
    assert list_runs() == ([], [])


def test_a_working_run_is_not_deleted_and_a_finished_one_not_resumed(made_run):
    run, finished = made_run("fitting"), made_run("finished")
    with working(run.folder), pytest.raises(FerError, match=r"is working\. Stop it first"):
        queue.delete(run)
    assert run.folder.is_dir()
    queue.stop(finished)
    with pytest.raises(FerError, match="cannot be resumed: it is finished"):
        queue.resume(finished)
    assert finished.status().state == "finished"
    queue.delete(finished)
    queue.delete(finished)
    assert not finished.folder.exists()


def test_a_collection_is_copied_into_the_run_and_a_name_that_is_no_folder_refused(runs, plan_for):
    mine = Collection("mine")
    write_faces(mine.folder, 3)
    plan = plan_for(mine.folder)
    with FileLock(runs / WORKING_LOCK):
        run = queue.submit(plan)
        mine.clear()
        kept = sorted(str(path.relative_to(run.plan.data.path)) for path in run.folder.rglob("*.png"))
        queue.delete(run)
    assert kept == [f"{name}/{index:03d}.png" for name in ("happy", "sad") for index in range(3)]
    object.__setattr__(plan, "spec", type(plan.spec)("../evil", "Evil", "compact_cnn"))
    with pytest.raises(FerError, match="not a valid model name"):
        queue.submit(plan)
    assert list_runs() == ([], [])
