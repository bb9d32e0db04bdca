"""`predict`: JSON, CSV, annotated pictures; a bad file does not stop the others."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_core.inference.pictures import picture_columns
from fer_core.labels import EXPRESSIONS
from tests.bad_inputs import bad_inputs
from tests.cli.conftest import fails
from tests.junk import with_junk
from tests.server import ROOT


@pytest.mark.detector
def test_json_has_the_stable_keys_and_the_smiling_portrait_is_happy(fer, portrait):
    (answer,) = json.loads(fer("predict", portrait, "--json").stdout)
    (face,) = answer.pop("faces")
    assert answer == {"file": str(portrait), "error": None}
    assert list(face)[:4] == ["box", "expression", "probabilities", "sure"]
    assert list(face["probabilities"]) == list(EXPRESSIONS)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert face["expression"] == max(face["probabilities"], key=face["probabilities"].get) == "happy"
    x, y, width, height = face["box"]
    assert 150 < x < 240 and 30 < y < 110 and 60 < width < 130 and 80 < height < 170


def test_folders_globs_and_files_each_once_without_junk(fer, portrait, tmp_path):
    files, hidden = [tmp_path / "a.png", tmp_path / "inner" / "b.png"], tmp_path / ".h*.png"
    with_junk(tmp_path, portrait.read_bytes())
    (tmp_path / "inner").mkdir()
    for path in files:
        path.write_bytes(portrait.read_bytes())
    (tmp_path / "notes.txt").write_text("not a picture, and not asked for")
    answers = json.loads(fer("predict", tmp_path, tmp_path / "*.png", tmp_path / "a.png", hidden, "--json").stdout)
    assert [answer["file"] for answer in answers] == [*map(str, files), str(hidden)]
    assert "does not exist" in answers[-1]["error"]


def test_the_table_leaves_brackets_and_annotated_pictures_differ_from_their_source(fer, portrait, tmp_path):
    file = tmp_path / "[draft] photo.png"
    file.write_bytes(portrait.read_bytes())
    shown = fer("predict", file, "--annotate", tmp_path / "out").stdout
    assert "[draft] photo.png" in shown and "happy" in shown
    (target,) = (tmp_path / "out").iterdir()
    with Image.open(target) as drawn, Image.open(portrait) as source:
        assert drawn.size == source.size
        assert (np.asarray(drawn.convert("RGB")) != np.asarray(source.convert("RGB"))).any()


def test_every_bad_input_gets_a_sentence_and_the_good_one_is_done(fer, portrait, tmp_path):
    """Odd pictures that can be used are for the page's test."""
    for name, content, expected in bad_inputs().values():
        if expected == "error":
            (tmp_path / name).write_bytes(content)
    result = fer("predict", *tmp_path.iterdir(), portrait, "--json")
    assert result.exit_code == 1
    *answers, good = json.loads(result.stdout)
    assert len(answers) == len(list(tmp_path.iterdir())) > 20
    for error in (answer["error"] for answer in answers):
        assert "Traceback" not in error and "\n" not in error and len(error) < 400
    assert len(good["faces"]) == 1


