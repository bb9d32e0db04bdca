"""The Fine-tune page in a real browser: a small run up to the Predict page, and one visitor in two browsers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.app.made_up_runs import portrait, write_faces
from tests.browser.conftest import PATIENCE, box_of, settle, upload

pytestmark = pytest.mark.browser

EPOCHS = 5  # enough for the click on Stop to come before the end
SMALL = f"f_faces=500&f_variant=Small+CNN&f_start=Small+CNN&f_epochs={EPOCHS}&f_augment=mirror"
POINTS = ".js-plotly-plot .scatterlayer .point"


def state(page, word: str) -> None:
    page.locator(".stMarkdownBadge").filter(has_text=word).wait_for()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_start_watch_stop_resume_and_promote(visit, start_server, tmp_path, monkeypatch):
    """On made-up faces: measuring a model on FER2013's 7,178 test faces takes longer than training it."""
    write_faces(tmp_path / "faces", each=80)
    monkeypatch.setenv("FER2013_PATH", str(tmp_path / "faces" / "fer2013.csv"))
    page = visit(f"/finetune?{SMALL}", base=start_server())
    page.get_by_text("Faces to train on").first.wait_for()
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("button", name="Curves and results").click()
    page.locator(POINTS).nth(3).wait_for(timeout=2 * PATIENCE)  # two lines in each of two charts; the priority is low
    page.locator(".st-key-f_stop button").click()  # the header has a button of that name while the page works
    state(page, "Stopped")
    settle(page)
    assert page.locator(POINTS).count() < 4 * EPOCHS
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("heading", name="by FER2013's label").wait_for(timeout=4 * PATIENCE)
    state(page, "Finished")
    page.locator('[data-testid="stPlotlyChart"][aria-label^="F1 by expression"]').first.wait_for()
    page.get_by_role("button", name="Promote: use it on every page").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("from_class")
    page.get_by_role("button", name="Promote", exact=True).click()
    page.get_by_role("link", name=re.compile("Try .* on Predict")).click()
    page.get_by_role("heading", name=re.compile("Face 1: ")).wait_for()
    settle(page)
    assert "p_models=" in page.url


def test_a_reload_is_the_same_visitor_and_another_browser_is_not(start_server, visit, tmp_path: Path):
    secrets = tmp_path / "secrets.toml"
    secrets.write_text("[server]\nshared = true\n", encoding="utf-8")
    server = start_server(f"--secrets.files={secrets}")
    page = visit("/finetune?f_source=Own+snapshots&f_by=Upload", base=server)
    upload(page, ("a.png", portrait()))
    page.get_by_text("happy: 1").wait_for()
    page.reload()
    page.get_by_text("happy: 1").wait_for()
    other = visit(page.url.removeprefix(server), base=server)
    other.get_by_text("happy: 0").wait_for()
    settle(other)
    assert page.evaluate("document.cookie").count("fer_lab_visitor=") == 1


def test_what_one_needs_for_snapshots_fits_a_screen_of_800_pixels(visit):
    page = visit("/finetune?f_source=Own+snapshots")
    page.get_by_role("button", name="Everyone in view agrees").click()
    page.get_by_test_id("stCameraInput").wait_for()
    settle(page)
    top, camera = (
        box_of(page.get_by_role("heading", name="1. Collect"))["y"],
        box_of(page.get_by_test_id("stCameraInput")),
    )
    assert camera["width"] <= 280  # at 16 : 9 it is 230 pixels high; the film of the tests is a portrait
    rest = box_of(page.get_by_text("Of each photo"))["y"] - top - camera["height"]
    assert rest + 230 < 800 - 60, "the navigation covers 60 pixels"
