"""`data`: the counts of FER2013, downloads, and the roll of a face."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import requests
from PIL import Image

from fer_core.data.fer2013 import find_ferplus
from tests.made_up_store import write_fer2013, write_votes


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
    assert "fer-lab data download" in result.stderr


@pytest.fixture
def sites(monkeypatch):
    """Replace Kaggle, which refuses, and GitHub; the returned function sets GitHub's answer, None for no network."""

    def no_network(*_, **__):
        raise requests.ConnectionError("no route")

    def behave(votes: bytes | None):
        monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=no_network))
        answer = no_network if votes is None else lambda *_, **__: io.BytesIO(votes)
        monkeypatch.setattr("fer_core.data.download.urllib.request.urlopen", answer)

    return behave


def test_the_votes_are_downloaded_although_kaggle_fails(fer, home, sites, tmp_path):
    sites(write_votes(tmp_path).read_bytes())
    result = fer("data", "download")
    assert result.exit_code == 1
    assert "FER2013 could not be downloaded from Kaggle: there is no network" in result.stderr
    assert str(find_ferplus()) in result.stdout
    assert find_ferplus().is_relative_to(home)


def test_with_fer2013_here_only_the_votes_are_downloaded(fer, home, sites, tmp_path, monkeypatch):
    monkeypatch.setenv("FER2013_PATH", str(write_fer2013(tmp_path, monkeypatch)))
    sites(write_votes(tmp_path).read_bytes())
    result = fer("data", "download")
    assert result.exit_code == 0, result.output
    said = [f"FER2013 is at {tmp_path / 'fer2013.csv'}", f"FER+'s votes are at {find_ferplus()}"]
    assert result.stdout.splitlines() == said


def test_both_failures_are_told(fer, home, sites):
    sites(None)
    result = fer("data", "download")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "FER2013 could not be downloaded from Kaggle" in result.stderr
    assert "FER+'s votes could not be downloaded from GitHub" in result.stderr


def test_data_roll_measures_each_face_and_counts_those_without(fer, home, tmp_path, portrait, yunet_file):
    gray = np.asarray(Image.open(portrait).convert("L").crop((90, 0, 350, 260)).resize((48, 48)))
    faces = [gray, np.full((48, 48), 128, np.uint8)]
    lines = [f"3,{' '.join(map(str, face.ravel()))},Training" for face in faces]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]), encoding="utf-8")
    report = json.loads(fer("data", "roll", tmp_path / "fer2013.csv", "--json").stdout)
    assert (report["faces"], report["without_roll"]) == (2, 1)
    assert 0 <= report["median"] < 10
    assert "2 faces, 1 without" in fer("data", "roll", tmp_path / "fer2013.csv").stdout
