"""Names that people give cannot bring markup into a page: they are shown as they were typed."""

import re
import shutil

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.store import folders
from pages.parts.common import plain
from tests.app.conftest import change_card
from tests.app.made_up_runs import made_run
from tests.fairness.people import write_people, zipped
from tests.made_up_store import add_models

TITLE = "<script>alert(1)</script> $x^2$ :material/home: [l](javascript:alert(1)) **b**"
READS_MARKDOWN = (
    "markdown", "caption", "title", "header", "subheader", "info", "warning", "error", "success", "metric", "button",
    "expander", "toggle", "checkbox", "button_group", "tabs",
)  # fmt: skip
"""Elements of which Streamlit reads a text as Markdown."""


@pytest.fixture
def named(own_home) -> None:
    """Models and a run with markup in their names; the default model is one of them."""
    add_models(folders.promoted())
    for name in ("second", folders.DEFAULT_MODEL):
        shutil.copytree(folders.SHIPPED / folders.DEFAULT_MODEL, folders.promoted() / name)
    for folder in folders.promoted().iterdir():
        change_card(folder, name=folder.name, title=f"{TITLE} {folder.name}")
    made_run("stopped", TITLE, f"Stopped in {TITLE}.", epochs=2)


def read_as_markdown(app) -> str:
    """Return all texts of the page that are read as Markdown."""
    texts = []
    for kind in READS_MARKDOWN:
        for element in app.get(kind):
            proto = element.proto
            texts += [str(getattr(proto, name, "")) for name in ("body", "label")]
            texts += [option.content for option in getattr(proto, "options", ()) if hasattr(option, "content")]
    return "\n".join(texts)


def unescaped(markdown: str) -> str:
    return re.sub(r"\\(.)|\u2060", r"\1", markdown)


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("home", {}),
        ("tour", {}),
        ("predict", {"p_models": [plain(f"{TITLE} {name}") for name in ("second", folders.DEFAULT_MODEL)]}),
        ("compare", {"c_fuse": [plain(f"{TITLE} {name}") for name in ("one", "two")]}),
        ("compare", {"c_section": "Model cards", "c_card": "able"}),
        ("confusion", {}),
        ("fairness", {}),
        ("finetune", {"f_tab": "Runs"}),
    ],
)
def test_a_title_is_shown_as_it_was_typed(named, open_app, page, query):
    app = open_app(page, **query)
    said = read_as_markdown(app)
    for part in TITLE.split():
        assert part not in said, "it is read as markup"
    if page not in ("fairness", "tour"):  # these show it in a list, which reads no Markdown
        assert TITLE in unescaped(said) or any(TITLE in str(frame.value) for frame in app.dataframe), (
            "the title is shown"
        )


def test_cells_of_a_table_and_names_of_pictures_are_shown_as_they_are(open_app, tmp_path):
    cell, name = "<b>x</b> **b** $y$", "<i>anna<i> [l](javascript:alert(1)).png"
    lines = ["file,a$b$,expression", f"anna.png,{cell},happy", f"ben.png,{cell} too,sad", f"{name},{cell},happy"]
    table = "\n".join([*lines, f"cleo.png,{cell},"])
    path = zipped(write_people(tmp_path / "people", table))
    app = open_app("fairness", a_source="My own pictures", a_minimum="1", a_rate="Accuracy")
    app.toggle(key="a_whole").set_value(True)
    app.file_uploader(key="a_zip").set_value(("people.zip", path.read_bytes(), "application/zip")).run()
    said = read_as_markdown(app)
    for part in (*cell.split(), *name.split(), "a$b$"):
        assert part not in said, "it is read as markup"
    assert name in unescaped(said), "a note names the picture that is missing"
    (chart,) = app.get("plotly_chart")
    assert "<b>x" not in chart.proto.spec and "&lt;b&gt;x" in chart.proto.spec


def test_markup_is_taken_apart_and_reads_the_same_and_ordinary_names_stay_as_they_are():
    for text in ("<b>x</b>", "$x$", "**b**", "[l](x)", ":red[r]", ":material/home:", "1. one", "a -> b"):
        assert text not in plain(text)
        assert unescaped(plain(text)) == text
    for text in ("Small CNN (votes), 2", "50 %", "Zoë’s faces. Third"):
        assert plain(text) == text


def test_names_in_a_table_are_text_for_a_spreadsheet():
    """Streamlit offers each table as CSV."""

    page = """
import pandas as pd
from pages.parts.common import show_table
show_table(pd.DataFrame({"name": ["=1+1", "Anna"], "gap": [-1.5, 2.0]}), "People", {"name": "Name", "gap": "Gap"})
"""
    (table,) = AppTest.from_string(page).run().dataframe
    assert table.value.to_numpy().tolist() == [["'=1+1", -1.5], ["Anna", 2.0]]
