"""What visitors of a shared server leave behind is deleted, but not while it is needed."""

from __future__ import annotations

import os
import shutil
import threading
import time
import zipfile

import pytest
import streamlit as st
from filelock import FileLock

from fer_core import visitors
from fer_core.runs import queue
from fer_core.runs.data import FACES_FILE, DataSettings, expected_faces
from fer_core.runs.run import list_runs
from fer_core.runs.uploads import Collection
from fer_core.runs.visits import AWAY_MINUTES, Visits, sweep, visits
from fer_core.runs.worker import WORKING_LOCK
from fer_core.types import FerError
from fer_core.visitors import Limits, TemporaryFolder, Visitor, disk_use, own_home, room, visitors_folder
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
    (anna.folder / "runs").mkdir(exist_ok=True)
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


def test_who_has_a_page_open_has_not_left(come, home, monkeypatch):
    anna, pages = come("anna"), {"one", "two"}
    made = Visits(home, pages.__contains__)
    leave(anna, 4)
    made.come("one", anna.name, LIMITS)
    assert time.time() - anna.folder.stat().st_mtime < 60
    made.come("two", anna.name, LIMITS)
    pages.remove("one")
    leave(anna, 4)
    made.sweep()
    assert time.time() - anna.folder.stat().st_mtime < 60, "one of two pages is still open"
    pages.remove("two")
    leave(anna, 4)
    made.sweep()
    assert time.time() - anna.folder.stat().st_mtime > 3600
    pages.add("two")
    made.sweep()
    assert time.time() - anna.folder.stat().st_mtime < 60, "a lost connection came back"
    pages.clear()
    monkeypatch.setattr("fer_core.runs.visits.AWAY_MINUTES", 0)
    made.sweep()
    pages.add("two")
    leave(anna, 4)
    made.sweep()
    assert time.time() - anna.folder.stat().st_mtime > 3600, "a page that was closed long ago is forgotten"


def test_what_a_visitor_left_is_deleted_in_time_whatever_is_cleared(come, home, monkeypatch):
    anna, open_pages = come("anna"), {"hers"}
    is_open = open_pages.__contains__
    write_faces(Collection("mine").folder, 2)
    monkeypatch.setattr("fer_core.runs.visits.SWEEP_SECONDS", 0.05)
    monkeypatch.setattr("fer_core.runs.visits.AWAY_MINUTES", 0.02)
    before = threading.active_count()
    for _ in range(20):
        visits(home, is_open)
        st.cache_resource.clear()
    assert visits(home, is_open) is visits(home, is_open)
    assert threading.active_count() <= before + 1
    visits(home, is_open).come("hers", anna.name, LIMITS)
    time.sleep(2)
    assert "000.png" in names(anna)
    open_pages.clear()
    until(lambda: "000.png" not in names(anna), 20)


def test_a_visitors_temporary_files_count_and_go(home, come):
    anna = come("anna")
    folder = TemporaryFolder()
    assert folder.path.is_relative_to(anna.folder)
    (folder.path / "video.mp4").write_bytes(bytes(1_000_000))
    assert room() == 1_999_000_000
    assert disk_use(visitors_folder()) >= 1_000_000
    sweep(LIMITS, home)
    assert folder.path.is_dir(), "in use"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visitors, "_asked", [lambda: Visitor.of("anna", Limits(visitor_megabytes=0.5))])
        with pytest.raises(FerError, match="Your disk space on this server is used up"):
            TemporaryFolder()
    folder.close()
    assert room() == 2_000_000_000


def test_training_minutes_are_those_of_the_pictures_whatever_their_size(home, come, tmp_path):
    path = tmp_path / "tiny.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(6000):
            archive.writestr(f"{'happy' if number % 2 else 'sad'}/{number}.png", b"a tiny picture")
        archive.writestr("readme.txt", b"")
    assert expected_faces(DataSettings("folder", path=str(path))) == 6000
    path.write_bytes(b"no zip" * 50_000)
    assert expected_faces(DataSettings("folder", path=str(path))) == 1
