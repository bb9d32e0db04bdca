"""You against the model in real browsers: two of them in one room."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from tests.browser.conftest import fits_width, settle, until

pytestmark = pytest.mark.browser

NAME = "Ottoline"


def press(page, words: str) -> None:
    page.get_by_role("button", name=words).click()
    settle(page)


def metric(page, label: str) -> str:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").first.inner_text()


def files(*folders: Path) -> dict[Path, str]:
    """Return the hash of every file."""
    paths = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path: sha256(path.read_bytes()).hexdigest() for path in paths}


def test_two_browsers_in_one_room_see_one_tally_and_nothing_is_left(
    visit, start_server, fer2013_path, tmp_path, tmp_path_factory, monkeypatch
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    base = start_server()
    server = max(tmp_path_factory.getbasetemp().glob("server[0-9]*"), key=lambda path: path.stat().st_mtime_ns)
    lecturer = visit("/quiz?q_seed=7", base=base)
    lecturer.get_by_text("Face 1 of 10").wait_for()
    settle(lecturer)
    before = files(server / "home", tmp_path)
    press(lecturer, "Open a room")
    code = lecturer.locator("h1").nth(1).inner_text()
    assert code not in lecturer.url
    lecturer.get_by_text("This link works on this computer only").wait_for()
    lecturer.locator("code", has_text="make run HOST=0.0.0.0").wait_for()

    student = visit(f"/quiz?q_room={code}", base=base)
    student.get_by_role("textbox", name="Your name").fill(NAME)
    press(student, "Join")
    for number in range(1, 11):
        student.get_by_text(f"Face {number} of 10").wait_for()
        settle(student)
        student.keyboard.press("5")
        student.get_by_text("You say: ■ sad").wait_for()
        student.get_by_role("button", name="See the result" if number == 10 else "Next face").click()
    student.get_by_role("heading", name="Your result").wait_for()
    until(lecturer, lambda: metric(lecturer, "Finished") == "1")
    student.set_viewport_size({"width": 400, "height": 900})
    fits_width(student)
    for label in ("Same as the label", "Same as most models"):
        until(lecturer, lambda label=label: metric(lecturer, label) == metric(student, label) != "–")

    student.reload()
    student.get_by_role("heading", name="Your result").wait_for()
    assert metric(lecturer, "Joined") == "1"
    press(lecturer, "End the room")
    student.get_by_text("The room has ended, and the names and answers in it are forgotten.").wait_for()
    settle(student)
    rooms = server / "home" / "quiz.db"
    assert {path: found for path, found in files(server / "home", tmp_path).items() if path != rooms} == before
    assert not any(word.encode() in rooms.read_bytes() for word in (NAME, code, "sad"))
    log = (server / "log.txt").read_text("utf-8")
    assert NAME not in log and code not in log
