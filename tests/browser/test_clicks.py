"""A click on a mark of a chart answers in view: the faces appear beside it, or the page that has them opens."""

from __future__ import annotations

import re

import pytest

from fer_core.store.folders import list_models, load_model
from tests.browser.conftest import box_of, plot_of, settle, until

pytestmark = pytest.mark.browser
HEIGHT = 800


def click_until(page, marks: str, number: int, condition) -> None:
    """Click on a mark of the first chart until a condition holds: a chart takes no clicks just after it is drawn."""

    def clicked() -> bool:
        if not condition():
            box = box_of(plot_of(page).locator(marks).nth(number))
            page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            settle(page)
        return condition()

    page.set_viewport_size({"width": 1280, "height": HEIGHT})
    settle(page)
    until(page, clicked)
    settle(page)


def faces_in_view(page) -> list[str]:
    """Return the alternative texts of the faces that are whole in the window."""
    faces = page.locator('[data-testid="stImage"] img[alt^="Face of"]')
    faces.first.wait_for()
    boxes = [(face.get_attribute("alt"), box_of(face)) for face in faces.all()]
    return [alt for alt, box in boxes if box["y"] > 0 and box["y"] + box["height"] <= HEIGHT]


def test_a_group_of_fairness_shows_its_mistakes_beside_the_chart(visit, fer2013_path):
    page = visit("/fairness?a_by=FER2013's label")
    line = page.get_by_text(re.compile("^Mistakes: dark.*, sad$"))
    click_until(page, ".scatterlayer .trace:first-child .points path", 4, line.is_visible)
    shown = faces_in_view(page)
    assert len(shown) >= 8
    assert all(alt.endswith("labelled sad") for alt in shown)


def test_a_bar_of_a_class_opens_its_faces(visit, fer2013_path):
    page = visit("/dataset")
    click_until(page, ".barlayer .trace:first-child .point path", 1, lambda: "d_section=Faces" in page.url)
    shown = faces_in_view(page)
    assert len(shown) >= 8
    assert all(alt.endswith("labelled disgust") for alt in shown)
    assert "d_label=disgust" in page.url, "the address can be given to others"


def test_the_dot_of_a_model_opens_its_confusions(visit, fer2013_path):
    page = visit("/compare")
    click_until(page, ".scatterlayer .trace:first-child .points path", 1, lambda: "/confusion" in page.url)
    plot_of(page)
    answer = page.locator("h3").first.inner_text()
    (title,) = [model.title for model in list_models()[0] if answer.startswith(f"{model.title} calls ")]
    assert title != load_model().title, "the default model is the first dot, not the second"
    assert faces_in_view(page)
