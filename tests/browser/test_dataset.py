"""The map of faces on the Dataset page in a real browser."""

from itertools import cycle

import pytest

from fer_core.store.folders import load_model
from tests.browser.conftest import box_of, settle, until

pytestmark = pytest.mark.browser


def test_the_map_shows_faces_under_the_pointer_and_results_of_a_selection(visit, fer2013_path):
    page = visit("/dataset?d_section=Map+of+faces")
    area = page.locator(".st-key-d_map .js-plotly-plot .nsewdrag")
    area.scroll_into_view_if_needed()
    settle(page)
    picture = page.locator("#face")  # Playwright looks into the component's shadow root

    def pointed(across: float) -> bool:
        box = box_of(area)
        page.mouse.move(box["x"] + across * box["width"], box["y"] + box["height"] / 2, steps=4)
        page.wait_for_timeout(200)
        return picture.is_visible()

    places = cycle(range(10))
    until(page, lambda: pointed(0.5 + 0.01 * next(places)))
    assert "blob:" in picture.evaluate("element => getComputedStyle(element).backgroundImage")
    page.mouse.move(5, 5)
    picture.wait_for(state="hidden")

    box = box_of(area)
    for number, (across, down) in enumerate(((0.5, 0.4), (0.7, 0.4), (0.7, 0.7), (0.5, 0.7), (0.5, 0.42))):
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=6)
        if number == 0:
            page.mouse.down()
    page.mouse.up()
    result = page.get_by_text(f"{load_model().title} is right on")
    result.wait_for()
    settle(page)
    before = result.inner_text()
    colour = page.get_by_role("combobox", name="Colour")
    colour.scroll_into_view_if_needed()
    settle(page)  # scrolling closes a list
    colour.click()
    page.get_by_role("option", name="prediction").click()
    page.wait_for_url("**d_map_color=prediction**")
    settle(page)
    assert result.inner_text() == before, "a new colour keeps the selection"
    area.scroll_into_view_if_needed()
    until(page, lambda: pointed(0.5 + 0.01 * next(places)))  # also on the new chart
