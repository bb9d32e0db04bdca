"""Classes that people name: from folders, zips and snapshots to a model of their own."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from fer_core.cli import app
from fer_core.runs import queue
from fer_core.runs.data import DataSettings, load_for_run, load_training_data
from fer_core.runs.run import promote
from fer_core.runs.uploads import Collection
from fer_core.sections.cards import model_text
from fer_core.store.folders import list_models, load_model
from fer_core.training.initial_weights import stored_network
from fer_core.types import FerError
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
