"""Charts of Compare and Confusion in a real browser: legends, room for plots, clicks, drags and saved pictures."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.metrics.confusion import cell_faces
from fer_core.store.folders import list_models
from tests.browser.conftest import box_of, plot_of, settle, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def titles():
    return [model.title for model in list_models()[0]]


def shown(chart) -> list[str]:
    drawn = "(plot._fullData ?? []).filter(t => t.visible === true && t.showlegend && t.legendgroup)"
    return chart.evaluate(f"plot => {drawn}.map(t => t.name)")


def at_most_six_models_are_drawn_until_the_legend_is_clicked(page, plot, titles) -> None:
    until(page, lambda: shown(plot))
    first = shown(plot)
    assert 2 <= len(first) <= 6
    assert titles[0] in first  # the default model
    plot.locator(".legendtoggle").nth(1).click()
    until(page, lambda: len(shown(plot)) == len(first) - 1)
    plot.locator(".legendtoggle").nth(1).click()
    until(page, lambda: shown(plot) == first)
    plot.locator(".legendtoggle").nth(0).dblclick()
    until(page, lambda: len(shown(plot)) == 1)


@pytest.mark.parametrize(("width", "columns", "across"), [(1280, 3, 2), (400, 1, 1)])
def test_one_legend_names_every_model_and_leaves_the_plots_their_height(visit, titles, width, columns, across):
    page = visit("/compare?c_section=ROC and PR&c_more=true", width)
    plot = plot_of(page)
    names = plot.locator(".legendtext")
    until(page, lambda: sorted(names.all_text_contents()) == sorted(titles))

    def lefts() -> set[int]:
        """Return where names begin; one has no place while the plot is drawn again."""
        places = [names.nth(k).bounding_box() for k in range(len(titles))]
        return {round(place["x"]) for place in places if place}

    until(page, lambda: len(lefts()) == columns)
    settle(page)
    until(page, lambda: plot.evaluate("plot => plot._fullLayout?.xaxis2?._length ?? 0"))
    left = plot.evaluate("plot => ['xaxis', 'xaxis2'].map(name => plot._fullLayout[name]._offset)")
    assert len(set(left)) == across
    assert min(plot.evaluate("plot => ['yaxis', 'yaxis2'].map(name => plot._fullLayout[name]._length)")) > 280
    assert page.locator(".js-plotly-plot").count() == 1
    if across == 2:
        at_most_six_models_are_drawn_until_the_legend_is_clicked(page, plot, titles)


def saved(page, button: str):
    """Return the download of the first chart's camera."""
    plot = plot_of(page)
    plot.hover(position={"x": 300, "y": 150})
    with page.expect_download() as waiting:
        plot.locator(f'.modebar-btn[data-title*="{button}"]').click()
    return waiting.value


def test_the_camera_saves_a_picture_that_says_what_it_shows(visit):
    page = visit("/compare?c_section=ROC and PR&c_expression=sad")
    file = saved(page, "PNG")
    assert file.suggested_filename == "roc-and-precision-recall-curves-for-sad.png"
    picture, box = Image.open(file.path()), box_of(plot_of(page))
    width, height = picture.size
    assert len(picture.convert("RGB").getcolors(width * height)) > 20
    assert (width, height) == pytest.approx((2 * box["width"], 2 * box["height"]), abs=4)
    page.get_by_role("radio", name="SVG").or_(page.get_by_role("button", name="SVG", exact=True)).first.click()
    settle(page)
    assert saved(page, "Download").path().read_bytes().startswith(b"<svg")


def test_bars_of_confidence_can_be_selected_by_dragging(visit):
    page = visit("/compare?c_section=Calibration")
    area = plot_of(page, 1).locator(".nsewdrag")
    area.scroll_into_view_if_needed()

    def dragged() -> bool:
        """A chart takes no drags just after it is drawn."""
        box = box_of(area)
        middle = max(box["y"], 0) + min(100, box["height"] / 2)
        page.mouse.move(box["x"] + 0.5 * box["width"], middle)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.9 * box["width"], middle, steps=5)
        page.mouse.up()
        settle(page)
        return page.get_by_text("of these predictions are correct (95 % interval").is_visible()

    until(page, dragged)


@pytest.mark.parametrize("section", ["Calibration", "Training", "Robustness", "F1 by expression"])
def test_a_legend_leaves_its_plot_room_on_a_phone(visit, section):
    page = visit(f"/compare?c_section={section}", 400)
    plot = plot_of(page)
    until(page, lambda: plot.evaluate("plot => plot._fullLayout?.yaxis?._length ?? 0") > 180)
    names, box = plot.locator(".legendtext"), box_of(plot)
    for k in range(names.count()):
        name = box_of(names.nth(k))
        assert name["x"] + name["width"] <= box["x"] + box["width"] + 1
    last = {"Calibration": "100 %", "F1 by expression": "100 %"}.get(section)
    assert last is None or plot.locator(".xtick text").last.text_content() == last


def test_a_click_on_a_cell_of_a_confusion_matrix_shows_its_faces(visit, fer2013_path):
    answers, _ = load_predictions(list_models()[0], "PublicTest", "plain")
    expected = cell_faces(answers, answers.names[0], "fear", "sad")
    page = visit("/confusion?m_number=6&m_by=FER2013's label")
    page.wait_for_selector(".js-plotly-plot .heatmaplayer image")
    plot = plot_of(page)
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
    faces = page.locator('[data-testid="stImage"] img[alt^="Face of Row"]')
    faces.nth(5).wait_for()
    rows = [int(re.search(r"Row (\d+)", face.get_attribute("alt")).group(1)) for face in faces.all()[:6]]
    assert rows == expected["row"].head(6).tolist()
