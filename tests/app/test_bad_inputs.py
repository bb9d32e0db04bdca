import io
import re
import zipfile
from types import SimpleNamespace

from PIL import Image

from fer_core.labels import EXPRESSIONS, NOT_SURE
from fer_core.store.folders import load_model
from pages.parts.pictures import Picture, analyze, annotated_download
from tests.app.conftest import upload
from tests.bad_inputs import bad_inputs, encoded, good_input

BAD = [(name, content) for name, content, expected in bad_inputs().values() if expected == "error"]
ODD = [(name, content) for name, content, expected in bad_inputs().values() if expected == "ok"]


def test_all_of_them_in_one_batch_on_the_page(open_app):
    assert min(len(BAD), len(ODD)) >= 20
    app = upload(open_app("predict", p_source="Upload"), "p_upload", *BAD, *ODD, ("good.jpg", good_input()))
    (box,) = app.warning
    heading, _, *sentences = re.sub(r"\\(.)", r"\1", box.value).splitlines()
    assert heading == f"{len(BAD)} of {len(BAD) + len(ODD) + 1} files cannot be used:"
    assert len(sentences) == len(BAD), "each has one sentence of one line"
    for name, _ in BAD:
        assert any(sentence.startswith(f"- {name} is") for sentence in sentences)
    table = app.dataframe[0].value
    assert list(table["File"]) == [*(name for name, _ in ODD), "good.jpg"]
    assert set(table["Expression"]) == {"happy"}
    assert len(app.get("plotly_chart")) == 2  # one picture at a time, however many there are
    app.selectbox(key="p_picture").set_value(len(BAD) + len(ODD)).run()
    assert app.subheader[0].value == "Face 1: happy"


def test_a_picture_without_a_face_offers_to_take_it_whole(open_app):
    wall = encoded(Image.new("RGB", (200, 200), "gray"), "PNG")
    app = upload(open_app("predict", p_source="Upload"), "p_upload", ("wall.png", wall))
    assert "No face was found" in app.info[0].value
    app.button(key="p_take_whole").click().run()
    assert app.toggle(key="p_whole").value is True
    assert app.subheader[0].value in {name.capitalize() for name in (*EXPRESSIONS, NOT_SURE)}


def test_annotated_pictures_are_one_png_or_a_zip():
    odd = [Picture(name, name, SimpleNamespace(getvalue=good_input)) for name in ("../face.jpg", "<b>*.jpg")]
    results = [analyze(one, load_model()) for one in odd]
    with zipfile.ZipFile(io.BytesIO(annotated_download(odd, results))) as archive:
        assert len(archive.namelist()) == 2
    assert annotated_download(odd[:1], results[:1]).startswith(b"\x89PNG")
