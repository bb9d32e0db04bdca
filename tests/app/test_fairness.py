"""The Fairness page without a browser: FER2013's test faces, which it needs no files for, and own pictures."""

import shutil

import pandas as pd
import pytest
import streamlit as st

from fer_core.columns import CONSISTENCY_COLUMNS
from fer_core.store.folders import load_model, update_model
from fer_core.store.stored_model import CONSISTENCY
from tests.app.conftest import charts, pictures, said, ship
from tests.fairness.people import write_people, zipped


def test_groups_of_the_test_faces_without_the_dataset_and_choices_by_url(page):
    app = page(a_by="FER2013's label")
    assert "3,589 faces" in said(app)
    assert "gaps** are larger than chance explains" in said(app)
    assert charts(app)[0].startswith("Recall by brightness: angry, dark")
    assert len(app.dataframe[0].value) == 6, "disgust is too rare to be compared"
    assert "is found in" in app.subheader[0].value
    app.session_state["a_cell"] = (app.dataframe[0].value["lowest"].iloc[0], "sad")  # as a click on a point does
    mistakes = app.run().dataframe[0].value
    assert set(mistakes["actual"]) == {"sad"}
    assert "sad" not in set(mistakes["predicted"])
    chosen = {"a_crossed": "Contrast", "a_rate": "Accuracy", "a_by": "Most annotators"}
    app = page(a_groups="Head roll", **chosen, a_split="PrivateTest")
    assert charts(app)[0].startswith("Accuracy by roll × contrast")
    app = page(a_rate="Predicted as", a_expression="angry", a_minimum="2000")
    assert charts(app)[0].startswith("Predicted as, angry by brightness")
    assert "no two groups of at least 2000 faces" in said(app)


@pytest.mark.parametrize("source", ["Test faces", "My own pictures"])
def test_a_model_that_starts_from_utkface_says_so(page, source):
    name = "vgg16_frozen_faces"
    ship(name)
    app = page(a_source=source, a_section="What this can say")
    assert "non-commercial research" not in said(app)
    app.selectbox(key="a_model" if source == "Test faces" else "a_served").set_value(name).run()
    assert "non-commercial research" in said(app)
    assert ("The paper started from ImageNet" in said(app)) == (source == "Test faces")


def test_where_it_fails_most_and_the_limits(page):
    app = page(a_section="Where it fails most")
    assert "of these faces, and most often where" in app.subheader[0].value
    assert charts(app)[0].startswith("Share of wrong predictions by kind of face")
    assert "not a feeling" in said(page(a_section="What this can say"))


def test_how_often_a_prediction_stays_the_same(page, home):
    shutil.copytree(load_model().folder, home / "models" / "mine")
    model = load_model("mine")
    columns = {"data": "Made-up faces", "by": "age", "change": "blurred", "faces": 40, "low": 0.2, "high": 0.9}
    rates = pd.DataFrame([{**columns, "group": "old", "value": 0.4}, {**columns, "group": "young", "value": 0.8}])
    update_model(model, consistency=rates[CONSISTENCY_COLUMNS])
    app = page(a_section="Changed faces")
    app.selectbox(key="a_model").set_value("mine").run()
    assert "40\u00a0% of the faces that are “old” keep their prediction" in app.subheader[0].value
    assert charts(app)[0].endswith("blurred, old: 40 %; blurred, young: 80 %")
    assert "Made-up faces" in said(app)
    (model.folder / CONSISTENCY).write_text("no table")
    app = page()
    app.selectbox(key="a_model").set_value("mine").run()
    assert f"{CONSISTENCY} of mine is damaged" in said(app)
    assert charts(app)[0].startswith("Recall by brightness"), "the rest of the page does not need that file"


def test_own_pictures(page, tmp_path):
    app = page(a_source="My own pictures", a_whole="true")
    assert "people.zip" in app.code[0].value
    for content, sentence in (
        (b"no zip", "not a zip, or is damaged"),
        (zipped(write_people(tmp_path / "people")).read_bytes(), "1 pictures without a known expression"),
    ):
        app.file_uploader(key="a_zip").upload("people.zip", content).run()
        assert sentence in said(app)
    assert app.selectbox(key="a_groups").options[:2] == ["Gender", "Age"]
    app.number_input(key="a_minimum").set_value(1).run()
    assert charts(app)[0].startswith("Recall by gender")
    app.session_state["a_cell"] = ("female", "happy")  # as a click on a point does
    assert pictures(app.run()) == ["Face of anna.png, labelled happy"]
    app.button(key="open_faces_0").click().run()
    assert any(words.startswith("Small CNN") for words in charts(app))


def test_a_folder_on_this_computer(page, tmp_path, monkeypatch):
    monkeypatch.setattr(type(st.context), "ip_address", None)  # as where the browser runs on the same computer
    app = page(a_source="My own pictures", a_whole="true")
    for place, sentence in (("people", "2 faces of your pictures"), ("none", "nothing at that place")):
        write_people(tmp_path / "people")
        app.text_input(key="a_folder").set_value(str(tmp_path / place)).run()
        assert sentence in said(app)
