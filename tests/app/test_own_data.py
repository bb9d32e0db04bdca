"""Data sets of one's own on Compare, Confusion, Fairness, Dataset and Fine-tune, without FER2013."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from fer_core.labels import EXPRESSIONS
from fer_core.measuring.own_data import is_measured
from fer_core.measuring.robustness import own_degraded
from fer_core.store.datasets import add_dataset, find_dataset, remove_dataset
from fer_core.store.folders import load_model, promoted
from tests.app.conftest import SHIPPED_DEFAULT, at_section, charts, pictures, said
from tests.own_data import noise, raf_db, save


@pytest.fixture
def raf(own_home, tmp_path):
    return add_dataset("raf", raf_db(tmp_path / "raf", noise(8)), whole_image=True)


def tabs(app):
    return [tab.label for tab in app.tabs]


def test_compare_measures_models_on_demand_and_leaves_out_what_is_fer2013s(open_app, raf):
    second = promoted() / "compact_cnn"
    shutil.copytree(SHIPPED_DEFAULT.parent / "compact_cnn", second)
    app = open_app("compare", c_split="raf")
    assert "Judged by the labels of raf, on 28 faces (Test of raf)." in said(app)
    assert "Test of raf, plain, judged by the labels of raf" in said(app)
    assert "Paper" not in tabs(app)
    with pytest.raises(KeyError):
        app.get_by_key("c_by")
    assert is_measured(load_model(), raf, "plain")
    assert not is_measured(load_model("compact_cnn"), raf, "plain")
    assert list(app.multiselect(key="c_models").options) == [load_model().title]
    app.button(key="c_measure").click().run()
    assert not app.exception
    assert is_measured(load_model("compact_cnn"), raf, "plain")
    assert load_model("compact_cnn").title in app.multiselect(key="c_models").options
    for section in ("Calibration", "Significance", "ROC and PR"):
        assert charts(at_section(app, "c_section", section)), section
    assert "with `fer-lab evaluate NAME --degraded --on raf`" in said(at_section(app, "c_section", "Robustness"))
    own_degraded(load_model(), raf)
    app = open_app("compare", c_split="raf", c_section="Robustness")
    assert "On 28 fixed faces (Test of raf)" in said(app)
    assert any("on degraded faces" in alt for alt in charts(app))
    assert "Paper" in tabs(open_app("compare", c_split="gone", c_section="Paper")), "PublicTest is shown"
    app.get_by_key("c_split").set_value("PublicTest").run()
    assert not app.exception
    assert "Paper" in tabs(app)


def test_confusion_shows_the_faces_of_a_cell(open_app, raf):
    app = open_app("confusion", m_split="raf")
    table = app.dataframe[-1].value
    assert len(table) == 16
    assert "annotators" not in app.dataframe[-1].proto.columns or "raf has no votes" in said(app)
    labels = raf.tests().labels
    assert [EXPRESSIONS[labels[row]] for row in table["row"]] == table["label"].tolist()
    assert len(pictures(app)) >= 16
    assert "Confusion of" in charts(app)[0]
    assert "Test of raf" in charts(app)[0]


def test_fairness_divides_by_the_groups_of_the_table(open_app, own_home, tmp_path):
    rows = []
    for place, (face, label) in enumerate(zip(noise(4).images, noise(4).labels, strict=True)):
        save(face, tmp_path / "p" / f"{place}.png")
        rows.append((f"{place}.png", EXPRESSIONS[label], "young" if place % 2 else "old"))
    pd.DataFrame(rows, columns=["file", "expression", "generation"]).to_csv(tmp_path / "p" / "t.csv", index=False)
    add_dataset("people", tmp_path / "p", whole_image=True)
    app = open_app("fairness", a_split="people", a_minimum="1")
    assert app.selectbox(key="a_groups").options[0] == "Generation"
    assert "28 faces, all faces of people" in said(app)
    assert "FER2013 says nothing" not in said(app)


def test_dataset_browses_and_fine_tune_learns_from_it(open_app, raf):
    app = open_app("dataset", d_of="raf", d_section="Faces")
    assert "56 faces" in said(app)
    assert "Published results" not in tabs(app)
    assert app.selectbox(key="d_split").options == ["any", "Training", "Test"]
    assert any("DATASET/t" in words for words in pictures(app))
    app = open_app("dataset", d_section="Hardest faces", d_hard_split="raf")
    table, labels = app.dataframe[0].value, raf.tests().labels
    assert [EXPRESSIONS[labels[row]] for row in table["row"]] == table["label"].tolist()
    assert len(pictures(app)) == len(table) > 0
    app = open_app("finetune", f_source="Own data set")
    assert app.selectbox(key="f_dataset").value == "raf"
    assert any(alt.startswith("Faces to train on: angry 3") for alt in charts(app))


def test_without_the_data_set_in_the_link_the_page_shows_fer2013(open_app, raf):
    remove_dataset("raf")
    app = open_app("compare", c_split="raf")
    assert app.get_by_key("c_split").value == "PublicTest"
    with pytest.raises(ValueError, match="There is no data set"):
        find_dataset("raf")


def test_quiz_asks_about_its_faces_without_fer2013(open_app, raf):
    app = open_app("quiz", q_of="raf")
    for place in range(10):
        app.button(key=f"q_say_{place}_happy").click().run()
        app.button(key=f"q_next_{place}").click().run()
        assert not app.exception
    labels = [picture.split("labelled ")[1] for picture in pictures(app)]
    assert len(labels) == 10
    assert app.header[0].value.startswith(f"You {labels.count('happy')}, model ")
    assert "raf has no votes of annotators" in said(app)
    host = open_app("lecture", screen="class", q_of="raf")
    host.button(key="quiz_open").click().run()
    student = open_app("quiz", q_room=host.title[1].value)
    student.button[0].click().run()
    host.button(key="stage_next").click().run()
    student.run().button(key="q_say_0_happy").click().run()
    assert "1 of 1 have answered" in said(host.run())
    remove_dataset(raf.name)
    for screen, words in (("class", "There is no data set"), ("picture", "Ask: what does the computer get")):
        host.query_params["screen"] = screen
        assert words in said(host.run())
        assert host.button(key="stage_next"), "the lecture goes on"
