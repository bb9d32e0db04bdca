"""Home and Predict in a real browser: uploads, the camera, clicks and downloads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bad_inputs import bad_inputs, good_input
from tests.browser.conftest import agree, settle, until

pytestmark = pytest.mark.browser


def upload(page, *files: tuple[str, bytes]) -> None:
    payload = [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files]
    page.set_input_files('[data-testid="stFileUploader"] input[type=file]', payload)


def test_home_shows_a_live_prediction_and_leads_on(visit):
    page = visit("/")
    page.get_by_text("says: happy").wait_for()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert "happy" in page.locator('[data-testid="stImage"] img').first.get_attribute("alt")
    page.get_by_role("link", name="Take a photo").click()
    page.get_by_role("heading", name="Predict").wait_for()
    settle(page)
    assert "p_source=Camera" in page.url


def test_good_and_bad_files_in_one_batch(visit):
    page = visit("/predict?p_source=Upload")
    name, content, _ = bad_inputs()["text named jpg"]
    upload(page, (name, content), ("good.jpg", good_input()))
    page.get_by_role("heading", name="Face 1: happy").wait_for()
    settle(page)
    warning = page.locator('[data-testid="stAlert"]')
    assert warning.count() == 1
    assert warning.inner_text().strip().endswith("AVIF or PPM picture.")
    assert "notes.jpg is not an image" in warning.inner_text()


def test_evidence_occlusion_and_edits_by_clicks(visit):
    page = visit("/predict")
    page.get_by_text("Bright places speak for happy").wait_for()
    page.get_by_text("Occlusion map", exact=True).click()
    page.get_by_text("Covering bright places lowers happy most").wait_for()
    settle(page)
    assert "p_occlusion=true" in page.url
    box = page.get_by_test_id("stSelectbox").filter(has_text="Against").locator("input")
    box.click()
    box.press_sequentially("neutral")  # typing opens the list, if the click alone did not
    page.get_by_role("option", name="neutral").wait_for()
    box.press("Enter")
    page.get_by_text("Blue places speak for happy, orange ones for neutral").wait_for()
    page.wait_for_url("**p_against=neutral**")
    chart = page.locator('[data-testid="stPlotlyChart"]').last
    chart.locator(".main-svg").first.wait_for()
    before = chart.inner_html()
    page.get_by_role("button", name="mouth", exact=True).click()
    page.wait_for_url("**p_cover=mouth**")
    page.get_by_text("Gray bars: before the changes.").wait_for()
    settle(page)
    until(page, lambda: chart.inner_html() != before)


def test_predict_shows_the_sample_before_any_click_and_its_results_can_be_downloaded(visit, tmp_path: Path):
    page = visit("/predict")
    page.get_by_role("heading", name="Face 1: happy").wait_for()
    until(page, lambda: page.locator(".js-plotly-plot").count() == 2)
    page.get_by_text("What the model saw").wait_for()
    page.get_by_role("heading", name="Download the results").wait_for()
    kept = {}
    for name in ("CSV", "JSON", "Picture with boxes (PNG)"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name).click()
        kept[name] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(kept[name])
    assert json.loads(kept["JSON"].read_text("utf-8"))[0]["faces"][0]["expression"] == "happy"
    assert kept["CSV"].read_text("utf-8").startswith("file,error,face,x,y,width,height,expression,angry")
    assert kept["Picture with boxes (PNG)"].read_bytes().startswith(b"\x89PNG")


def test_camera_snapshot(visit):
    page = visit("/predict?p_source=Camera")
    agree(page)
    page.wait_for_function("(document.querySelector('video') || {}).videoWidth > 0")
    page.get_by_role("button", name="Take Photo").click()
    page.get_by_role("heading", name="Face 1: happy").wait_for()
    settle(page)
    assert page.get_by_role("button", name="Clear photo").is_visible()
