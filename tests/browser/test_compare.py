"""The Compare page in a real browser: it opens, the threshold moves the numbers, a ticked ensemble appears."""

from __future__ import annotations

import pytest

from fer_core.store import list_models
from tests.browser.conftest import fits_width, settle, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def titles():
    found = [model.title for model in list_models()[0]]
    if len(found) < 2:
        pytest.skip(f"needs two shipped models. Received: {found}")
    return found


def has_its_height(page, chart) -> None:
    plot = chart.locator("path.background").first
    plot.wait_for()
    until(page, lambda: plot.bounding_box()["height"] == pytest.approx(340, abs=10))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_it_opens(visit, width, scheme):
    page = visit("/compare", width, scheme)
    assert page.inner_text("h1") == "Compare models"
    page.wait_for_selector('[data-testid="stVegaLiteChart"] svg')
    page.wait_for_selector('[data-testid="stDataFrame"] canvas')
    fits_width(page)


@pytest.mark.parametrize(("width", "columns"), [(1280, 4), (400, 1)])
def test_one_legend_names_every_model_and_leaves_the_plots_their_height(visit, titles, width, columns):
    page = visit("/compare?c_section=ROC and PR", width)
    key, *curves = (page.locator('[data-testid="stVegaLiteChart"]').nth(k) for k in range(3))
    for chart in curves:
        has_its_height(page, chart)
        assert chart.locator(".role-legend-label").count() == 0
    names = key.locator(".role-legend-label text")
    until(page, lambda: names.all_text_contents() == titles)
    until(page, lambda: len({round(names.nth(k).bounding_box()["x"]) for k in range(len(titles))}) == columns)


@pytest.mark.parametrize("width", [1280, 400])
def test_a_legend_of_its_own_leaves_the_plot_its_height(visit, titles, width):
    page = visit("/compare?c_section=Calibration", width)
    chart = page.locator('[data-testid="stVegaLiteChart"]').first
    has_its_height(page, chart)
    until(page, lambda: chart.locator(".role-legend-label text").count() == len(titles))


def test_the_threshold_moves_the_numbers(visit):
    page = visit("/compare?c_section=ROC+and+PR&c_expression=sad")
    numbers = page.locator('[data-testid="stMetricValue"]')
    numbers.first.wait_for()
    before = numbers.all_inner_texts()
    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(20):
        slider.press("ArrowLeft")
    page.wait_for_function(
        "was => document.querySelector('[data-testid=stMetricValue]').innerText !== was", arg=before[0]
    )
    settle(page)
    assert numbers.all_inner_texts() != before
    page.wait_for_url("**c_threshold=0.3**")
    assert "c_section=ROC" in page.url


def test_a_ticked_ensemble_shows_its_row(visit, titles):
    page = visit("/compare?c_section=Significance")
    page.get_by_text("Combine models into an ensemble").click()
    for title in titles[:2]:
        page.get_by_role("button", name=title, exact=True).click()
        settle(page)
    labels = page.locator('[data-testid="stVegaLiteChart"] svg text')
    labels.filter(has_text="Ensemble of 2").first.wait_for()
    page.get_by_role("tab", name="Scoreboard").click()
    settle(page)
    labels.filter(has_text="Ensemble of 2").first.wait_for()
    assert "c_fuse=" in page.url


def test_a_view_comes_back_by_its_url(visit):
    page = visit("/compare?c_section=Paper&c_paper_metric=Macro+F1&c_variant=vgg16_frozen&c_split=PrivateTest")
    assert page.get_by_role("tab", name="Paper").get_attribute("aria-selected") == "true"
    page.locator('[data-testid="stVegaLiteChart"] svg text').filter(has_text="Macro F1").first.wait_for()
    page.get_by_text("Where the paper contradicts itself").wait_for()
