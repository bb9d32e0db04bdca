from __future__ import annotations

import io
import re
import zipfile

import pytest
from PIL import Image

from fer_core.store.folders import load_model
from pages.parts.pictures import Picture, analyze, annotated_download
from tests.bad_inputs import bad_inputs, encoded, good_input

BAD = {what: (name, content) for what, (name, content, expected) in bad_inputs().items() if expected == "error"}
ODD = {what: (name, content) for what, (name, content, expected) in bad_inputs().items() if expected == "ok"}


class Upload:
    """What the page needs of Streamlit's uploaded file."""

    def __init__(self, content: bytes) -> None:
        self.getvalue = lambda: content


def picture(what: str, name: str, content: bytes) -> Picture:
    return Picture(name, f"bad inputs {what}", Upload(content))


def unescaped(markdown: str) -> str:
    return re.sub(r"\\(.)", r"\1", markdown)


def upload(app, files):
    for name, content in files:
        app.file_uploader(key="p_upload").upload(name, content)
    return app.run()


@pytest.mark.parametrize("what", ODD)
def test_readable_is_predicted(what):
    result = analyze(picture(what, *ODD[what]), load_model())
    assert result.error is None
    assert len(result.faces) == 1
    assert result.faces[0].expression == "happy"


def test_all_of_them_in_one_batch_on_the_page(predict):
    assert len(BAD) + len(ODD) >= 40
    assert len(BAD) >= 20
    app = upload(predict(p_source="Upload"), [*BAD.values(), *ODD.values(), ("good.jpg", good_input())])
    assert not app.exception
    (box,) = app.warning
    heading, _, *sentences = unescaped(box.value).splitlines()
    assert heading == f"{len(BAD)} of {len(BAD) + len(ODD) + 1} files cannot be used:"
    assert len(sentences) == len(BAD), "each has one sentence of one line"
    for name, _ in BAD.values():
        assert any(sentence.startswith(f"- {name} is") for sentence in sentences)
    table = app.dataframe[0].value
    assert list(table["File"]) == [*(name for name, _ in ODD.values()), "good.jpg"]
    assert len(app.get("plotly_chart")) == 2  # one picture at a time, however many there are
    app.selectbox(key="p_picture").set_value(len(BAD) + len(ODD)).run()
    assert not app.exception
    assert app.subheader[0].value == "Face 1: happy"


def test_a_picture_without_a_face_offers_to_take_it_whole(predict):
    wall = encoded(Image.new("RGB", (200, 200), "gray"), "PNG")
    app = upload(predict(p_source="Upload"), [("wall.png", wall)])
    assert not app.exception
    assert "No face was found" in app.info[0].value
    app.button(key="p_take_whole").click().run()
    assert not app.exception
    assert app.toggle(key="p_whole").value is True
    assert app.subheader[0].value.startswith("Face 1: ")


def test_annotated_pictures_are_one_png_or_a_zip():
    model = load_model()
    odd = [picture(what, *ODD[what]) for what in ("name like a path", "name like markup")]
    results = [analyze(one, model) for one in odd]
    with zipfile.ZipFile(io.BytesIO(annotated_download(odd, results))) as archive:
        assert len(archive.namelist()) == 2
    assert annotated_download(odd[:1], results[:1]).startswith(b"\x89PNG")
