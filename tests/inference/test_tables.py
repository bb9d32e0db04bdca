"""Downloads of predictions: the keys and columns of the command line, and names that any disk takes."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from fer_core.data import sample_portrait
from fer_core.inference import FaceAnalyzer
from fer_core.inference.tables import (
    PICTURE_COLUMNS,
    PictureResult,
    annotated_zip,
    expression_runs,
    face_table,
    gap_note,
    recording_gaps,
    results_csv,
    results_json,
    results_table,
    seconds_without_face,
    share_not_sure,
    time_shares,
    timeline_points,
)
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import DEFAULT_MODEL, load_model


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


HOUR = 3600.0


def with_a_pause(frames: int):
    """One happy face, then an hour later a sad one, and in the last tenth no face; 10 frames a second."""
    parts = ((0.0, 1, "happy"), (HOUR, 2, "sad"))
    rows = [
        (start + k / 10, face, *[0.0] * 4, name, 0, 0, 0, float(name == "happy"), float(name == "sad"), 0, 0)
        for start, face, name in parts
        for k in range(frames)
    ]
    return face_table([*rows, (HOUR + frames / 10, *[None] * 6, *[np.nan] * 7)])


def test_a_pause_of_an_hour_counts_for_nothing():
    """Ten frames a second: one second of happy, one of sad, a tenth without a face."""
    table, end = with_a_pause(10), HOUR + 1.1
    shares = time_shares(table, end)
    together = shares[shares["face"].isna()].set_index("expression")["seconds"]
    assert together["happy"] == pytest.approx(1.0)
    assert together["sad"] == pytest.approx(1.0)
    runs = [(row.face, row.expression, row.start, row.end) for row in expression_runs(table, end).itertuples()]
    assert runs == [(1, "happy", 0.0, pytest.approx(1.0)), (2, "sad", HOUR, pytest.approx(HOUR + 1))]
    assert seconds_without_face(table, end) == pytest.approx(0.1)
    assert share_not_sure(table, end, 1, 1.1) == pytest.approx(1.0)
    ((start, stop),) = recording_gaps(table["seconds"].to_list(), end)
    assert (start, stop) == (pytest.approx(1.0), HOUR)
    assert "3,599.0 seconds, from second 1.0 on" in gap_note([(start, stop)])


def test_an_interval_of_one_face_ends_at_a_pause():
    table = with_a_pause(10).assign(face=1, expression="happy")
    runs = [(row.start, row.end) for row in expression_runs(table, HOUR + 1.1).itertuples()]
    assert runs == [(0.0, pytest.approx(1.0)), (HOUR, pytest.approx(HOUR + 1.1))]


def test_a_thinned_timeline_has_no_point_in_a_pause():
    table = with_a_pause(1000).assign(face=1)
    points = timeline_points(table, 1, points=100)
    assert 100 <= len(points) <= 101
    assert not points["seconds"].between(100.0, HOUR).any()
    assert (points["seconds"] < 100).sum() == pytest.approx(50, abs=1)


@pytest.mark.parametrize(
    ("times", "end", "gaps"),
    [
        ([0, 0.1, 0.2, 1.2, 1.3], 1.4, []),  # a screen recording, where nothing moved for a second
        ([0, 5, 10, 15, 20], 25, []),  # slides, or one frame every five seconds
        ([0, 5, 9, 40, 45], 50, [(14, 40)]),
        ([0, 0.1, 0.2], 100, [(0.3, 100)]),  # the last frame
        ([0, 3600], 3600.1, [(0.1, 3600)]),
        ([0], 0.1, []),
        ([], 0.0, []),
    ],
)
def test_only_long_and_unusual_steps_are_gaps(times, end, gaps):
    assert recording_gaps(times, end) == [(pytest.approx(start), pytest.approx(stop)) for start, stop in gaps]


def test_a_recording_without_gaps_has_no_note():
    assert gap_note([]) is None


def test_names_in_csv_are_text_for_a_spreadsheet(results):
    odd = [PictureResult("=1+1.jpg", DEFAULT_MODEL, results[0].faces), PictureResult("@x.jpg", "m", error="-2")]
    lines = results_csv([*odd, PictureResult(b"\xe9.jpg".decode("utf-8", "surrogateescape"), "m")]).splitlines()
    assert lines[1].startswith("'=1+1.jpg,,1,")
    assert lines[2].startswith("'@x.jpg,'-2,,")
    assert lines[3] == "%E9.jpg" + "," * len(PICTURE_COLUMNS) + "m"
    assert results_table(odd)["File"].tolist() == ["'=1+1.jpg"]
    x = lines[1].split(",")[PICTURE_COLUMNS.index("x")]
    assert float(x) == round(results[0].faces[0].face.box[0], 1)
