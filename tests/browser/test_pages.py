from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bad_inputs import bad_inputs, good_input
from tests.browser.conftest import agree, fits_width, settle, until

pytestmark = pytest.mark.browser

PAGES = ("/", "/predict")
PAGE_COUNT = 11


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


def test_predict_shows_the_sample_before_any_click(visit):
    page = visit("/predict")
    page.get_by_role("heading", name="Face 1: happy").wait_for()
    until(page, lambda: page.locator(".js-plotly-plot").count() == 2)
    page.get_by_text("What the model saw").wait_for()


def test_a_link_straight_to_a_page_is_served_by_a_fresh_server(start_server, visit):
    page = visit("/predict?p_blur=8&p_cover=mouth", base=start_server())
    page.get_by_role("heading", name="Face 1: happy").wait_for()
    until(page, lambda: page.get_by_test_id("stTopNavLink").count() == PAGE_COUNT)
    assert page.get_by_test_id("stSidebarNavLink").count() == 0, "Streamlit's older navigation"
    assert page.get_by_role("slider", name="Blur").input_value() == "8"
    page.get_by_text("Average with mirror image", exact=True).click()
    page.wait_for_url("**p_flip=true**")
    settle(page)
    assert page.get_by_test_id("stTopNavLink").count() == PAGE_COUNT
    assert page.get_by_role("slider", name="Blur").input_value() == "8"


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


def test_edits_move_the_bars_and_the_url(visit):
    page = visit("/predict")
    page.get_by_role("heading", name="Face 1: happy").wait_for()
    chart = page.locator('[data-testid="stPlotlyChart"]').last
    chart.locator(".main-svg").first.wait_for()
    before = chart.inner_html()
    page.get_by_role("button", name="mouth", exact=True).click()
    page.wait_for_url("**p_cover=mouth**")
    page.get_by_text("Gray bars: before the changes.").wait_for()
    settle(page)
    until(page, lambda: chart.inner_html() != before)


def test_occlusion_map_by_a_click(visit):
    page = visit("/predict")
    page.get_by_text("Occlusion map", exact=True).click()
    page.get_by_text("Covering bright places lowers happy most").wait_for()
    settle(page)
    assert "p_occlusion=true" in page.url


def test_evidence_against_another_expression_by_clicks(visit):
    page = visit("/predict")
    page.get_by_text("Bright places speak for happy").wait_for()
    box = page.get_by_test_id("stSelectbox").filter(has_text="Against").locator("input")
    box.click()
    box.press_sequentially("neutral")  # typing opens the list, if the click alone did not
    page.get_by_role("option", name="neutral").wait_for()
    box.press("Enter")
    page.get_by_text("Blue places speak for happy, orange ones for neutral").wait_for()
    page.wait_for_url("**p_against=neutral**")


def test_downloads(visit, tmp_path: Path):
    page = visit("/predict")
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


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_width_and_both_themes(visit, path, scheme):
    page = visit(path, width=400, scheme=scheme)
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    fits_width(page)
    background = page.locator('[data-testid="stApp"]').evaluate("element => getComputedStyle(element).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    ink = page.locator(".js-plotly-plot .main-svg text").first.evaluate("element => getComputedStyle(element).fill")
    lightness = sum(int(part) for part in ink.removeprefix("rgb(").rstrip(")").split(","))
    assert lightness > 600 if scheme == "dark" else lightness < 200
