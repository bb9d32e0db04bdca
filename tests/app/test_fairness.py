"""The Fairness page without a browser: FER2013's test faces, which it needs no files for, and own pictures."""

from functools import partial

import pytest
import streamlit as st

from fer_core.store import folders
from tests.app.conftest import SHIPPED_DEFAULT
from tests.fairness.people import write_people, zipped


@pytest.fixture
def page(open_app):
    return partial(open_app, "fairness")


def said(app) -> str:
    return " ".join(block.value for block in [*app.markdown, *app.caption, *app.info, *app.warning])


def alts(app) -> list[str]:
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def test_groups_of_the_test_faces_without_the_dataset_and_choices_by_url(page):
    app = page()
    assert "3,589 faces" in said(app)
    assert "gaps** are larger than chance explains" in said(app)
    assert alts(app)[0].startswith("Recall by brightness: angry, dark")
    assert len(app.dataframe[0].value) == 6, "disgust is too rare to be compared"
    chosen = {"a_groups": "Head roll", "a_crossed": "Contrast", "a_rate": "Accuracy"}
    app = page(**chosen, a_by="Most annotators", a_split="PrivateTest")
    assert alts(app)[0].startswith("Accuracy by roll × contrast")
    app = page(a_rate="Predicted as", a_expression="angry", a_minimum="2000")
    assert alts(app)[0].startswith("Predicted as, angry by brightness")
    assert "no two groups of at least 2000 faces" in said(app)


@pytest.mark.parametrize("source", ["Test faces", "My own pictures"])
def test_a_model_that_starts_from_utkface_says_so(page, source):
    name = "vgg16_frozen_utk"
    (folders.SHIPPED / name).symlink_to(SHIPPED_DEFAULT.with_name(name))
    app = page(a_source=source, a_section="What this can say")
    assert "non-commercial research" not in said(app)
    app.selectbox(key="a_model" if source == "Test faces" else "a_served").set_value(name).run()
    assert not app.exception
    assert "non-commercial research" in said(app)
    assert ("The paper started from ImageNet" in said(app)) == (source == "Test faces")


def test_where_it_fails_most_and_the_limits(page):
    app = page(a_section="Where it fails most")
    assert "It fails most where" in said(app)
    assert alts(app)[0].startswith("Share of wrong predictions by kind of face")
    assert "not a feeling" in said(page(a_section="What this can say"))


def test_own_pictures(page, tmp_path):
    app = page(a_source="My own pictures")
    assert "people.zip" in app.code[0].value
    app.file_uploader(key="a_zip").set_value(("people.zip", b"no zip", "application/zip")).run()
    assert not app.exception
    assert "no folder, zip or Parquet table" in said(app)
    path = zipped(write_people(tmp_path / "people"))
    app.toggle(key="a_whole").set_value(True)
    app.file_uploader(key="a_zip").set_value(("people.zip", path.read_bytes(), "application/zip")).run()
    assert not app.exception
    assert "1 pictures without a known expression" in said(app)
    assert app.selectbox(key="a_groups").options[:2] == ["Gender", "Age"]
    app.number_input(key="a_minimum").set_value(1).run()
    assert alts(app)[0].startswith("Recall by gender")


def test_a_folder_on_this_computer(page, tmp_path, monkeypatch):
    monkeypatch.setattr(type(st.context), "ip_address", None)  # as where the browser runs on the same computer
    app = page(a_source="My own pictures", a_whole="true")
    app.text_input(key="a_folder").set_value(str(write_people(tmp_path / "people"))).run()
    assert not app.exception
    assert "2 faces of your pictures" in said(app)
    app.text_input(key="a_folder").set_value(str(tmp_path / "none")).run()
    assert "nothing at that place" in app.warning[0].value
    monkeypatch.setattr(type(st.context), "ip_address", "192.0.2.7")
    assert not page(a_source="My own pictures").text_input
