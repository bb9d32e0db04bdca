from __future__ import annotations

import pytest

from tests.browser.conftest import settle
from tests.clips import film, scene

pytestmark = pytest.mark.browser

STATE = "(v => [v.videoWidth, v.videoHeight, v.duration, v.error])(document.querySelector('video'))"


def plays(page) -> list:
    """Wait until the browser has decoded the annotated video and plays it; return its width, height, length, error."""
    page.wait_for_selector("video")
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    page.evaluate("document.querySelector('video').play()")
    page.wait_for_function("document.querySelector('video').currentTime > 0.2")
    return page.evaluate(STATE)


def test_the_sample_plays_on_a_phone_in_the_dark(visit):
    page = visit("/video?v_rate=5", width=400, scheme="dark")
    assert plays(page) == [640, 360, pytest.approx(8.0, abs=0.05), None]
    page.locator("svg.marks").nth(2).wait_for()
    settle(page)
    inner = page.locator('[data-testid="stMain"]')
    assert inner.evaluate("element => element.scrollWidth <= element.clientWidth")
    words = page.locator("svg.marks text")
    inks = {words.nth(k).evaluate("e => getComputedStyle(e).fill") for k in range(words.count())}
    assert not inks & {"rgb(0, 0, 0)", "black"}


def test_an_upload_shows_its_progress_and_plays(visit, yunet_file):
    page = visit("/video?v_source=Upload")
    frames = [scene((10 + k % 50, 30)) for k in range(40)]
    content = film(frames, "webm", "libvpx")
    page.set_input_files(
        '[data-testid="stFileUploader"] input[type=file]',
        [{"name": "me.webm", "mimeType": "video/webm", "buffer": content}],
    )
    page.get_by_test_id("stBaseButton-primary").click()
    page.get_by_test_id("stProgress").wait_for()
    assert plays(page) == [640, 360, pytest.approx(4.0, abs=0.05), None]
    page.get_by_text("40 frames over 4.0 seconds, 1 face").wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Video with boxes (MP4)").click()
    assert waiting.value.suggested_filename == "me-annotated.mp4"
    assert b"ftyp" in waiting.value.path().read_bytes()[:16]
