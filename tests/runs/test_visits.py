"""What visitors of a shared server leave behind is deleted, but not while it is needed."""

from __future__ import annotations

import os
import shutil
import time

import pytest
from filelock import FileLock

from fer_core import visitors
from fer_core.runs import queue
from fer_core.runs.data import FACES_FILE
from fer_core.runs.run import list_runs
from fer_core.runs.uploads import Collection
from fer_core.runs.visits import AWAY_MINUTES, Visits, sweep
from fer_core.runs.worker import WORKING_LOCK
from fer_core.types import FerError
from fer_core.visitors import Limits, Visitor, own_home
from tests.runs.conftest import write_faces
from tests.waiting import until

LIMITS = Limits(keep_hours=5, training_minutes=1e6)


@pytest.fixture
def come(home, monkeypatch):
    """Make this process work for a visitor."""

    def come(secret: str) -> Visitor:
        visitor = Visitor.of(secret, LIMITS)
        monkeypatch.setattr(visitors, "_asked", [lambda: visitor])
        own_home()
        return visitor

    return come


def leave(visitor: Visitor, hours: float) -> None:
    long_ago = time.time() - 3600 * hours
    os.utime(visitor.folder, (long_ago, long_ago))


def names(visitor: Visitor) -> set[str]:
    return {path.name for path in visitor.folder.rglob("*") if path.is_file()}


def test_pictures_go_first_and_everything_later(home, come, made_run):
    anna = come("anna")
    write_faces(Collection("mine").folder, 2)
    run = made_run()
    (run.folder / FACES_FILE).write_bytes(b"faces")
    (run.folder / queue.PICTURES).mkdir()
    (run.folder / queue.PICTURES / "a.png").write_bytes(b"face")
    (anna.folder / "runs").mkdir()
    shutil.move(run.folder, anna.folder / "runs" / run.id)
    sweep(LIMITS, home)
    assert {"000.png", FACES_FILE, "a.png", "plan.json"} <= names(anna)
    leave(anna, (AWAY_MINUTES + 1) / 60)
    sweep(LIMITS, home)
    assert names(anna) == {"plan.json", "status.json"}
    sweep(LIMITS, home)
    assert time.time() - anna.folder.stat().st_mtime > 60 * AWAY_MINUTES, "deleting does not count as a visit"
    leave(anna, 5.1)
    sweep(LIMITS, home)
    assert not anna.folder.exists()


def test_visitors_share_one_queue_and_a_waiting_run_keeps_its_pictures(home, come, runs, plan_for, tmp_path):
    runs.mkdir(parents=True)
    plan = plan_for(tmp_path / "nothing")
    with FileLock(runs / WORKING_LOCK):
        anna, first = come("anna"), queue.submit(plan)
        write_faces(Collection("mine").folder, 2)
        with pytest.raises(FerError, match=r"Expected at most 1 at a time.*Received: 2"):
            queue.submit(plan)
        come("ben")
        assert list_runs() == ([], [])
        second = queue.submit(plan)
        until(lambda: second.status().message == "Waiting for 1 other run.")
        leave(anna, 1)
        sweep(LIMITS, home)
        assert "000.png" in names(anna)
        leave(anna, 5.1)
        sweep(LIMITS, home)  # stops the run
        assert queue.wait(first, 20).state == "stopped"
        sweep(LIMITS, home)
        assert not anna.folder.exists()
        queue.delete(second)


def test_who_has_a_page_open_has_not_left(come):
    anna = come("anna")
    leave(anna, 4)
    visits = Visits(LIMITS)
    visits.come(anna.name)
    assert time.time() - anna.folder.stat().st_mtime < 60
    visits.come(anna.name)
    visits.leave(anna.name)
    leave(anna, 4)
    visits.come("another")
    assert time.time() - anna.folder.stat().st_mtime < 60, "one of two pages is still open"
    visits.leave(anna.name)
    leave(anna, 4)
    visits.come("another")
    assert time.time() - anna.folder.stat().st_mtime > 3600
