"""Presentation mode in a browser: larger type, no navigation, and the way back."""

from __future__ import annotations

import pytest

from pages import PAGES
from tests.browser.conftest import fits_width, settle, until

pytestmark = pytest.mark.browser


def type_size(page) -> float:
    return page.locator("h1").evaluate("element => parseFloat(getComputedStyle(element).fontSize)")


def test_presentation_mode_and_back(visit):
    page = visit("/tour?t_step=Pooling")
    usual = type_size(page)
    assert page.get_by_test_id("stTopNavLink").count()
    page.get_by_text("Presentation", exact=True).click()
    page.wait_for_url("**present=true**")
    until(page, lambda: type_size(page) == pytest.approx(1.25 * usual))
    until(page, lambda: page.get_by_test_id("stTopNavLink").count() == 0)
    assert "t_step=Pooling" in page.url
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="step 8 of 8").wait_for()
    settle(page)
    assert "t_step=Softmax" in page.url and "present=true" in page.url
    page.get_by_text("Presentation", exact=True).click()
    until(page, lambda: type_size(page) == pytest.approx(usual))
    until(page, lambda: page.get_by_test_id("stTopNavLink").count() > 0)
    settle(page)
    assert "t_step=Softmax" in page.url and "present" not in page.url


def test_a_link_straight_to_a_presented_page_is_served_by_a_fresh_server(start_server, visit):
    page = visit("/predict?p_blur=8&present=true", base=start_server())
    page.get_by_role("heading", name="Face 1: happy").wait_for()
    until(page, lambda: page.get_by_test_id("stTopNavLink").count() == 0)
    page.get_by_text("Presentation", exact=True).click()
    until(page, lambda: page.get_by_test_id("stTopNavLink").count() == len(PAGES))
    assert page.get_by_test_id("stSidebarNavLink").count() == 0, "Streamlit's older navigation"
    page.get_by_text("Average with mirror image", exact=True).click()
    page.wait_for_url("**p_flip=true**")
    settle(page)
    assert page.get_by_role("slider", name="Blur").input_value() == "8"


def test_a_phone_keeps_its_type_size(visit):
    usual = type_size(visit("/tour", width=400))
    page = visit("/tour?present=true&t_step=Softmax", width=400)
    assert type_size(page) == pytest.approx(usual)
    fits_width(page)
