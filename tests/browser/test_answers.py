"""The first chart of every analysis page is in view, on a laptop, on a projector and on a phone."""

import pytest

from tests.browser.conftest import box_of, fits_width, plot_of, settle

pytestmark = pytest.mark.browser

PAGES = ("", "compare", "confusion", "dataset", "fairness")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080), (400, 1000)])
def test_the_answer_and_its_chart_are_in_view(visit, fer2013_path, width, height):
    page = visit("/", width)
    page.set_viewport_size({"width": width, "height": height})
    for place in PAGES:
        page.goto(f"{page.url.split('/', 3)[0]}//{page.url.split('/', 3)[2]}/{place}")
        plot = plot_of(page)
        settle(page)
        answer, chart = page.locator("h3").first, box_of(plot)
        assert any(letter.isdigit() for letter in answer.inner_text()), place
        assert box_of(answer)["y"] < chart["y"], place
        assert chart["y"] + chart["height"] <= height, place
        fits_width(page)
