"""Home and Predict in a real browser: uploads, the camera, clicks and downloads."""

import json
from pathlib import Path

import pytest

from tests.bad_inputs import good_input
from tests.browser.conftest import agree, plot_of, settle, until, upload

pytestmark = pytest.mark.browser


def test_home_leads_to_a_photo_on_predict(visit):
    page = visit("/")
    page.get_by_text("says: happy").wait_for()
    plot_of(page)
    assert "happy" in page.locator('[data-testid="stImage"] img').first.get_attribute("alt")
    page.get_by_role("link", name="Take a photo").click()
    page.get_by_role("heading", name="Predict").wait_for()
    settle(page)
    assert "p_source=Camera" in page.url
    agree(page)
    page.wait_for_function("(document.querySelector('video') || {}).videoWidth > 0")
    page.get_by_role("button", name="Take Photo").click()
    page.get_by_role("heading", name="Face 1: happy").wait_for()
    settle(page)
    assert page.get_by_role("button", name="Clear photo").is_visible()


def test_a_good_and_a_bad_file_and_what_can_be_downloaded(visit, tmp_path: Path):
    page = visit("/predict?p_source=Upload")
    upload(page, ("notes.jpg", b"notes"), ("good.jpg", good_input()))
    page.get_by_role("heading", name="Face 1: happy").wait_for()
    until(page, lambda: page.locator(".js-plotly-plot").count() == 2)
    page.get_by_text("What the model saw").wait_for()
    page.get_by_role("heading", name="Download the results").wait_for()
    settle(page)
    warning = page.locator('[data-testid="stAlert"]')
    assert warning.count() == 1
    assert "notes.jpg is not an image" in warning.inner_text()
    kept = {}
    for name in ("CSV", "JSON", "Picture with boxes (PNG)"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name).click()
        kept[name] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(kept[name])
    assert json.loads(kept["JSON"].read_text("utf-8"))[1]["faces"][0]["expression"] == "happy"
    assert kept["CSV"].read_text("utf-8").startswith("file,error,face,x,y,width,height,expression,angry")
    assert kept["Picture with boxes (PNG)"].read_bytes().startswith(b"\x89PNG")
