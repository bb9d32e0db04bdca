"""The queue and its processes: with nothing to learn from, they end before they load Keras; then real fits."""

import os
import signal
from types import SimpleNamespace

import psutil
import pytest
from filelock import FileLock

from fer_core.files import read_json
from fer_core.jobs import ALIVE, STOP, run_python, working
from fer_core.runs import queue
from fer_core.runs import worker as module
from fer_core.runs.estimate import GUESS, estimate
from fer_core.runs.run import RESULT, downloads, list_runs, promote
from fer_core.runs.status import DISK_FULL, STATUS
from fer_core.runs.uploads import Collection
from fer_core.runs.worker import WORKING_LOCK, Reporter, Stopped
from fer_core.store.folders import CARD, load_model
from fer_core.threads import in_parallel
from fer_core.types import FerError
from tests.app.made_up_runs import made_run
from tests.runs.conftest import write_faces
from tests.waiting import PATIENCE, until

OTHER_COPY = """
import sys
from fer_core.runs import queue
from fer_core.runs.run import list_runs

(run,), _ = list_runs()
print(run.id, run.status().state, flush=True)
queue.stop(run)
print(queue.wait(run, 120).state)
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
    ends = [queue.wait(run, PATIENCE) for run in (first, second, last)]
    assert [end.state for end in ends] == ["failed"] * 3
    assert all("Received: nothing at that place" in end.message for end in ends)
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
        outcomes = set(in_parallel(again, [run, run], workers=2))  # a double click
        assert outcomes == {run.id, "A try cannot be resumed: it is waiting."}
        queue.delete(run)
    assert list_runs() == ([], [])


def test_a_working_run_is_not_deleted_and_a_finished_one_not_resumed(home):
    run, finished = made_run("fitting"), made_run("finished")
    with working(run.folder), pytest.raises(FerError, match=r"is working\. Stop it first"):
        queue.delete(run)
    assert run.folder.is_dir()
    queue.stop(finished)
    with pytest.raises(FerError, match="cannot be resumed: it is finished"):
        queue.resume(finished)
    for _ in range(2):
        queue.delete(finished)
    assert not finished.folder.exists()


def test_a_folder_that_cannot_be_written_is_explained(runs, plan_for, tmp_path):
    (runs / ".queue.lock").mkdir(parents=True)
    with pytest.raises(FerError, match="The folder of the runs cannot be written"):
        queue.submit(plan_for(tmp_path))


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


def test_time_left_comes_from_measured_epochs(tmp_path, monkeypatch):
    clock = SimpleNamespace(seconds=100.0, monotonic=lambda: clock.seconds, time=lambda: clock.seconds)
    monkeypatch.setattr(module, "time", clock)
    reporter = Reporter(tmp_path)
    reporter.begin()
    reporter.expected, reporter.expected_ending = 500.0, 30.0
    reporter.say("Starting Keras")
    assert written(tmp_path)["seconds_left"] == 500.0
    clock.seconds += 10
    reporter.fit_begins()
    for epoch in range(2):
        reporter.epoch_begins(epoch, 5, steps=11)
        for step in range(11):
            clock.seconds += 21 if (epoch, step) == (0, 0) else 1  # the first step compiles
            reporter.step_ends(step)
        if epoch == 0:
            assert written(tmp_path)["seconds_left"] == pytest.approx(4 * 11 + 30, abs=4)
        reporter.epoch_ends(epoch)
    (tmp_path / STOP).touch()
    with pytest.raises(Stopped):
        reporter.step_ends(0)
    (tmp_path / STOP).unlink()
    assert reporter.usual_epoch() == 11.0
    values = written(tmp_path)
    assert values["seconds_left"] == pytest.approx(3 * 11 + 30)
    assert values["seconds"] == pytest.approx(10 + 31 + 11)
    assert (values["state"], values["epoch"], values["epochs"], values["steps"]) == ("fitting", 2, 5, 11)
    reporter.fit_ends()
    clock.seconds += 12
    reporter.say("Measuring")
    assert written(tmp_path)["seconds_left"] == pytest.approx(18)
    assert reporter.seconds_since_fit() == 12
    reporter.end("finished", "Done.")
    assert written(tmp_path)["seconds_left"] is None and written(tmp_path)["peak_memory"] > 10e6


def written(folder):
    return read_json(folder / STATUS)


@pytest.mark.slow
def test_killed_resumed_stopped_while_measuring_finished(runs, plan_for, tmp_path):
    """One long story, because every process takes seconds to load TensorFlow; of classes that the folders name."""
    pictures = write_faces(tmp_path / "faces", 82, ("calm", "no pain"))
    run = queue.submit(plan_for(pictures, "My model", epochs=8))
    waiting = queue.submit(plan_for(tmp_path / "nothing", "Waits"))

    until(lambda: run.status().epoch >= 2 and run.status().step >= 5)
    assert waiting.status().state == "waiting"
    assert run.status().peak_memory > 100e6
    worker = psutil.Process(int((run.folder / ALIVE).read_text()))
    assert worker.nice() > psutil.Process().nice()
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: run.status().state == "interrupted")
    assert queue.wait(waiting, PATIENCE).state == "failed"  # it got its turn, and found nothing to learn from
    before = run.history()
    assert len(before) == run.status().epoch
    (pictures / "calm" / "000.png").unlink()  # what became of the pictures since does not matter

    queue.resume(run)
    until(lambda: run.status().state == "measuring")
    history = run.history()
    assert history["epoch"].tolist() == list(range(8))
    assert history.head(len(before)).equals(before)
    queue.stop(run)
    stopped = queue.wait(run, PATIENCE)
    assert (stopped.state, stopped.epoch) == ("stopped", 8)
    assert run.result() is None
    assert not (run.folder / RESULT / "tiny").exists()

    queue.resume(run)
    finished = queue.wait(run, PATIENCE)
    assert finished.state == "finished", run.log()
    assert "the names are classes: calm and no pain." in finished.warnings[0]
    assert run.history().equals(history)
    assert finished.seconds > stopped.seconds
    assert sorted(downloads(run)) == ["model.keras", "model.tflite"]
    assert run.result().card.training["faces"] == 140
    assert estimate(run.plan.spec, run.plan.recipe, faces=140).basis == GUESS  # no whole fit in one process: no timing

    model = promote(run, "mine", title="Mine")
    queue.delete(run)
    assert (load_model("mine").title, model.weights.is_file()) == ("Mine", True)
    assert (model.card.classes, model.card.tested, model.card.holdout_score) == (("calm", "no pain"), False, None)
    assert read_json(model.folder / CARD)["spec"]["classes"] == ["calm", "no pain"]


def test_a_full_disk_fails_in_one_sentence(runs, plan_for, tmp_path, monkeypatch):
    """Python runs `sitecustomize` as it starts: in the run's process, saving arrays fails."""
    program = "import numpy\ndef full(*_, **__):\n    raise OSError(28, 'No space left on device')\nnumpy.savez = full"
    (tmp_path / "sitecustomize.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = queue.submit(plan_for(write_faces(tmp_path / "faces", 3)))
    status = queue.wait(run, PATIENCE)
    assert (status.state, status.message) == ("failed", DISK_FULL)
    assert "Errno 28" in run.log()
    assert status.can_resume
