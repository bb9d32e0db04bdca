"""Classes that people name: from folders, zips and snapshots to a model of their own."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from fer_core.cli import app
from fer_core.data import read_class_folders
from fer_core.runs import queue
from fer_core.runs.data import DataSettings, load_for_run, load_training_data
from fer_core.runs.run import promote
from fer_core.runs.uploads import Collection
from fer_core.sections.cards import model_text
from fer_core.store.folders import list_models, load_model
from fer_core.training.initial_weights import stored_network
from fer_core.types import FerError
from tests.data.conftest import make_zip
from tests.runs.conftest import head, write_faces
from tests.waiting import PATIENCE

NAMES = ("calm", "confused", "no pain")


@pytest.mark.slow
def test_from_folders_to_predictions(runs, plan_for, tmp_path):
    pictures = write_faces(tmp_path / "faces", 12, NAMES)
    run = queue.submit(plan_for(pictures, "Pain study", epochs=1))
    ended = queue.wait(run, 2 * PATIENCE)
    assert ended.state == "finished", ended.message
    assert "the names are classes: calm, confused and no pain." in ended.warnings[0]
    assert load_for_run(run.folder, run.plan.data, say=print).data.training.classes == NAMES, "also when it is resumed"
    model = promote(run, "pain", title="Pain")
    assert (model.card.classes, model.card.tested, model.card.holdout_score) == (NAMES, False, None)
    assert json.loads((model.folder / "card.json").read_text())["spec"]["classes"] == list(NAMES)

    picture = pictures / "calm" / "000.png"
    command = ["predict", str(picture), "--model", "pain", "--whole-image"]
    (entry,) = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    (face,) = entry["faces"]
    expected = stored_network("pain").predict(np.asarray(Image.open(picture), np.float32)[None, ..., None], verbose=0)
    assert list(face["probabilities"]) == list(NAMES)
    np.testing.assert_allclose(list(face["probabilities"].values()), expected[0], atol=0.02)
    assert face["expression"] == NAMES[expected[0].argmax()]
    table = CliRunner().invoke(app, [*command, "--csv"]).stdout.splitlines()
    assert "expression,calm,confused,no pain," in f"{table[0]},"
    assert CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out"), "--workers", "1"]).exit_code == 0
    (row,) = pd.read_parquet(tmp_path / "out").to_dict("records")
    assert [row[name] for name in NAMES] == pytest.approx(list(face["probabilities"].values()), abs=1e-5)
    known = {
        row["name"]: row.get("classes") for row in json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)
    }
    assert (known["pain"], known["compact_cnn"]) == (list(NAMES), None)
    assert "predicts which of 3 classes of its own a face shows: calm, confused, no pain." in model_text(model)
    for refused in (["evaluate", "pain"], ["report", "pain"], ["compare", "pain", "compact_cnn"]):
        assert "pain has other classes. Expected a model of angry, disgust" in CliRunner().invoke(app, refused).stderr
    assert model not in list_models(classes=load_model().card.classes)[0]


def test_folders_that_are_all_expressions_stay_the_seven(tmp_path):
    found = read_class_folders(write_faces(tmp_path, 2, ("Happiness", "anger")), any_names=True)
    assert (found.classes[3], sorted({*found.labels.tolist()})) == ("happy", [0, 3])


def test_other_folders_are_classes_in_the_order_of_their_names(home, tmp_path):
    files = [
        (f"study/{name}/{index}.png", head(1 - index / 9)) for name in ("sad", "pain", "Anger") for index in (0, 1)
    ]
    found = read_class_folders(make_zip(tmp_path / "study.zip", files), any_names=True)
    assert found.classes == ("Anger", "pain", "sad")
    assert [path.parent.name for path in found.paths] == [found.classes[label] for label in found.labels]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["pain"], "no class folders"),
        ([f"class {number}" for number in range(11)], "2 to 10 classes. Received: 11"),
        (["Pain", "pain"], "differ only in case"),
        (["pain", " "], "needs a name"),
        (["pain", "=1+1"], "needs a name"),
        (["train", "test"], "no class folders"),
    ],
)
def test_folders_that_cannot_be_classes(home, tmp_path, names, words):
    write_faces(tmp_path / "study", 2, names)
    with pytest.raises(FerError, match=words):
        load_training_data(DataSettings("folder", path=str(tmp_path / "study"), whole_image=True))


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
