"""Downloads of predictions: the keys and columns of the command line, and names that any disk takes."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from PIL import Image

from fer_core.data import sample_portrait
from fer_core.inference import FaceAnalyzer
from fer_core.inference.tables import (
    PICTURE_COLUMNS,
    PictureResult,
    annotated_zip,
    face_table,
    results_csv,
    results_json,
    results_table,
    share_not_sure,
)
from fer_core.labels import EXPRESSIONS
from fer_core.store import DEFAULT_MODEL, load_model


@pytest.fixture(scope="module")
def results() -> list[PictureResult]:
    """One picture with a face, and one that cannot be used."""
    faces = FaceAnalyzer(load_model().classifier()).analyze(sample_portrait(), whole_image=True)
    good = PictureResult("astronaut.png", DEFAULT_MODEL, tuple(faces))
    return [good, PictureResult("bad.jpg", DEFAULT_MODEL, error="bad.jpg is empty (0 bytes).")]


def test_json_has_the_keys_of_the_command_line_and_the_model(results):
    good, bad = json.loads(results_json(results))
    assert list(good) == ["file", "error", "faces", "model"]
    assert list(good["faces"][0]) == ["box", "expression", "probabilities"]
    assert list(good["faces"][0]["probabilities"]) == list(EXPRESSIONS)
    assert bad == {"file": "bad.jpg", "error": "bad.jpg is empty (0 bytes).", "faces": [], "model": DEFAULT_MODEL}


def test_csv_has_a_row_for_each_face_and_for_each_failure(results):
    lines = results_csv(results).splitlines()
    assert lines[0] == ",".join([*PICTURE_COLUMNS, "model"])
    assert lines[1].startswith("astronaut.png,,1,")
    assert lines[2].startswith("bad.jpg,bad.jpg is empty (0 bytes).,,")
    assert all(line.count(",") == len(PICTURE_COLUMNS) for line in lines)


def test_the_table_has_a_row_for_each_face(results):
    (row,) = results_table(results).to_dict("records")
    assert (row["File"], row["Face"], row["Model"]) == ("astronaut.png", 1, DEFAULT_MODEL)
    assert row["Probability"] == max(row[name] for name in EXPRESSIONS)


def test_a_zip_of_annotated_pictures_has_safe_names(results):
    names = ("../../face.png", "лицо 表情 😀.png", "<b>x</b>.png")
    content = annotated_zip((name, sample_portrait(), results[0].faces) for name in names)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = archive.namelist()
        assert found[:2] == ["001-face-annotated.png", "002-лицо 表情 😀-annotated.png"]
        assert not any(".." in name or "/" in name or "<" in name for name in found)
        assert Image.open(io.BytesIO(archive.read(found[0]))).format == "PNG"


def test_share_of_the_time_in_which_a_model_is_not_sure():
    """Face 1 has 60 % for one second, 40 % for two, and 50 % for one; face 2 is always sure."""
    rows = [
        (0.0, 1, *[0.0] * 4, "happy", 0, 0, 0, 0.6, 0.4, 0, 0),
        (0.0, 2, *[0.0] * 4, "sad", 0, 0, 0, 0, 1, 0, 0),
        (1.0, 1, *[0.0] * 4, "happy", 0.3, 0.3, 0, 0.4, 0, 0, 0),
        (3.0, 1, *[0.0] * 4, "sad", 0, 0, 0, 0.4, 0.5, 0.1, 0),
    ]
    table = face_table(rows)
    assert share_not_sure(table, 4.0, 1, 0.5) == pytest.approx(2 / 4)
    assert share_not_sure(table, 4.0, 1, 0.55) == pytest.approx(3 / 4)
    assert share_not_sure(table, 4.0, 2, 0.5) == 0
    assert share_not_sure(table, 4.0, 3, 0.5) == 0  # never seen
