"""The report in a real browser without network: charts are drawn, and a click in a legend shows and hides models."""

import pytest
from PIL import Image

from fer_core.sections.html import write_html
from fer_core.sections.results import build_report
from fer_core.store import folders
from fer_core.store.folders import list_models, promoted
from tests.browser.conftest import PATIENCE, box_of, until
from tests.made_up_store import add_model

pytestmark = pytest.mark.browser

CHARTS = 1 + 1 + 7 + 1 + 1 + 1 + 8 + 1 + 1
LINK = '<a href="https://example.org">here</a> <script>alert(1)</script>'


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The file of the report on eight models."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(folder / "home"))
        patch.setattr(folders, "SHIPPED", folder / "shipped")
        for place in range(8):
            add_model(promoted(), f"m{place}", skill=1 + place / 4, title=LINK if place == 7 else f"The m{place} one")
        return write_html(build_report(list_models()[0], "PublicTest"), folder / "report.html")


@pytest.fixture
def opened(report, browser):
    """Open the report in a window of some width; return the page, and what went wrong so far."""
    pages = []

    def window(width):
        page, wrong = browser.new_page(viewport={"width": width, "height": 900}), []
        pages.append(page)
        page.context.set_offline(True)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda request: request.url.startswith(("file:", "blob:")) or wrong.append(request.url))
        page.goto(report.as_uri(), timeout=PATIENCE)
        until(page, lambda: page.evaluate("charts.size") == CHARTS)
        return page, wrong

    yield window
    for page in pages:
        page.close()


def shown(page, name):
    """Return the names of the models that a chart draws."""
    plot = page.locator(f'[data-name="{name}"]')
    found = plot.evaluate("plot => plot._fullData.filter(one => one.visible === true && one.name).map(one => one.name)")
    return {title for title in found if title.startswith(("The ", "&lt;"))}


@pytest.mark.parametrize("width", [1280, 400])
def test_it_works_without_network(opened, width):
    page, wrong = opened(width)
    assert page.locator(".js-plotly-plot").count() == CHARTS
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("svg a").count() == 0
    page.locator('[data-name="accuracy"]').hover()
    with page.expect_download(timeout=PATIENCE) as download:
        page.locator('[data-name="accuracy"] [data-title*="PNG"]').click()
    assert download.value.suggested_filename == "accuracy.png"
    assert Image.open(download.value.path()).height > 600
    for svg in page.locator(".chart > .plot-container").all():
        assert box_of(svg)["width"] <= width
    assert page.locator('[data-name="accuracy"] .ytick').first.text_content().replace(" ", "") == LINK.replace(" ", "")
    assert wrong == []


def test_a_click_in_the_legend_hides_and_shows_a_model(opened):
    page, wrong = opened(1280)
    before, plot = shown(page, "roc-pr-happy"), page.locator('[data-name="roc-pr-happy"]')
    assert len(before) == 5
    for title in ("The m1 one", "The m5 one"):  # one that is shown at first, and one that is not
        plot.locator(".legend .traces", has_text=title).locator(".legendtoggle").click()
        until(page, lambda title=title: (title in before) != (title in shown(page, "roc-pr-happy")))
    after = before - {"The m1 one"} | {"The m5 one"}
    assert shown(page, "roc-pr-happy") == after
    assert shown(page, "roc-pr-sad") == before
    tall = box_of(plot)["height"]
    page.set_viewport_size({"width": 400, "height": 900})  # the layout of a phone, with the same models
    until(page, lambda: box_of(plot)["height"] > 1.5 * tall)
    assert shown(page, "roc-pr-happy") == after
    assert wrong == []


def test_on_paper_charts_fit_and_list_only_what_they_show(opened):
    page, wrong = opened(1280)
    names = page.locator('[data-name="roc-pr-happy"] .legend .traces')
    assert names.count() == 8
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    until(page, lambda: names.count() == 5)
    assert not page.locator(".modebar-container").first.is_visible()
    assert max(box_of(box)["width"] for box in page.locator(".chart").all()) <= 690
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    until(page, lambda: names.count() == 8)
    assert wrong == []
