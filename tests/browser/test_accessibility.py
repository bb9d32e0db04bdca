"""Every page in Chromium: no serious violation by Deque's axe, its theme's colours, and no scrolling on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from pages import PAGES
from tests.browser.conftest import fits_width, settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]

IN_THE_DARK = ("home", "predict", "live", "tour", "finetune")
WITH_A_CHART = ("home", "predict", "compare", "live")


@pytest.mark.parametrize(
    ("name", "scheme"), [(name, "light") for name, *_ in PAGES] + [(name, "dark") for name in IN_THE_DARK]
)
def test_a_page_has_no_serious_violation_and_fits_a_phone(visit, name, scheme):
    page = visit("/" if name == "home" else f"/{name}", scheme=scheme)
    background = page.locator('[data-testid="stApp"]').evaluate("element => getComputedStyle(element).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    if name in WITH_A_CHART:
        text = page.locator(".js-plotly-plot .main-svg text").first
        ink = text.evaluate("element => getComputedStyle(element).fill")
        lightness = sum(int(part) for part in ink.removeprefix("rgb(").rstrip(")").split(","))
        assert lightness > 600 if scheme == "dark" else lightness < 200
    settle(page)
    violations = Axe().run(page).response["violations"]
    serious = [each for each in violations if each["impact"] in {"serious", "critical"}]
    assert not [(each["id"], node["html"], node["failureSummary"]) for each in serious for node in each["nodes"]]
    page.set_viewport_size({"width": 400, "height": 900})
    fits_width(page)
