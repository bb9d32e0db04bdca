"""You against the model in real browsers: a lecturer at the projector and two phones in one room."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_core.quiz.address import network_addresses
from tests.browser.conftest import fits_width, settle
from tests.browser.test_presentation import at_screen, is_whole

pytestmark = pytest.mark.browser

NAMES = ("Ottoline", "Bo")


def press(page, words: str) -> None:
    page.get_by_role("button", name=words).click()
    settle(page)


def files(*folders: Path) -> dict[Path, str]:
    """Return the hash of every file but that of the rooms."""
    paths = (path for folder in folders for path in folder.rglob("*") if path.is_file() and path.name != "quiz.db")
    return {path: sha256(path.read_bytes()).hexdigest() for path in paths}


def controls(page):
    """Let the controls slide in, and return them."""
    page.mouse.move(1278, 400)
    return page.locator(".st-key-stage_controls")


def scanned(page) -> str:
    """Return the link that a phone's camera reads from the projector."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("L")
    return cv2.QRCodeDetector().detectAndDecode(np.asarray(picture))[0]


@pytest.mark.skipif(not network_addresses(), reason="This computer is in no network.")
def test_a_class_joins_by_qr_code_plays_and_leaves_nothing(
    visit, start_server, fer2013_path, tmp_path, tmp_path_factory, monkeypatch
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    base = start_server("--server.address=0.0.0.0")
    server = max(tmp_path_factory.getbasetemp().glob("server[0-9]*"), key=lambda path: path.stat().st_mtime_ns)
    lecturer = visit("/lecture?screen=class&q_seed=7", base=base)
    lecturer.set_viewport_size({"width": 1280, "height": 800})
    lecturer.get_by_role("button", name="Open a room").wait_for()
    settle(lecturer)
    before = files(server / "home", tmp_path)
    press(lecturer, "Open a room")
    is_whole(lecturer)
    code = lecturer.locator("h1").nth(1).inner_text()
    link = urlsplit(scanned(lecturer))
    assert link.hostname in network_addresses() and link.query == f"q_room={code}"
    assert code not in lecturer.url

    phones = [visit(f"{link.path}?{link.query}", width=400, base=f"http://{link.netloc}") for _ in NAMES]
    for phone, name in zip(phones, NAMES, strict=True):
        phone.get_by_role("textbox", name="Your name").fill(name)
        press(phone, "Join")
        phone.get_by_role("heading", name="You are in.").wait_for()
        fits_width(phone)
    lecturer.reload()  # and it still leads
    lecturer.get_by_test_id("stMetricValue").get_by_text("2", exact=True).wait_for()
    for number in (1, 2):
        lecturer.keyboard.press("PageDown")
        at_screen(lecturer, f"class-{number}")
        is_whole(lecturer)
        for phone, said in zip(phones, ("sad", "fear"), strict=True):
            phone.get_by_role("button", name=said).click()
            phone.get_by_role("heading", name=f"You say ■ {said}").wait_for()
        lecturer.get_by_text("2 of 2 have answered").wait_for()
        for part in ("votes", "model"):
            lecturer.keyboard.press("ArrowRight")
            at_screen(lecturer, f"class-{number}-{part}")
            is_whole(lecturer)
        phones[0].get_by_text("The label is").wait_for()
    lecturer.goto(f"{base}/lecture?screen=class-result")
    lecturer.get_by_role("heading", name="of 10.").wait_for()
    settle(lecturer)
    is_whole(lecturer)
    phones[1].get_by_role("heading", name="of 10.").wait_for()
    scores = [phone.get_by_role("heading", name="of 10.") for phone in phones]
    won = {name for name, score in zip(NAMES, scores, strict=True) if not score.inner_text().startswith("You 0")}
    assert not won or any(name in lecturer.get_by_text("Most labels").inner_text() for name in won)
    fits_width(phones[0])

    phones[0].reload()
    phones[0].get_by_role("heading", name="of 10.").wait_for()
    controls(lecturer).get_by_role("button", name="End the room").click()
    phones[0].get_by_text("it has ended, and the names and answers in it are forgotten.").wait_for()
    settle(lecturer)
    rooms = server / "home" / "quiz.db"
    assert files(server / "home", tmp_path) == before
    assert not any(word.encode() in rooms.read_bytes() for word in (NAMES[0], code, "sad"))
    log = (server / "log.txt").read_text("utf-8")
    assert NAMES[0] not in log and code not in log


def test_a_server_of_this_computer_alone_says_how_phones_can_join(visit, fer2013_path):
    lecturer = visit("/lecture?screen=class")
    press(lecturer, "Open a room")
    lecturer.locator("code", has_text="fer-lab app --host 0.0.0.0").wait_for()
    controls(lecturer).get_by_role("button", name="End the room").click()
    lecturer.get_by_role("button", name="Open a room").wait_for()
