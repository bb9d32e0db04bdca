"""The Dataset page in a real browser, on a wide screen and on a phone."""

from __future__ import annotations

import pytest

from tests.app.made_up_runs import portrait, zipped
from tests.browser.conftest import fits_width, settle

pytestmark = pytest.mark.browser


def test_a_filter_changes_the_faces_and_the_url(visit, fer2013_path):
    page = visit("/dataset?d_section=Faces&d_split=PublicTest&d_label=disgust")
    page.get_by_text("56 faces").wait_for()
    page.get_by_text("The default model is wrong").click()
    page.wait_for_url("**d_wrong=true**")
    settle(page)
    assert page.get_by_text("56 faces").count() == 0
    page.get_by_text("The numbers of row").wait_for()
    fits_width(page)


def test_own_pictures_on_a_phone(visit, yunet_file):
    page = visit("/dataset?d_of=My+own+pictures&d_section=Preparation&d_step=Face+detection", 400)
    files = {f"{name}__{turn}": portrait(turn) for name in ("happy", "sad") for turn in (0, 15)}
    zipped_files = {"name": "mine.zip", "mimeType": "application/zip", "buffer": zipped(**files)}
    page.locator("input[type=file]").set_input_files(zipped_files)
    page.get_by_text("No face is detected in 0 of 4 pictures.").wait_for()
    assert page.get_by_alt_text("Detected: happy/15").is_visible()
    fits_width(page)
