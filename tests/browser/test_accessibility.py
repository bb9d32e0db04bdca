"""Deque's axe in Chromium: no serious or critical violation on any page, and on some in dark mode."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from pages import PAGES
from tests.browser.conftest import settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize(
    ("name", "scheme"),
    [(name, "light") for name, *_ in PAGES] + [(name, "dark") for name in ("predict", "live", "tour", "finetune")],
)
def test_no_serious_violation(visit, name, scheme):
    page = visit("/" if name == "home" else f"/{name}", scheme=scheme)
    page.get_by_role("heading", level=1).first.wait_for()
    settle(page)
    found = [
        (violation["id"], node["html"][:200])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]
    assert not found
