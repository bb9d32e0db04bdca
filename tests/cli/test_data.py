"""`data`: the counts of FER2013, downloads, and the roll of a face."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import requests
from PIL import Image

from fer_core.data.fer2013 import find_ferplus
from fer_core.labels import EXPRESSIONS
from tests.cli.conftest import fails
from tests.made_up_store import write_fer2013, write_votes


def test_data_info_gives_the_published_counts(fer, fer2013_file):
    report = json.loads(fer("data", "info", fer2013_file, "--json").stdout)
    assert report["faces"] == 35_887
    assert list(report["counts"]["PrivateTest"]) == list(EXPRESSIONS)
    assert list(report["counts"]["PrivateTest"].values()) == [491, 55, 528, 879, 594, 416, 626]
    assert set(report["test_faces_also_in_training"]) == {"PublicTest", "PrivateTest"}


def test_download_keeps_what_it_gets_and_tells_what_fails(fer, home, tmp_path, monkeypatch):
    """First there is no network, then GitHub answers, then FER2013 is here."""

    def no_network(*_, **__):
        raise requests.ConnectionError("no route")

    github = "fer_core.data.download.urllib.request.urlopen"
    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=no_network))
    monkeypatch.setattr(github, no_network)
    kaggle_fails = (("data", "download"), "FER2013 could not be downloaded from Kaggle: there is no network")
    github_fails = (("data", "download"), "FER+'s votes could not be downloaded from GitHub")
    fails(fer, (("data", "info"), "fer-lab data download"), kaggle_fails, github_fails)
    votes = write_votes(tmp_path).read_bytes()
    monkeypatch.setattr(github, lambda *_, **__: io.BytesIO(votes))
    fails(fer, kaggle_fails)
    assert find_ferplus().is_relative_to(home)
    monkeypatch.setenv("FER2013_PATH", str(write_fer2013(tmp_path, monkeypatch)))
    find_ferplus().unlink()
    result = fer("data", "download")
    assert result.exit_code == 0, result.output
    assert f"FER2013 is at {tmp_path / 'fer2013.csv'}\nFER+'s votes are at {find_ferplus()}" in result.stdout


def test_data_roll_measures_each_face_and_counts_those_without(fer, home, tmp_path, portrait, yunet_file):
    gray = np.asarray(Image.open(portrait).convert("L").crop((90, 0, 350, 260)).resize((48, 48)))
    faces = [gray, np.full((48, 48), 128, np.uint8)]
    lines = [f"3,{' '.join(map(str, face.ravel()))},Training" for face in faces]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]), encoding="utf-8")
    report = json.loads(fer("data", "roll", tmp_path / "fer2013.csv", "--json").stdout)
    assert (report["faces"], report["without_roll"]) == (2, 1)
    assert 0 <= report["median"] < 10
