from __future__ import annotations

import gc
import io
import os
import shutil
import weakref

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from fer_core.data import read_image, sample_portrait
from fer_core.faces import preprocess_faces
from fer_core.inference import FaceAnalyzer
from fer_core.store import folders
from fer_core.store.stored_model import WEIGHTS
from pages.parts import pictures as parts
from pages.parts.pictures import SAMPLE, analyze, input_tile
from tests.app.conftest import captions, change_card, charts, pictures, said, ship, upload
from tests.bad_inputs import encoded, good_input

DEFAULT_TITLE = folders.load_model().title
EDITS = {"p_blur": 12.0, "p_brightness": 60.0, "p_contrast": 2.5, "p_noise": 30.0, "p_rotate": 45.0}


def faces(app):
    return app.dataframe[0].value


@pytest.mark.detector
def test_real_results_before_any_click_whatever_the_link_says_and_what_toggles_change(page):
    """No frame of the live camera is offered before there is one."""
    nonsense = {"p_source": "Live", "p_models": "no_such_model", "p_face": "99", "p_blur": "a lot", "p_cover": "hair"}
    app = page(**nonsense, p_evidence="boredom", p_against="boredom", p_flip="perhaps")
    assert "Live" not in app.get("button_group")[0].options
    assert faces(app)["File"].tolist() == ["astronaut.png"]
    assert app.subheader[0].value == "Face 1: happy"
    assert ["happy" in words for words in charts(app)] == [True] * 2
    assert all(pictures(app))
    numbers = [faces(app)["happy"].item()]
    for key in ("p_flip", "p_whole"):
        numbers.append(faces(app.toggle(key=key).set_value(True).run())["happy"].item())
    assert len(set(numbers)) == 3
    assert faces(page(p_flip="true", p_whole="true"))["happy"][0] == numbers[-1]


def test_a_large_face_has_one_answer_before_any_edit(page):
    """Its close-up is reduced, and reducing it alone would move the numbers of this model by more than a point."""
    large = encoded(Image.fromarray(sample_portrait()).resize((1536, 1536)), "PNG")
    ship("vgg16_frozen_faces")
    app = page(p_source="Upload", p_models="VGG16, frozen (faces)")
    upload(app, "p_upload", ("large.png", large))
    above, changed = (words.split(": ", 1)[1] for words in charts(app))
    after, before = changed.split("; before: ")
    assert charts(app)[0].startswith("VGG16, frozen")
    assert above.startswith(after)
    assert after == before


def test_several_models_of_which_one_is_altered_meanwhile(page, second_model):
    app = page(p_models=[DEFAULT_TITLE, "Second model"])
    assert app.subheader[0].value == "Face 1: 2 of 2 models say happy"
    assert list(faces(app)["Model"]) == [DEFAULT_TITLE, "Second model"]
    assert [words.endswith("Second model happy") for words in charts(app)] == [True, True]
    for names, title in ((["second"], "Second model"), ([], DEFAULT_TITLE)):
        assert list(faces(app.get_by_key("p_models").set_value(names).run())["Model"]) == [title]
    app.get_by_key("p_models").set_value([folders.DEFAULT_MODEL, second_model])
    path = folders.promoted() / second_model / WEIGHTS
    content, times = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 2] ^= 1
    for written, says in ((content, "its SHA-256 is not the one in its card"), (b"half", "damaged or was changed")):
        path.write_bytes(written)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert says in said(app.run())
        assert list(faces(app)["Model"]) == [DEFAULT_TITLE]


def test_each_model_shows_what_it_saw_under_its_name_as_it_is(page, second_model):
    spec = folders.load_model(second_model).card.as_dict()["spec"] | {"preprocessing": "equalize"}
    change_card(folders.promoted() / second_model, title="Second *model*", spec=spec)
    app = page(p_models=[DEFAULT_TITLE, r"Second \*model\*"])
    gray = "Face 1, cut out upright in gray"
    assert {gray, f"{gray}, prepared for Second *model*"} <= set(pictures(app))
    assert "What Second \\*model\\* saw: 48 × 48 gray pixels" in captions(app)
    model = folders.load_model("second")
    face = analyze(SAMPLE, model).faces[0]
    np.testing.assert_array_equal(input_tile(face, model)[::7, ::7], preprocess_faces(face.crop[None], "equalize")[0])


