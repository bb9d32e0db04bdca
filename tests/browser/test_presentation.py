"""The lecture in a browser: every screen whole, keys, and the way back."""

from __future__ import annotations

import pytest

from fer_core.sections.screens import SCREENS
from tests.browser.conftest import fits_width, plot_of, settle, until

pytestmark = pytest.mark.browser

OUTSIDE = """() => {
  const seen = '[data-testid="stMain"] :is(h1, h2, h3, p, img, button, .js-plotly-plot, .js-plotly-plot text)'
  const shown = [...document.querySelectorAll(seen)].filter(
    (element) => !element.closest('.st-key-stage_controls') && element.getClientRects().length)
  return shown.filter((element) => {
    const box = element.getBoundingClientRect()
    return box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1
  }).map((element) => element.tagName + ' ' + (element.textContent || element.alt).slice(0, 40))
}"""
"""Words, pictures, buttons and charts that are not inside the window."""

SCROLLS = """() => [...document.querySelectorAll('[data-testid="stMain"], [data-testid="stMain"] *')].filter(
  (element) => !element.closest('.st-key-stage_controls')
    && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(element).overflowY)
    && element.clientHeight > 20 && element.scrollHeight > element.clientHeight + 2
    && !element.closest('svg')).map((element) => element.textContent.slice(0, 60) + ' ' + element.scrollHeight)"""
"""Boxes whose content is higher than they are, so that a part of it is cut off."""


def is_whole(page) -> None:
    until(page, lambda: page.evaluate(OUTSIDE) == page.evaluate(SCROLLS) == [])


def at_screen(page, name: str) -> None:
    page.wait_for_url(f"**screen={name}*")
    settle(page)


def test_every_screen_is_whole_and_the_keys_lead_through_the_lecture(visit, fer2013_path):
    page = visit("/lecture?screen=picture")
    for number, (name, screen) in enumerate(SCREENS.items()):
        at_screen(page, name)
        page.get_by_role("heading", level=1).wait_for()
        assert screen.sentence in page.locator("h1").inner_text()
        for width, height in ((1280, 800), (1920, 1080))[:: 1 if number % 2 else -1]:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(200)  # the screen notices the size of the window after 150 milliseconds
            settle(page)
            is_whole(page)
        page.keyboard.press(("ArrowRight", "PageDown")[number % 2])
    assert page.get_by_test_id("stTopNavLink").count() == 0
    page.keyboard.press("PageUp")
    at_screen(page, [*SCREENS][-2])
    page.keyboard.press("ArrowLeft")
    at_screen(page, [*SCREENS][-3])
    controls = page.locator(".st-key-stage_controls")
    edge = page.viewport_size["width"]
    assert controls.bounding_box()["x"] > edge - 20, "out of sight until the pointer is at the edge"
    page.mouse.move(edge - 2, 500)
    until(page, lambda: controls.bounding_box()["x"] < edge - 200)
    controls.get_by_role("link", name="Overview, and leave").first.click()
    page.get_by_role("heading", name="Lecture").wait_for()


def test_keys_work_after_a_click_into_the_chart_and_f_fills_the_screen(visit):
    page = visit("/lecture?screen=models")
    for key, screen in (("PageDown", "confusion"), ("PageUp", "models")):
        plot_of(page).click()
        page.keyboard.press(key)
        at_screen(page, screen)
    for full in (True, False):
        page.keyboard.press("f")
        until(page, lambda full=full: page.evaluate("!!document.fullscreenElement") == full)


def test_a_page_leads_to_its_screen_and_a_fresh_server_serves_the_link(start_server, visit):
    page = visit("/tour?t_step=Pooling")
    page.get_by_role("link", name="Present").click()
    at_screen(page, "pooling")
    page = visit("/confusion?m_by=FER2013%27s+label&m_split=PrivateTest")
    words = page.get_by_role("heading", level=3).first.inner_text().replace("\xa0", " ")
    page.get_by_role("link", name="Present").click()
    at_screen(page, "confusion")
    assert words.startswith(page.locator("h1").inner_text().rstrip("."))
    page = visit("/lecture?screen=confusion", base=start_server())
    is_whole(page)
    assert page.get_by_test_id("stTopNavLink").count() == page.get_by_test_id("stSidebarNavLink").count() == 0


@pytest.mark.parametrize("name", ["picture", "detect", "align"])
def test_a_screen_of_the_tour_is_whole_with_any_detector_and_without_data(visit, name):
    page = visit(f"/lecture?screen={name}")
    at_screen(page, name)
    page.get_by_role("heading", level=1).wait_for()
    is_whole(page)


def test_on_a_phone_a_screen_is_as_long_as_it_needs(visit):
    page = visit("/lecture?screen=softmax", width=400)
    fits_width(page)
    page.goto(page.url.partition("?")[0])
    page.get_by_role("heading", name="Lecture").wait_for()
    fits_width(page)
