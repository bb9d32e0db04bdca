import re

import pytest

from tests.browser.conftest import fits_width, plot_of, settle, upload
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
    plot_of(page, 2)
    settle(page)
    fits_width(page)
    words = page.locator(".js-plotly-plot text")
    inks = {words.nth(k).evaluate("e => getComputedStyle(e).fill") for k in range(words.count())}
    assert not inks & {"rgb(0, 0, 0)", "black"}


def test_an_upload_plays(visit, yunet_file):
    page = visit("/video?v_source=Upload")
    upload(page, ("me.webm", film([scene((10 + k % 50, 30)) for k in range(40)], "webm", "libvpx")))
    page.get_by_test_id("stBaseButton-primary").click()
    assert plays(page) == [640, 360, pytest.approx(4.0, abs=0.05), None]
    page.get_by_text(re.compile("40 frames over 4.0 seconds, [12] faces?")).wait_for()  # the fallback may find two
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Video with boxes (MP4)").click()
    assert waiting.value.suggested_filename == "me-annotated.mp4"
    assert b"ftyp" in waiting.value.path().read_bytes()[:16]


def test_a_large_file_arrives_and_a_larger_one_is_refused_before_it_is_sent(visit, tmp_path):
    page = visit("/video?v_source=Upload")
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "upload_file" in request.url else None)
    for name, megabytes in (("larger.mp4", 501), ("large.mp4", 60)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(megabytes << 20)
    chooser = '[data-testid="stFileUploader"] input[type=file]'
    page.get_by_text("500MB per file").wait_for()
    page.set_input_files(chooser, str(tmp_path / "larger.mp4"))
    page.get_by_text("File must be 500.0MB or smaller").wait_for()
    assert not sent
    page.set_input_files(chooser, str(tmp_path / "large.mp4"))
    page.locator('[data-testid="stBaseButton-primary"]:enabled').wait_for()
    assert sent
    assert page.get_by_text("AxiosError").count() == 0
