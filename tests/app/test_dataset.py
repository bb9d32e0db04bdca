"""The Dataset page without a browser: FER2013 and own pictures, filters, preparation, labels, and the map of faces."""

import io
import shutil
import zipfile

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from fer_core.columns import PROBABILITIES
from fer_core.faces import known_roll
from fer_core.measuring.face_table import MEASURES
from fer_core.metrics.confusion import HARDEST
from fer_core.store.folders import load_model, promoted
from fer_core.store.stored_model import FACE_MAP
from fer_core.training.augmentation import AS_THE_ABSTRACT, AS_THE_PAPER, ROBUST
from fer_core.types import FerError
from pages.parts import dataset
from tests.app.conftest import at_section, captions, charts, pictures, said
from tests.app.made_up_runs import portrait, zipped
from tests.bad_inputs import encoded
from tests.made_up_store import add_model

OF_FER2013 = ["Map of faces", "Labels and votes", "Hardest faces", "Copies", "Published results"]
WALL = encoded(Image.new("RGB", (200, 150), "gray"), "PNG")
PORTRAITS = {f"{name}__{turn}": portrait(turn, name == "sad") for name in ("happy", "sad") for turn in (0, 8)}


def tabs(app) -> list[str]:
    return [tab.label for tab in app.tabs]


def test_without_fer2013_it_says_how_to_get_it_and_shows_what_needs_no_faces(page):
    app = page()
    assert "`fer-lab data download`" in app.info[0].value
    assert tabs(app) == [name for name in OF_FER2013 if name != "Labels and votes"]
    at_section(app, "d_section", "Copies")
    assert "**280 faces of PublicTest** have equal pixels in Training, and **209 more**" in said(app)
    at_section(app, "d_section", "Published results")
    assert app.table[0].value.shape[0] > 5


def test_a_click_on_a_bar_opens_its_faces(page, made_up):
    app = page()
    app.session_state["d_section"], app.session_state["d_label"] = "Faces", "sad"  # as the click does
    assert "of 213 faces" in app.run().subheader[0].value
    assert {picture.rsplit(" ", 1)[1] for picture in pictures(app)} == {"sad"}


def test_classes_filters_and_pages_of_faces(page, made_up):
    app = page(d_section="Classes", d_split="PublicTest", d_label="sad")
    assert tabs(app) == ["Classes", "Faces", "Preparation", *OF_FER2013]
    assert charts(app)[0].startswith("Faces by expression and split")
    assert app.dataframe[0].value["all"].sum() == 213
    at_section(app, "d_section", "Faces")
    assert app.subheader[0].value == "15 of 213 faces"
    assert "No face passes" in said(app.selectbox(key="d_said").set_value("disgust").run())
    for key, value in (("d_said", "any"), ("d_label", "any"), ("d_split", "PrivateTest")):
        app.selectbox(key=key).set_value(value)
    app.run().number_input(key="d_page").set_value(5).run()
    assert len(app.get("image")) == 105 - 4 * 24
    at_section(app, "d_section", "Labels and votes")
    assert "votes" in app.info[0].value
    assert not charts(app)


def test_filters_of_fer2013_by_votes_prediction_and_ranges(page, real):
    part, roll = real.split("public_test"), known_roll(real.rows)
    differing = (part.plurality >= 0) & (part.plurality != part.labels)
    app = page(d_section="Faces", d_split="PublicTest", d_differing="true")
    assert f"{differing.sum():,} of 35,887 faces" in said(app)
    app.selectbox(key="d_split").set_value("any")
    app.toggle(key="d_differing").set_value(False)
    app.slider(key="d_roll").set_value((20, 45)).run()
    assert f"{(roll >= 20).sum():,} of 35,887 faces · Head roll, degrees 20 to 45" in said(app)
    assert f"{np.isnan(roll).sum():,} of 35,887 faces have no head roll" in said(app)
    by_roll = {"d_order": "Head roll, degrees", "d_falling": "true"}
    app = page(d_section="Faces", d_roll=["-5", "5"], d_brightness=["0", "40"], **by_roll)
    dark = real.images.mean(axis=(1, 2)) <= 40
    assert f"{(dark & (abs(roll) <= 5)).sum():,} of 35,887 faces" in said(app)
    app.button(key="open_dataset_0").click().run()
    assert app.table[0].value.loc["Head roll"].item() == "5°"
    for name in ("roll", "brightness"):
        app.slider(key=f"d_{name}").set_value((MEASURES[name].low, MEASURES[name].high))
    for name in ("copies", "wrong"):
        app.toggle(key=f"d_{name}").set_value(True)
    app.run()
    assert app.button(key="open_dataset_0")


