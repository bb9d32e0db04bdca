"""`predict --out` and `video --out`: the summary, going on, and wrong calls in one sentence."""

from __future__ import annotations

import json

import pandas as pd

from fer_core.inference.face_table import FACE_COLUMNS
from fer_core.inference.pictures import PICTURE_COLUMNS
from tests.clips import film, moving_head


def test_photos_to_a_folder_of_parquet_and_again(fer, portrait, tmp_path, yunet_file):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(portrait.read_bytes())
    first = fer("predict", tmp_path / "photos", "--out", tmp_path / "table")
    assert first.exit_code == 0, first.stderr
    assert "Files: 1, faces: 1, errors: 0" in first.stdout
    table = pd.read_parquet(tmp_path / "table")
    assert list(table.columns) == list(PICTURE_COLUMNS)
    assert table["expression"].tolist() == ["happy"]
    again = json.loads(fer("predict", tmp_path / "photos", "--out", tmp_path / "table", "--json").stdout)
    assert (again["files"], again["faces"], again["done"], again["errors"]) == (1, 1, 0, {})


def test_videos_to_a_folder_of_parquet(fer, tmp_path, yunet_file):
    (tmp_path / "a.mp4").write_bytes(film(moving_head(3)))
    (tmp_path / "b.mp4").write_bytes(b"no video")
    result = fer("video", tmp_path / "*.mp4", "--out", tmp_path / "table")
    assert result.exit_code == 1
    assert "errors: 1" in result.stdout and "… is not a video" in result.stdout
    table = pd.read_parquet(tmp_path / "table")
    assert list(table.columns) == ["file", "error", *FACE_COLUMNS]
    assert table["face"].tolist()[:3] == [1, 1, 1] and table["error"].notna().sum() == 1


def test_wrong_calls_are_one_sentence(fer, portrait, tmp_path):
    out = ("--out", tmp_path / "out")
    for words, says in (
        (("predict", portrait, "--engine", "ray"), "also give --out"),
        (("predict", portrait, *out, "--csv"), "leave out --csv"),
        (("predict", portrait, *out, "--address", "auto"), "also give --engine ray"),
        (("video", "a.mp4", "b.mp4"), "need --out FOLDER"),
        (("video", "a.mp4", *out, "--parquet", "a.parquet"), "leave out --csv, --parquet"),
    ):
        result = fer(*words)
        assert result.exit_code == 1
        assert says in result.stderr
        assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