def test_wrong_calls_are_explained(fer, portrait, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("in the way")
    result = fer("predict", tmp_path / "gone.jpg", tmp_path / "empty", tmp_path / "*.gif", portrait, "--json")
    assert result.exit_code == 1
    assert [bool(answer["error"]) for answer in json.loads(result.stdout)] == [True, True, True, False]
    result = fer("predict", portrait, "--annotate", tmp_path / "file", "--json")
    assert "cannot be written" in json.loads(result.stdout)[0]["error"]
    out = ("--out", tmp_path / "out")
    fails(
        fer,
        (("predict", portrait, "--model", "nothing"), "Trained models here"),
        (("predict", portrait, "--csv", "--json"), "one of --csv and --json"),
        (("predict", portrait, "--engine", "ray"), "also give --out"),
        (("predict", portrait, *out, "--csv"), "leave out --csv"),
        (("predict", portrait, *out, "--address", "auto"), "also give --engine ray"),
    )
    assert not (tmp_path / "out").exists()


def test_photos_to_a_folder_of_parquet_and_again(fer, portrait, tmp_path, yunet_file):
    first = fer("predict", portrait, "--out", tmp_path / "table")
    assert "Files: 1, faces: 1, errors: 0" in first.stdout, first.stderr
    table = pd.read_parquet(tmp_path / "table")
    assert (list(table.columns), table["expression"].tolist()) == (list(picture_columns()), ["happy"])
    again = json.loads(fer("predict", portrait, "--out", tmp_path / "table", "--json").stdout)
    assert (again["files"], again["faces"], again["done"], again["errors"]) == (1, 1, 0, {})


@pytest.mark.detector
def test_parallel_predictions_are_the_same_and_in_order(fer, portrait, two_faces, tmp_path):
    contents = [b"no picture", portrait.read_bytes(), two_faces.read_bytes()] * 2
    files = [tmp_path / f"{number}.png" for number in range(6)]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    first, second = (
        json.loads(fer("predict", *files, "--json", "--workers", count, "--annotate", tmp_path / count).stdout)
        for count in "14"
    )
    assert [answer["file"] for answer in second] == [str(file) for file in files]
    counts = [(len(answer["faces"]), bool(answer["error"])) for answer in second]
    assert counts == [(0, True), (1, False), (2, False)] * 2
    for one, other in zip(first, second, strict=True):
        assert one["error"] == other["error"]
        for face, twin in zip(one["faces"], other["faces"], strict=True):
            assert face["box"] == twin["box"]
            assert face["probabilities"] == pytest.approx(twin["probabilities"], abs=1e-4)
    assert len(list((tmp_path / "4").iterdir())) == 4


def test_every_picture_has_its_own_annotated_one(fer, tmp_path):
    """Names that are the same without their endings, case or folders; the sizes tell which is which."""
    names = ("anna.jpg", "anna.png", "anna-2.jpg", "ANNA.bmp", "inner/anna.png", "Zo\u00eb.png", "Zoe\u0308.png")
    (tmp_path / "in" / "inner").mkdir(parents=True)
    for size, name in enumerate(names, 400):
        Image.new("RGB", (size, size)).save(tmp_path / "in" / name)
    assert fer("predict", tmp_path / "in", "--annotate", tmp_path / "out").exit_code == 0
    found = list((tmp_path / "out").iterdir())
    assert sorted(Image.open(path).width for path in found) == [*range(400, 400 + len(names))]
    assert len({path.name.casefold() for path in found}) == len(names)


def test_no_picture_is_overwritten_by_an_annotated_one(fer, tmp_path):
    for size, name in enumerate(("anna.png", "Anna-annotated.png"), 48):
        Image.new("RGB", (size, size)).save(tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert fer("predict", tmp_path, "--annotate", tmp_path / "." / "").exit_code == 0
    assert {path: path.read_bytes() for path in before} == before
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.detector
def test_csv_has_a_row_for_each_face_and_for_a_picture_without_one(fer, two_faces, tmp_path):
    Image.new("RGB", (60, 60)).save(tmp_path / "empty.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    rows = list(csv.reader(io.StringIO(fer("predict", tmp_path, two_faces, "--csv").stdout)))
    assert [len(row) for row in rows] == [len(picture_columns())] * 5
    assert rows[1][:2] == [str(tmp_path / "bad.png"), rows[1][1]] and rows[1][1].startswith("bad.png is not an image")
    assert rows[2] == [str(tmp_path / "empty.png"), *[""] * (len(picture_columns()) - 1)]
    assert [row[2] for row in rows[3:]] == ["1", "2"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_whatever_the_console_all_results_are_written_as_utf8(portrait, tmp_path):
    for name in ("лицо 表情 😀.png".encode(), b"caf\xe9.png", b"=1+1.png"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(portrait.read_bytes())
    files = sorted(path.name for path in tmp_path.iterdir())
    command = [sys.executable, "-m", "fer_core", "predict", *files, "--csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252", "COLUMNS": "80"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    text = done.stdout.decode("utf-8")
    assert "\r" not in text
    names = [row[0] for row in csv.reader(io.StringIO(text))][1:]
    assert names == ["'=1+1.png", "caf%E9.png", "лицо 表情 😀.png"]
