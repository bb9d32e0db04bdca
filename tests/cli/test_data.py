"""`data info` and `data roll`: the counts of FER2013, and the roll of a face."""

from __future__ import annotations

import json

import numpy as np
from PIL import Image


def test_data_info_gives_the_published_counts(fer, fer2013_path):
    report = json.loads(fer("data", "info", fer2013_path, "--json").stdout)
    assert report["faces"] == 35_887
    assert report["counts"]["PrivateTest"] == {
        "angry": 491,
        "disgust": 55,
        "fear": 528,
        "happy": 879,
        "sad": 594,
        "surprise": 416,
        "neutral": 626,
    }
    assert report["duplicate_groups"] > 0
    assert set(report["test_faces_also_in_training"]) == {"PublicTest", "PrivateTest"}


def test_data_info_without_data_says_how_to_get_it(fer, home):
    result = fer("data", "info")
    assert result.exit_code == 1
    assert "python -m fer_core data download" in result.stderr


def test_data_roll_measures_each_face_and_counts_those_without(fer, home, tmp_path, portrait, yunet_file):
    gray = np.asarray(Image.open(portrait).convert("L").crop((90, 0, 350, 260)).resize((48, 48)))
    faces = [gray, np.full((48, 48), 128, np.uint8)]
    lines = [f"3,{' '.join(map(str, face.ravel()))},Training" for face in faces]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]), encoding="utf-8")
    report = json.loads(fer("data", "roll", tmp_path / "fer2013.csv", "--json").stdout)
    assert (report["faces"], report["without_roll"]) == (2, 1)
    assert 0 <= report["median"] < 10
    assert "2 faces, 1 without" in fer("data", "roll", tmp_path / "fer2013.csv").stdout
