"""The map of faces on the Dataset page without a browser: with and without FER2013, selections, damaged files."""

import shutil
from functools import partial

import pytest

from fer_core.columns import PROBABILITIES
from fer_core.store.folders import load_model, promoted
from fer_core.store.stored_model import FACE_MAP


@pytest.fixture
def page(opened_without_error):
    return partial(opened_without_error, "dataset")


@pytest.fixture
def real(monkeypatch, fer2013_path, ferplus_path):
    """FER2013 itself with FER+'s votes, which belong to no other faces."""
    monkeypatch.setenv("FER2013_PATH", str(fer2013_path))
    monkeypatch.setenv("FERPLUS_PATH", str(ferplus_path))


def said(app) -> str:
    return " ".join(block.value for block in [*app.markdown, *app.caption, *app.info])


def selected(app, rows):
    """AppTest cannot draw a lasso, so hand over the rows that one would select."""
    app.session_state["d_map_rows"] = rows
    app.run()
    assert not app.exception
    return said(app)


def test_a_map_without_fer2013_shows_results_and_says_what_is_missing(page):
    app = page(d_section="Map of faces")
    assert app.get("plotly_chart")[0].proto.alt.startswith("Map of 7,178 faces by the features of Compact CNN")
    assert "No face is selected" in said(app)
    assert "Pictures of the faces need FER2013" in said(app)
    assert "hover_faces" not in {component.key for component in app.get("bidi_component")}
    assert app.selectbox(key="d_map_color").options == [
        "FER2013's label", "most annotators", "prediction", "right or wrong"
    ]  # fmt: skip
    words = selected(app, list(range(28709, 28809)))
    table = load_model().predictions("public_test").head(100)
    right = (table[PROBABILITIES].to_numpy().argmax(axis=1) == table["label"]).sum()
    assert f"is right on **{right} of 100 faces" in words
    assert "Fewer than 20 faces are too few for F1 to say much: " in words
    assert app.dataframe[0].value["faces"].sum() == 100
    app.button[0].click().run()
    assert "No face is selected" in said(app)
    app.get_by_key("d_map_by").set_value("plurality").run()
    table = load_model().predictions("public_test")
    unclear = table.loc[table["plurality"] < 0, "row"].tolist()[:5]
    assert "None of the selected faces has one clear answer" in selected(app, unclear)
    assert "of 1 faces" in selected(app, [*unclear, int(table.loc[table["plurality"] >= 0, "row"].iloc[0])])


def test_a_map_with_fer2013_shows_pictures_and_agreement(page, real):
    app = page(d_section="Map of faces", d_map_color="annotators' agreement", d_map_split="PrivateTest")
    assert app.get("plotly_chart")[0].proto.alt == (
        f"Map of 3,589 faces by the features of {load_model().title}; coloured by annotators' agreement"
    )
    assert "Pictures of the faces need FER2013" not in said(app)
    assert "hover_faces" in {component.key for component in app.get("bidi_component")}
    words = selected(app, [28709, *range(35000, 35010)])
    assert "of 10 faces" in words, "the first is of PublicTest"
    assert len(app.get("image")) == 10


def test_a_damaged_map_or_none_is_one_sentence(page, own_home):
    mine = promoted() / load_model().name
    shutil.copytree(load_model().folder, mine)
    (mine / FACE_MAP).write_bytes(b"PAR1 half")
    app = page(d_section="Map of faces")
    assert "map.parquet" in app.warning[0].value
    assert not app.get("plotly_chart")
    (mine / FACE_MAP).unlink()
    assert "No model has a map of faces yet" in page(d_section="Map of faces").info[-1].value
