"""The Confusion page in a real browser: clicking a cell shows that cell's faces."""

from __future__ import annotations

import re

import pytest

from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.metrics.confusion import cell_faces
from fer_core.store.folders import list_models
from tests.browser.conftest import box_of, settle, until

pytestmark = pytest.mark.browser


def test_a_click_on_a_cell_shows_its_faces(visit, fer2013_path):
    answers, _ = load_predictions(list_models()[0], "PublicTest", "plain")
    name = answers.names[0]
    expected = cell_faces(answers, name, "fear", "sad")
    page = visit("/confusion?m_number=6")
    page.wait_for_selector(".js-plotly-plot .heatmaplayer image")
    plot = page.locator(".js-plotly-plot").first
    row, column = EXPRESSIONS.index("fear"), EXPRESSIONS.index("sad")
    line = page.get_by_text(re.compile(rf"predicts {len(expected)} fear faces as sad"))

    def clicked() -> bool:
        """A chart takes no clicks for a moment after it is drawn, so click again."""
        area = box_of(plot.locator(".nsewdrag"))
        page.mouse.click(area["x"] + (column + 0.5) / 7 * area["width"], area["y"] + (row + 0.5) / 7 * area["height"])
        settle(page)
        return line.is_visible()

    until(page, clicked)
    settle(page)
    faces = page.locator('[data-testid="stImage"] img[alt*="actual fear, predicted sad"]')
    faces.nth(5).wait_for()
    rows = [int(re.search(r"row (\d+)", face.get_attribute("alt")).group(1)) for face in faces.all()[:6]]
    assert rows == expected["row"].head(6).tolist()


def test_a_view_comes_back_by_its_url(visit):
    page = visit("/confusion?m_actual=happy&m_predicted=happy&m_values=counts&m_split=PrivateTest&m_number=6")
    page.get_by_text(re.compile(r"predicts \d+ happy faces as happy")).first.wait_for()
    page.get_by_text("PrivateTest, plain, judged by FER2013's label. Each number is a count of faces").wait_for()
