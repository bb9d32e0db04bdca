"""What CONTRIBUTING says about datasets, carried out: class folders on the pages, a CSV of other faces in commands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from fer_core.cli import app as command_line
from fer_core.data import load_fer2013
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.runs.data import DataSettings, load_training_data
from fer_core.store.folders import load_model
from fer_core.types import FerError
from tests.data.conftest import csv_text, make_dataset
from tests.test_floors import ROOT

SECTION = (ROOT / "docs/CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a dataset")[1].split("\n## ")[0]
COMMANDS = re.findall(r"`fer-lab ([^`]+)`", SECTION)
EACH = 4


@pytest.fixture
def folders(tmp_path):
    """A folder of pictures of noise for each expression."""
    random = np.random.default_rng(0)
    for name in EXPRESSIONS:
        (tmp_path / "faces" / name).mkdir(parents=True)
        for k in range(EACH):
            pixels = random.integers(0, 256, (48, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "faces" / name / f"{k}.png")
    return tmp_path / "faces"


def run(words, **places):
    filled = [str(places.get(word, word)) for word in words.split()]
    result = CliRunner().invoke(command_line, filled)
    assert result.exit_code == 0, result.output
    return result.output


def page(name, query):
    opened = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for key, value in query.items():
        opened.query_params[key] = value
    opened.run()
    opened.switch_page(f"pages/{name}.py").run()
    assert not opened.exception
    return opened


def zipped(folder):
    return Path(shutil.make_archive(str(folder), "zip", folder)).read_bytes()


def audited(content):
    """Return the Fairness page with a zip of pictures, and its words."""
    opened = page("fairness", {"a_source": "My own pictures", "a_whole": "true"})
    opened.file_uploader(key="a_zip").upload("faces.zip", content).run()
    assert not opened.exception
    return " ".join(block.value for block in [*opened.markdown, *opened.caption, *opened.info, *opened.warning])


def test_fine_tune_and_tune_learn_from_class_folders_and_a_zip_of_them(home, folders):
    zipped(folders)
    for place in (folders, folders.with_suffix(".zip")):
        data = load_training_data(DataSettings("folder", path=str(place), whole_image=True)).data
        assert len(data.training) + len(data.holdout) == EACH * len(EXPRESSIONS)
        assert (np.bincount(data.training.labels, minlength=7) > 0).all()
    assert [command.split()[0] for command in COMMANDS] == ["tune", "audit", "data", "train", "evaluate"]
    command = COMMANDS[0] + " --crops --trials 1 --epochs 1"
    assert "0 of 28 pictures" in " ".join(run(command, FOLDER=folders).split())


def test_dataset_and_fairness_take_the_zip(home, folders):
    content = zipped(folders)
    opened = page("dataset", {"d_of": "My own pictures", "d_whole": "true"})
    opened.file_uploader(key="d_zip").upload("faces.zip", content).run()
    assert not opened.exception
    assert not opened.warning
    assert f"{EACH * len(EXPRESSIONS)} faces of your pictures" in audited(content)


def test_an_eighth_folder_is_refused_or_counted(home, folders):
    shutil.copytree(folders / "sad", folders / "contempt")
    with pytest.raises(FerError, match="The folder 'contempt' in faces is not named after an expression"):
        load_training_data(DataSettings("folder", path=str(folders), whole_image=True))
    note = f"{EACH} pictures are left out: 'contempt' is none of the expressions"
    document = run(COMMANDS[1] + " --whole-image --json", FOLDER=folders)
    assert note in document
    assert '"labelled": true' in document
    assert f'"faces": {EACH * len(EXPRESSIONS)}' in document
    assert note in audited(zipped(folders)).replace("\\", "")


def test_a_csv_of_other_faces(home, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text(csv_text(make_dataset(420)), encoding="utf-8")
    assert "420 faces" in run(COMMANDS[2], FILE=path)
    run(COMMANDS[3], FILE=path)
    assert "class_prior" in run(COMMANDS[4], FILE=path)
    answers, complaints = load_predictions([load_model("class_prior")], "PublicTest", "plain")
    assert complaints == []
    assert len(answers.labels) == 140
    dataset = load_fer2013(path)
    assert dataset.votes is None
    assert set(dataset.rows) == set(answers.rows) == {-1}
