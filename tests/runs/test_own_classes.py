"""Classes that people name: from folders, zips and snapshots to a model of their own."""

import json

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from fer_core.cli import app
from fer_core.runs.data import DataSettings, load_training_data
from fer_core.runs.uploads import Collection
from fer_core.sections.cards import model_text
from fer_core.store.folders import list_models, load_model
from fer_core.types import FerError
from tests.own_data import noise
from tests.runs.conftest import head, write_faces

NAMES = ("calm", "confused", "no pain")


def test_every_command_has_its_classes(own_model, tmp_path):
    """Of a model with random weights; that a run learns such classes is part of the long story of test_queue.py."""
    names, picture = list(own_model.card.classes), tmp_path / "face.png"
    Image.fromarray(noise(1).images[0]).save(picture)
    (expected,) = own_model.classifier().predict(noise(1).images[:1]).probabilities

    def run(*words):
        return CliRunner().invoke(app, [*words])

    command = ["predict", str(picture), "--model", "own", "--whole-image"]
    ((face,),) = (entry["faces"] for entry in json.loads(run(*command, "--json").stdout))
    assert face["probabilities"] == pytest.approx(dict(zip(names, expected.tolist(), strict=True)), abs=1e-4)
    assert face["expression"] == names[expected.argmax()]
    assert "expression,calm,confused,happy," in f"{run(*command, '--csv').stdout.splitlines()[0]},"
    assert run(*command, "--out", str(tmp_path / "out"), "--workers", "1").exit_code == 0
    (row,) = pd.read_parquet(tmp_path / "out").to_dict("records")
    assert [row[name] for name in names] == pytest.approx(expected.tolist(), abs=1e-4)
    known = {row["name"]: row.get("classes") for row in json.loads(run("models", "--json").stdout)}
    assert (known["own"], known["compact_cnn"]) == (names, None)
    assert "predicts which of 3 classes of its own a face shows: calm, confused, happy." in model_text(own_model)
    for refused in (["evaluate", "own"], ["report", "own"], ["compare", "own", "compact_cnn"]):
        assert "own has other classes. Expected a model of angry, disgust" in run(*refused).stderr
    assert own_model not in list_models(classes=load_model().card.classes)[0]


def test_a_run_learns_from_the_training_split_of_a_folder_alone(home, tmp_path):
    for split, count in (("train", 6), ("test", 3)):
        write_faces(tmp_path / "study" / split, count, NAMES)
    data = load_training_data(DataSettings("folder", path=str(tmp_path / "study"), whole_image=True)).data
    assert (data.training.classes, len(data.training) + len(data.holdout)) == (NAMES, 18)


def test_snapshots_of_a_class_of_ones_own(home):
    mine = Collection()
    for gain in (1.0, 0.9, 0.8):
        mine.add(head(gain), "happy")
        mine.add(head(gain - 0.3), " confused ")
    assert {name: count for name, count in mine.counts().items() if count} == {"happy": 3, "confused": 3}
    data = load_training_data(mine.settings()).data
    assert (data.training.classes, data.tests) == (("confused", "happy"), None)
    for wrong in ("", "../evil", "a/b", "x" * 31):
        with pytest.raises(FerError, match="needs a name"):
            mine.add(head(), wrong)
