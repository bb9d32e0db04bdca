from __future__ import annotations

import re

import pytest

from tests.browser.conftest import fits_width, settle
from tests.clips import film, scene

pytestmark = pytest.mark.browser

WATCH_PROGRESS = """() => {
    const look = () => { window.progressShown ||= Boolean(document.querySelector('[data-testid="stProgress"]')) }
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true})
}"""
"""Remember whether the page ever shows a progress bar: it may be gone before a test looks."""

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
    page.locator(".js-plotly-plot").nth(2).wait_for()
    settle(page)
    fits_width(page)
    words = page.locator(".js-plotly-plot text")
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
    page.evaluate(WATCH_PROGRESS)
    page.get_by_test_id("stBaseButton-primary").click()
    assert plays(page) == [640, 360, pytest.approx(4.0, abs=0.05), None]
    assert page.evaluate("window.progressShown")
    page.get_by_text(re.compile("40 frames over 4.0 seconds, [12] faces?")).wait_for()  # the Haar detector may find two
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Video with boxes (MP4)").click()
    assert waiting.value.suggested_filename == "me-annotated.mp4"
    assert b"ftyp" in waiting.value.path().read_bytes()[:16]
