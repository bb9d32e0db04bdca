"""What visitors of a shared server leave behind is deleted, but not while it is needed."""

import os
import shutil
import threading
import time

import pytest
import streamlit as st
from filelock import FileLock

from fer_core.runs import queue
from fer_core.runs.data import FACES_FILE
from fer_core.runs.run import list_runs
from fer_core.runs.uploads import Collection
from fer_core.runs.visits import AWAY_MINUTES, Visits, sweep, visits
from fer_core.runs.worker import WORKING_LOCK
from fer_core.types import FerError
from fer_core.visitors import Limits, TemporaryFolder, Visitor
from tests.app.made_up_runs import made_run
from tests.runs.conftest import write_faces
from tests.waiting import PATIENCE, until

LIMITS = Limits(keep_hours=5, training_minutes=1e6)


@pytest.fixture
def come(visit):
    """Make this process work for a visitor, who has a folder."""

    def come(secret: str) -> Visitor:
        visitor = visit(secret, keep_hours=5, training_minutes=1e6)
        visitor.folder.mkdir(parents=True)
        return visitor

    return come


def leave(visitor: Visitor, hours: float) -> None:
    long_ago = time.time() - 3600 * hours
    os.utime(visitor.folder, (long_ago, long_ago))


def away(visitor: Visitor) -> float:
    """Return the seconds since the visitor's last visit."""
    return time.time() - visitor.folder.stat().st_mtime


def names(visitor: Visitor) -> set[str]:
    return {path.name for path in visitor.folder.rglob("*") if path.is_file()}


def test_pictures_go_first_and_everything_later(home, come):
    anna = come("anna")
    write_faces(Collection("mine").folder, 2)
    run = made_run("finished")
    (run.folder / FACES_FILE).write_bytes(b"faces")
    (run.folder / queue.PICTURES).mkdir()
    (run.folder / queue.PICTURES / "a.png").write_bytes(b"face")
    temporary = TemporaryFolder()
    (anna.folder / "runs").mkdir()
    shutil.move(run.folder, anna.folder / "runs" / run.id)
    sweep(LIMITS, home)
    assert {"000.png", FACES_FILE, "a.png", "plan.json"} <= names(anna)
    assert temporary.path.is_relative_to(anna.folder) and temporary.path.is_dir()  # in use
    leave(anna, (AWAY_MINUTES + 1) / 60)
    sweep(LIMITS, home)
    assert names(anna) == {"plan.json", "status.json", "history.csv", "log.txt"}
    temporary.close()
    sweep(LIMITS, home)
    assert away(anna) > 60 * AWAY_MINUTES, "deleting does not count as a visit"
    leave(anna, 5.1)
    sweep(LIMITS, home)
    assert not anna.folder.exists()


def test_visitors_share_one_queue_and_a_waiting_run_keeps_its_pictures(home, come, runs, plan_for, tmp_path):
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
        assert queue.wait(first, PATIENCE).state == "stopped"
        sweep(LIMITS, home)
        assert not anna.folder.exists()
        queue.delete(second)


def test_who_has_a_page_open_has_not_left(come, home, monkeypatch):
    anna, pages = come("anna"), {"one", "two"}
    made = Visits(home, pages.__contains__)

    def away_after_a_sweep() -> float:
        leave(anna, 4)
        made.sweep()
        return away(anna)

    leave(anna, 4)
    made.come("one", anna.name, LIMITS)
    assert away(anna) < 60
    made.come("two", anna.name, LIMITS)
    pages.remove("one")
    assert away_after_a_sweep() < 60, "one of two pages is still open"
    pages.remove("two")
    assert away_after_a_sweep() > 3600
    pages.add("two")
    assert away_after_a_sweep() < 60, "a lost connection came back"
    pages.clear()
    monkeypatch.setattr("fer_core.runs.visits.AWAY_MINUTES", 0)
    made.sweep()
    pages.add("two")
    assert away_after_a_sweep() > 3600, "a page that was closed long ago is forgotten"


def test_what_a_visitor_left_is_deleted_in_time_whatever_is_cleared(come, home, monkeypatch):
    anna, open_pages = come("anna"), {"hers"}
    is_open = open_pages.__contains__
    write_faces(Collection("mine").folder, 2)
    monkeypatch.setattr("fer_core.runs.visits.SWEEP_SECONDS", 0.05)
    monkeypatch.setattr("fer_core.runs.visits.AWAY_MINUTES", 0.02)
    before = threading.active_count()
    for _ in range(20):
        made = visits(home, is_open)
        st.cache_resource.clear()
    assert visits(home, is_open) is made
    assert threading.active_count() <= before + 1
    made.come("hers", anna.name, LIMITS)
    time.sleep(2)
    assert "000.png" in names(anna)
    open_pages.clear()
    until(lambda: "000.png" not in names(anna))