def test_labels_beside_the_annotators_and_pictures_with_two_labels(page, real):
    app = page(d_section="Labels and votes", d_truth="PublicTest")
    assert charts(app)[0].startswith("FER2013’s label against what most annotators say")
    table = app.dataframe[0].value.set_index("label")
    assert table.loc["all", "faces"] == 3589
    assert table.loc["all", "same"] == pytest.approx(65.4, abs=0.05)
    assert "on 65.4 % of the faces" in said(app)
    for order in ("divided", "alone", "agreed"):
        app.get_by_key("d_contested").set_value(order).run()
    assert "have different labels" in said(at_section(app, "d_section", "Copies"))


def test_accuracy_without_copies_and_the_hardest_faces(page, made_up, three):
    add_model(promoted(), "other", weights_from="utkface")
    app = page(d_section="Copies", d_copies_split="PrivateTest", d_hard_split="PrivateTest")
    table = app.dataframe[1].value
    assert {"The able one", "The fair one", "The weak one", "The other one"} <= set(table["model"])
    assert "non-commercial research" in said(app)
    assert (table["no_near_faces"] <= table["no_exact_faces"]).all()
    at_section(app, "d_section", "Hardest faces")
    for order, words in HARDEST.items():
        app.get_by_key("d_hardest").set_value(order).run()
        for part in ("non-commercial research", f"{words}: ", "PrivateTest, plain"):
            assert part in said(app)


def test_what_networks_see_and_what_is_detected(page, made_up):
    app = page(d_section="Preparation", d_prepared="sad", d_face="2")
    assert {"Histogram equalized", "CLAHE", "Noise"} <= set(captions(app))
    for part in ("48 × 48 × 3, BGR", "64 × 64 × 3, RGB", "160 × 160 × 3, RGB"):
        assert part in said(app)
    assert app.number_input(key="d_face").value == 2
    app.get_by_key("d_step").set_value("Face detection").run()
    assert "No face is detected in 6 of 6 pictures" in said(app)


def test_augmented_copies_are_drawn_once_for_24_faces_also_after_a_failure(page, made_up, monkeypatch):
    calls = []

    def draw(faces, kinds, count):
        calls.append((faces.shape, kinds, count))
        if len(calls) == 1:
            raise FerError("Keras could not be started.")
        return [np.zeros((len(faces), count, kind.crop, kind.crop), np.uint8) for kind in kinds]

    monkeypatch.setattr(dataset, "augmented_copies", draw)
    app = page(d_section="Preparation", d_step="Augmentation")
    app.button(key="d_draw").click().run()
    assert app.warning[0].value == "Keras could not be started."
    app.run()
    app.button(key="d_draw").click().run()
    app.number_input(key="d_face").set_value(24).run()
    app.session_state["d_augmentation"] = "As in the paper"
    app.run()
    assert calls == 2 * [((24, 48, 48), (ROBUST, AS_THE_PAPER, AS_THE_ABSTRACT), 12)]
    assert captions(app) == ["as stored", *(f"copy {number}" for number in range(1, 13))]
    assert "rotated by up to 15°" in said(app)
    app.number_input(key="d_face").set_value(25).run()
    assert [button.key for button in app.button] == ["d_draw"]