def test_pictures_are_gone_with_their_session(page, monkeypatch):
    looks = []
    analyze = FaceAnalyzer.analyze
    monkeypatch.setattr(FaceAnalyzer, "analyze", lambda *args, **more: looks.append(1) or analyze(*args, **more))
    app = page()
    once = len(looks)
    app.run()
    assert len(looks) == once > 0, "in its own session a picture is analysed once"
    begin = LocalScriptRunner.__init__

    def begin_another(runner, *args, **more):
        begin(runner, *args, **more)
        runner._session_id = "another"

    monkeypatch.setattr(LocalScriptRunner, "__init__", begin_another)
    page()
    assert len(looks) == 2 * once, "another session finds nothing of it"


def test_evidence_for_and_against_an_expression(page):
    app, of = page(p_evidence="fear"), f"Activation map of {DEFAULT_TITLE} for"
    assert f"{of} fear" in pictures(app)
    assert any(words.startswith("Little speaks for fear: at most") for words in captions(app))
    for key, value, alt, caption in (
        ("p_evidence", "the prediction", "happy", "Bright places speak for happy"),
        ("p_against", "neutral", "happy against neutral", "Blue places speak for happy, orange ones for neutral"),
        ("p_evidence", "disgust", "disgust against neutral", "Little separates disgust from neutral"),
    ):
        app.selectbox(key=key).set_value(value).run()
        assert f"{of} {alt}" in pictures(app)
        assert caption in captions(app)
    app.selectbox(key="p_evidence").set_value("neutral").run()
    assert "neutral cannot be compared with itself. Choose another expression." in said(app)
    assert not any("map of" in words for words in pictures(app))


def test_an_occlusion_map_is_made_on_demand_and_only_once(page, monkeypatch):
    made, real = [], parts.occlusion_map
    monkeypatch.setattr(parts, "occlusion_map", lambda *args, **more: made.append(1) or real(*args, **more))
    app, of = page(p_against="neutral"), f"Occlusion map of {DEFAULT_TITLE} for"
    assert f"Activation map of {DEFAULT_TITLE} for happy against neutral" in pictures(app)
    assert not made
    app.toggle(key="p_occlusion").set_value(True).run()
    assert f"{of} happy against neutral" in pictures(app)
    assert any(words.startswith("Covering blue places shifts the balance from happy to") for words in captions(app))
    app.selectbox(key="p_against").set_value("all others").run()
    assert f"{of} happy" in pictures(app)
    assert "do not say why, or what the person feels" in said(app)
    assert "6 × 6 cells. The strongest evidence is for happy (100 %" in said(app)
    assert "12 × 12 places. Covering the most important one lowers happy from 9" in said(app)
    app.selectbox(key="p_evidence").set_value("sad").run()
    assert "Covering any place lowers sad by less than 1 point" in captions(app)
    assert len(made) == 1


@pytest.mark.detector
def test_each_control_moves_the_probabilities_by_hand_and_all_by_link(page):
    app = page()

    def last(app) -> str:  # the words are rounded
        return app.get("plotly_chart")[-1].proto.spec

    drawn = [last(app), *(last(app.slider(key=key).set_value(value).run()) for key, value in EDITS.items())]
    drawn.append(last(app.get_by_key("p_cover").set_value(["left half", "right half"]).run()))
    assert len(set(drawn)) == len(drawn)
    linked = page(p_cover=["left half", "right half"], **{key: str(value) for key, value in EDITS.items()})
    assert {key: linked.slider(key=key).value for key in EDITS} == EDITS
    assert last(linked) == drawn[-1]
    assert "no longer finds a face" in said(app.toggle(key="p_again").set_value(True).run())
    app.button(key="p_undo").click().run()
    assert app.get_by_key("p_cover").value == []
    assert last(app) == drawn[0]


@pytest.mark.parametrize("where", ["home", "predict", "tour", "live", "video", "compare"])
def test_without_any_model_says_how_to_get_one(open_app, no_models, where):
    assert "fer-lab train" in open_app(where).info[0].value


def crowd(rows: int, columns: int) -> bytes:
    """Return a picture with the same face many times, as a PNG file."""
    face = np.asarray(Image.open(io.BytesIO(good_input())))
    return encoded(Image.fromarray(np.tile(face, (rows, columns, 1))), "PNG")


