"""Live video from Chromium's fake camera through WebRTC and back, and the page around it."""

import contextlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import TimeoutError

from tests.browser.conftest import agree, settle, until

pytestmark = pytest.mark.browser

CYCLES = 4
ALLOWED_GROWTH = 60e6  # bytes, from the first cycle to the last; the allocator alone moves it by up to 40e6


def component(page):
    return page.frame_locator('iframe[title*="webrtc_streamer"]')


def start(page) -> None:
    component(page).get_by_role("button", name="Start").click()
    page.get_by_role("heading", name=re.compile(r"Face \d+: happy")).wait_for()


def analysed(page) -> int:
    """Return the number of analysed frames; 0 while the page does not show it."""
    words = " ".join(page.get_by_text("frames per second").all_inner_texts())
    return int(re.findall(r"([\d,]+) analysed|$", words)[0].replace(",", "") or 0)


def while_live(page, condition: Callable[[], Any]) -> None:
    """Wait until a condition holds; start again if Chromium ends the video, as when a busy server is silent."""
    again = component(page).get_by_role("button", name="Start")
    until(page, lambda: (again.is_visible() and click_soon(again)) or condition())


def more_are_analysed(page) -> None:
    before = analysed(page)
    while_live(page, lambda: analysed(page) > before)


def press(page, name: str, then: str) -> None:
    """Click a button until another one is there: a click counts for neither if the page draws the button anew."""

    def pressed() -> bool:
        if (button := page.get_by_role("button", name=name)).is_visible():
            click_soon(button)
        page.wait_for_timeout(1000)
        return page.get_by_role("button", name=then).is_visible()

    until(page, pressed)


def click_soon(button) -> None:
    """Click, or give up after some seconds: the page may have taken the button away in the meantime."""
    with contextlib.suppress(TimeoutError):
        button.click(timeout=5_000)


def server_memory(address: str) -> int:
    """Return the resident bytes of the child process that serves this address."""
    port = urlsplit(address).port
    children = psutil.Process().children()
    (server,) = [child for child in children if str(port) in " ".join(child.cmdline())]
    return int(server.memory_info().rss)


def test_live_video_from_start_to_a_frozen_frame_on_predict(visit, yunet_file):
    page = visit("/live?l_smoothing=0.5")
    page.get_by_role("heading", name="The built-in sample: happy").wait_for()
    agree(page)
    start(page)
    video = component(page).locator("video")
    seconds = video.evaluate("async v => { await v.play(); return v.currentTime }")
    press(page, "Record probabilities", then="Stop recording")
    while_live(page, page.get_by_role("heading", name=re.compile(r"Face \d+ over the last minute")).is_visible)
    more_are_analysed(page)
    while_live(page, lambda: video.evaluate("v => v.currentTime") > seconds)
    while_live(page, page.get_by_text(re.compile(r"^[1-9][\d,]+ rows")).is_visible)
    press(page, "Stop recording", then="CSV")
    page.get_by_role("button", name="Freeze this frame").click()
    page.get_by_role("link", name="See why on the Predict page").click()
    page.get_by_role("heading", name="What changes the prediction").wait_for()
    settle(page)
    assert "p_source=Live" in page.url
    page.get_by_text("live.png").first.wait_for()
    page.get_by_role("heading", name="Face 1: happy").wait_for()


@pytest.mark.slow
def test_coming_and_going_leaves_no_memory_behind(visit, server):
    page = visit("/live")
    agree(page)
    held = []
    for cycle in range(CYCLES):
        start(page)
        more_are_analysed(page)
        component(page).get_by_role("button", name="Stop").click()
        page.get_by_role("heading", name="The built-in sample: happy").wait_for()
        settle(page)
        page.get_by_role("link", name="Home").click()
        page.get_by_role("heading", name="FER Lab", exact=True).wait_for()
        held.append(server_memory(server))
        if cycle < CYCLES - 1:
            page.get_by_role("link", name="Live", exact=True).click()
            page.get_by_role("heading", name="The built-in sample: happy").wait_for()
    # The last video may still be closing.
    until(page, lambda: min(held[-1], server_memory(server)) - held[0] < ALLOWED_GROWTH)
