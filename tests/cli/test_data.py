"""`data info`: the counts of FER2013."""

from __future__ import annotations

import json


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