@pytest.mark.detector
def test_choosing_among_pictures_and_faces(page):
    app = page(p_source="Upload", p_face="00")
    upload(app, "p_upload", ("group.png", crowd(1, 3)), ("one.jpg", good_input()), ("crowd.png", crowd(4, 5)))
    assert app.subheader[0].value == "Face 1: happy"
    assert list(faces(app)["File"]) == ["group.png"] * 3 + ["one.jpg"] + ["crowd.png"] * 20
    for picture, number in ((0, 3), (1, 1), (2, 20)):
        app.selectbox(key="p_picture").set_value(picture).run()
        if number > 1:
            app.button(key=f"open_p_faces_{number - 1}").click().run()
            assert app.query_params["p_face"] == str(number)
        assert app.subheader[0].value == f"Face {number}: happy"
        assert len(charts(app)) == 2


def test_examples_can_be_tried_also_below_the_uploader(page):
    app = page(p_source="Upload", p_face="3")
    app.button(key="open_examples_1").click().run()
    assert list(faces(app)["File"]) == ["six faces.png"] * 6
    assert app.subheader[0].value.startswith("Face 1: ")
    assert "edited by FER Lab" in said(app)
    assert page(p_example="Nobody").subheader[0].value == "Face 1: happy"


def test_many_models_share_one_chart(page, second_model):
    source = folders.promoted() / second_model
    third = shutil.copytree(source, source.with_name("third"))
    change_card(third, name="third", title="The third")
    ship("vgg16_frozen_faces")
    titles = [DEFAULT_TITLE, "Second model", "The third", "VGG16, frozen (faces)"]
    app = page(p_models=titles)
    assert app.subheader[0].value == "Face 1: 4 of 4 models say happy"
    assert said(app).count("non-commercial research") == 1
    assert len(charts(app)) == 2  # the answers, and those after the changes
    assert charts(app)[0] == "Answers for face 1: " + "; ".join(f"{title} happy" for title in titles)
    assert "as one piece: VGG16" in said(app)
    app.slider(key="p_blur").set_value(20.0).run()
    assert "**4 of 4 models change their answer**" in said(app)
    assert not any("happy" in words for words in charts(app)[1:])


def test_uploads_are_used_up_to_a_sum_of_bytes_and_the_others_are_forgotten(page, monkeypatch):
    content = good_input()
    monkeypatch.setattr(parts, "UPLOAD_MEGABYTES", 2.5 * len(content) / 1e6)
    app = upload(page(p_source="Upload"), "p_upload", *((name, content) for name in ("a.png", "b.png", "c.png")))
    for _ in range(2):  # the sentence stays
        assert "Only the first 2 pictures are used. Expected at most" in said(app.run())
        assert list(faces(app)["File"]) == ["a.png", "b.png"]


@pytest.mark.parametrize("query", [{"p_source": "Upload", "p_blur": "5"}, {"t_source": "Upload"}], ids=str)
def test_no_picture_is_kept_in_its_full_size(open_app, monkeypatch, query):
    alive = []

    def read(*given, **limits):
        image = read_image(*given, **limits)
        alive.append(weakref.ref(image))
        return image

    monkeypatch.setattr(parts, "read_image", read)
    app = open_app("predict" if "p_source" in query else "tour", **query)
    (uploader,) = app.get("file_uploader")
    uploader.upload("a.png", good_input()).run()
    assert alive
    gc.collect()
    assert not [image for image in alive if image() is not None]


def test_not_sure_on_home_and_beside_a_model_that_is_sure(never_sure, open_app, page):
    """No probability reaches the model's threshold."""
    app = page(p_models=never_sure, p_blur="3")
    assert app.subheader[0].value == "Face 1: not sure"
    assert "no expression reaches 100 %" in said(app)
    assert "Picture with numbered boxes: 1 not sure" in pictures(app)
    assert "Still not sure (happy" in said(app)
    assert faces(app)["Expression"].tolist() == ["happy"]
    app.get_by_key("p_models").set_value(["second", folders.DEFAULT_MODEL]).run()
    assert app.subheader[0].value == "Face 1: 1 of 2 models say happy"
    assert said(app).count("no expression reaches") == 1
    (folders.SHIPPED / folders.DEFAULT_MODEL).unlink()  # Home asks the best model
    home = open_app("home")
    assert "Second model says: **not sure**." in said(home)
    assert "no expression reaches 100 %" in said(home)
    assert "labelled not sure" in pictures(home)[0]