def test_own_pictures_get_the_same_tools(page):
    """Four portraits, and a picture without a face, after zips that cannot be used."""
    app = page(d_of="My own pictures", d_label="happy", d_order="Head roll, degrees", d_falling="true")
    for content, sentence in (
        (b"not a zip", "not a zip"),
        (zipped(happy__1=WALL), "only one class"),
        (zipped(happy__1=WALL, happy__2=WALL, sad__1=WALL, sad__2=WALL), "No face was found"),
        (zipped(holiday__1=portrait()), "Expected a folder for each expression"),
    ):
        app.file_uploader(key="d_zip").upload("mine.zip", content).run()
        assert sentence in app.warning[0].value
        assert not app.tabs
    app.file_uploader(key="d_zip").upload("my [faces].zip", zipped(**PORTRAITS, sad__wall=WALL)).run()
    assert tabs(app) == ["Classes", "Faces", "Preparation"]
    assert app.dataframe[0].value.loc["My own pictures", ["happy", "sad", "all"]].tolist() == [2, 2, 4]
    assert "sad/wall shows no face" in said(app)
    at_section(app, "d_section", "Faces")
    assert sorted(pictures(app)) == ["Face of happy/0, labelled happy", "Face of happy/8, labelled happy"]
    assert "d_said" not in [box.key for box in app.selectbox]
    at_section(app, "d_section", "Preparation").get_by_key("d_step").set_value("Face detection").run()
    assert "**sad/8**, 1 face" in said(app)
    assert {"Before", "Detected", "Upright", "Input", "Closer", "Aligned"} == set(captions(app))


def test_a_folder_on_this_computer(page, tmp_path, monkeypatch):
    monkeypatch.setattr(type(st.context), "ip_address", None)  # as where the browser runs on the same computer
    with zipfile.ZipFile(io.BytesIO(zipped(**PORTRAITS))) as archive:
        archive.extractall(tmp_path / "faces")
    app = page(d_of="My own pictures")
    app.text_input(key="d_folder").set_value(str(tmp_path / "faces")).run()
    assert app.dataframe[0].value["all"].tolist() == [4]
    assert "nothing at that place" in said(app.text_input(key="d_folder").set_value(str(tmp_path / "none")).run())


@pytest.mark.parametrize(("address", "url"), [("192.0.2.7", None), (None, "https://fer.example.org/dataset")])
def test_others_are_not_asked_for_folders_of_the_server(open_app, monkeypatch, address, url):
    monkeypatch.setattr(type(st.context), "ip_address", address)
    monkeypatch.setattr(type(st.context), "url", url)
    assert not open_app("dataset", d_of="My own pictures").text_input
    assert not open_app("fairness", a_source="My own pictures").text_input


def selected(app, rows):
    """AppTest cannot draw a lasso, so hand over the rows that one would select."""
    app.session_state["d_map_rows"] = rows
    return said(app.run())


def test_a_map_without_fer2013_shows_results_and_says_what_is_missing(page):
    app = page(d_section="Map of faces")
    assert charts(app)[0].startswith("Map of 7,178 faces by the features of Small CNN")
    assert "d_map_which" not in app.session_state
    assert "Pictures of the faces need FER2013" in said(app)
    assert "hover_faces" not in {component.key for component in app.get("bidi_component")}
    assert "annotators' agreement" not in app.selectbox(key="d_map_color").options
    app.get_by_key("d_map_by").set_value("label")
    words = selected(app, list(range(28709, 28809)))
    table = load_model().predictions("public_test").head(100)
    right = (table[PROBABILITIES].to_numpy().argmax(axis=1) == table["label"]).sum()
    assert f"is right on **{right} of 100 faces" in words
    assert app.dataframe[0].value["faces"].sum() == 100
    assert "100 faces" not in said(app.button[0].click().run())
    app.get_by_key("d_map_by").set_value("plurality").run()
    table = load_model().predictions("public_test")
    unclear = table.loc[table["plurality"] < 0, "row"].tolist()[:5]
    assert "None of the selected faces has one clear answer" in selected(app, unclear)
    assert "of 1 faces" in selected(app, [*unclear, int(table.loc[table["plurality"] >= 0, "row"].iloc[0])])


def test_a_map_with_fer2013_shows_pictures_and_agreement(page, real):
    app = page(d_section="Map of faces", d_map_color="annotators' agreement", d_map_split="PrivateTest")
    assert charts(app)[0].startswith("Map of 3,589 faces by")
    assert charts(app)[0].endswith("; coloured by annotators' agreement")
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
    assert not charts(app)
    (mine / FACE_MAP).unlink()
    assert "No model has a map of faces yet" in said(app.run())
