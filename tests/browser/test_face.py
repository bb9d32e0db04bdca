"""Clicks on faces: a box or a face of a photo shows its details, and a tile opens the card of its face."""

import re

import pytest

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 400])
def test_a_box_in_a_photo_and_a_face_of_its_strip_show_the_details(visit, width):
    page = visit("/predict?p_example=Six+faces", width=width)
    boxes = page.get_by_role("button", name=re.compile("^Face [1-6] "))
    assert boxes.count() == 6
    boxes.nth(4).click()
    page.get_by_role("heading", name=re.compile("^Face 5: ")).wait_for()
    settle(page)
    assert "p_face=5" in page.url
    assert [box.get_attribute("aria-pressed") for box in boxes.all()].index("true") == 4
    page.get_by_role("img", name="Face of Face 2").click()
    page.get_by_role("heading", name=re.compile("^Face 2: ")).wait_for()


def test_a_tile_opens_the_card_over_the_page_and_changes_no_link(visit, fer2013_path):
    page = visit("/dataset?d_section=Faces")
    before = page.url
    page.get_by_role("img", name=re.compile("^Face of Row")).first.click()
    card = page.get_by_role("dialog")
    card.get_by_role("tab", name="What changes it").click()
    card.get_by_text("Find the face again").wait_for()
    settle(page)
    card.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    card.get_by_text(re.compile("change their answer")).wait_for()
    page.keyboard.press("Escape")
    card.wait_for(state="hidden")
    assert page.url == before
