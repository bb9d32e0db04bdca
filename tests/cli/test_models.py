"""`models`, `evaluate` and `compare`, also with models that are not served."""

import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_core.added import Takes
from fer_core.cli.evaluate import map_line
from fer_core.columns import DEGRADED_COLUMNS, PROBABILITIES, percent
from fer_core.data import load_fer2013, load_ferplus, training_and_holdout
from fer_core.data.holdout import LISTED
from fer_core.measuring.added import add_file
from fer_core.store import folders
from fer_core.store.folders import DEFAULT_MODEL, load_model, promoted
from fer_core.store.stored_model import PREDICTIONS
from fer_core.training.data import PAPERS_RULE
from tests.cli.conftest import fails
from tests.made_up_store import add_model, plurality, predictions, write_fer2013
from tests.test_added import ORDER, by_level, shown_by_level


def test_models_has_the_stable_keys_names_broken_ones_and_keeps_brackets(fer, mine):
    replace(mine.card, title="[draft] of [/b] mine").write(mine.folder / "card.json")
    (mine.folder.parent / "broken").mkdir()
    rows = json.loads(fer("models", "--json").stdout)
    (default,) = [row for row in rows if row["default"]]
    assert set(default) == {"name", "title", "parameters", "size_bytes", "input_shape", "weights_from", "default"}
    assert (default["name"], default["input_shape"]) == (DEFAULT_MODEL, [48, 48, 1])
    assert default["size_bytes"] == load_model().weights.stat().st_size
    result = fer("models")
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if "(default)" in line]
    assert line.startswith(f"{DEFAULT_MODEL} ")
    assert "broken is skipped" in result.stderr
    assert "[draft] of [/b] mine" in result.stdout


def test_cards_are_written_into_the_folders(fer, home, tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "SHIPPED", tmp_path / "shipped")
    folder = add_model(tmp_path / "shipped", "able", 3.0).folder
    (folder / "README.md").write_text("old")
    before = (folder / "README.md").stat().st_ino
    assert "able/README.md" in fer("models", "--cards").stdout
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("---\nlicense:")
    assert (folder / "README.md").stat().st_ino != before, "a new file takes its place"
    assert "Choose one of" in fer("models", "--cards", "--json").stderr


def test_a_baseline_is_trained_listed_and_not_served(fer, home, fer2013_file, portrait):
    data = ("--data", fer2013_file)
    result = fer("train", "class_prior", "--seed", "3", "--subset", "350", *data)
    assert "not served" in result.stdout, result.output
    trial = load_model("class_prior_seed3_trial")
    assert trial.folder.is_relative_to(home)
    assert (trial.title, trial.card.training["seed"]) == ("Always the most frequent answer, seed 3, trial", 3)
    (row,) = [row for row in json.loads(fer("models", "--json").stdout) if row["name"] == trial.name]
    assert row["size_bytes"] == 0
    fails(
        fer,
        (("predict", portrait, "--model", trial.name), "kept for comparison only"),
        (("evaluate", trial.name, *data), "predictions are of other data"),
        (("evaluate", trial.name, *data), "No model could be measured"),
        (("evaluate",), "Name the models to measure"),
        (("evaluate", "nothing"), "nothing"),
        (("compare", DEFAULT_MODEL, "nobody"), "nobody"),
    )


@pytest.fixture
def quick(home):
    """A model that knows expressions by the gray level, which takes no time."""
    return add_file("quick", by_level(), Takes(48, "gray", "-1-1", ORDER, True), shown_by_level(), root=promoted())


def test_degraded_faces_are_measured_printed_and_kept_on_request(fer, quick, tmp_path, monkeypatch):
    words = ("evaluate", "quick", "--data", write_fer2013(tmp_path, monkeypatch), "--degraded")
    rows = json.loads(fer(*words, "--json").stdout)["quick"]["degraded"]
    assert (len(rows), rows[0]["kind"], set(rows[0])) == (26, "clean", set(DEGRADED_COLUMNS))
    assert load_model("quick").degraded().empty, "measuring alone writes nothing"
    result = fer(*words, "--save")
    assert result.exit_code == 0, result.output
    kept = load_model("quick").degraded()
    assert kept["accuracy"].tolist() == [row["accuracy"] for row in rows]
    assert "quick on 210 degraded faces" in result.stdout and percent(kept["confidence"][25], ".1%") in result.stdout


def test_without_votes_the_annotators_are_those_of_the_stored_predictions(fer, quick, tmp_path, monkeypatch):
    predictions(2.0).to_parquet(quick.folder / PREDICTIONS)
    words = ("evaluate", "quick", "--data", write_fer2013(tmp_path, monkeypatch))
    result = fer(*words, "--degraded", "--save", "--json")
    assert "FER+'s votes are not here" in result.stderr
    measured = json.loads(result.stdout)["quick"]
    judged = plurality() >= 0
    right = []
    for split in ("public_test", "private_test"):
        table = quick.predictions(split)
        assert table["plurality"].tolist() == plurality().tolist()
        right += (table[PROBABILITIES].to_numpy().argmax(axis=1) == plurality())[judged].tolist()
        scores = measured[split]["plain"]["by"]["plurality"]
        assert scores["n"] == judged.sum()
        assert scores["accuracy"] == pytest.approx(sum(right[-judged.sum() :]) / judged.sum())
        assert load_model("quick").card.score(split, by="plurality").accuracy == pytest.approx(scores["accuracy"])
    clean = quick.degraded().iloc[0]  # the made-up FER2013 has fewer than 1,000 test faces: all are measured
    assert clean["faces_plurality"] == 2 * judged.sum()
    assert clean["accuracy_plurality"] == pytest.approx(np.mean(right))
    again = json.loads(fer(*words, "--json").stdout)["quick"]
    assert again["degraded"] == measured["degraded"]
    assert (measured["degraded_from"], again["degraded_from"]) == ("measured now", "stored with the model")


def test_the_annotators_of_other_faces_are_not_used(fer, quick, tmp_path, monkeypatch):
    table = predictions(2.0)
    table.assign(label=(table["label"] + 1) % 7).to_parquet(quick.folder / PREDICTIONS)
    result = fer("evaluate", "quick", "--save", "--json", "--data", write_fer2013(tmp_path, monkeypatch))
    assert set(json.loads(result.stdout)["quick"]["public_test"]["plain"]["by"]) == {"label"}
    assert set(quick.all_predictions()["plurality"]) == {-1}
    (quick.folder / PREDICTIONS).unlink()
    assert fer("evaluate", "quick", "--data", tmp_path / "fer2013.csv").exit_code == 0


def test_the_map_of_faces_is_made_and_kept(fer, home, mine, tmp_path, monkeypatch):
    (mine.folder / "map.parquet").unlink()
    path = write_fer2013(tmp_path, monkeypatch)
    add_model(home / "models", "kept", data_fingerprint=load_fer2013(path).fingerprint)
    result = fer("evaluate", "mine", "kept", "--data", path, "--map", "--save", "--json")
    assert "kept has no map of faces: this needs its Keras weights" in result.stderr
    measured = json.loads(result.stdout)
    assert "map" not in measured["kept"]
    table = load_model("mine").face_map()
    assert table["row"].tolist() == list(range(3, 213))
    assert table["x"].tolist() == [row["x"] for row in measured["mine"]["map"]]
    assert f" {table['kept'].mean():.1f} on average are among the 10 nearest on the map." in map_line(table)


def test_unserved_models_are_measured_by_their_stored_predictions(fer, home, tmp_path, monkeypatch):
    path = write_fer2013(tmp_path, monkeypatch)
    add_model(home / "models", "kept", data_fingerprint=load_fer2013(path).fingerprint)
    result = fer("evaluate", "kept", "--degraded", "--json", "--data", path)
    assert "kept is not served, so it cannot be measured on degraded faces" in result.stderr
    found = json.loads(result.stdout)["kept"]
    assert set(found) == {"public_test", "private_test", "degraded", "degraded_from"}
    assert found["degraded_from"] == "stored with the model"
    folder = load_model("kept").folder
    (folder / "degraded.csv").write_text("damaged")
    table = pd.read_parquet(folder / PREDICTIONS)
    table.drop(columns="plurality").to_parquet(folder / PREDICTIONS)
    result = fer("evaluate", "kept", "--save", "--json", "--data", path)
    assert "degraded.csv of kept is damaged" in result.stderr
    assert set(json.loads(result.stdout)["kept"]) == {"public_test", "private_test"}
    kept = pd.read_parquet(folder / PREDICTIONS)
    assert set(kept["plurality"]) == {-1}  # no votes here, nor in the stored predictions
    assert kept[PROBABILITIES].equals(table[PROBABILITIES])
    assert load_model("kept").card.score("public_test").accuracy > 0


@pytest.fixture
def some_faces(fer2013, ferplus_path, monkeypatch):
    """Every 15th face of FER2013 with its votes; the commands find no others."""
    faces = fer2013.with_votes(load_ferplus(ferplus_path)).subset(np.arange(0, len(fer2013), 15))
    command = sys.modules["fer_core.cli.evaluate"]  # the package gives this name to the function
    monkeypatch.setattr(command, "load_fer2013", lambda _: faces)
    return faces


def test_save_replaces_and_adds_the_annotators_and_the_score_that_compare_takes_apart(fer, mine, some_faces):
    original = load_model("compact_cnn")
    training = {**original.card.training, "holdout": LISTED}
    changed = replace(original.card, name="mine", metrics={"made up": {}}, training=training)
    changed.write(mine.folder / "card.json")
    result = fer("evaluate", "mine", "--save")
    assert result.exit_code == 0, result.output
    assert "but the card says" not in result.stderr and "By most annotators" in result.stdout
    again, holdout = load_model("mine"), training_and_holdout(some_faces)[1]
    for split in ("public_test", "private_test"):
        table, faces = again.predictions(split), some_faces.split(split)
        assert table["plurality"].tolist() == faces.plurality.tolist()
        probabilities, clear = table[PROBABILITIES].to_numpy(), faces.plurality >= 0
        stored = original.predictions(split).set_index("row").loc[table["row"], PROBABILITIES]
        np.testing.assert_allclose(probabilities, stored, atol=5e-3)
        chosen = probabilities.argmax(axis=1)
        assert again.card.score(split).accuracy == pytest.approx((chosen == faces.labels).mean())
        right = (chosen == faces.plurality)[clear].mean()
        assert again.card.score(split, by="plurality").accuracy == pytest.approx(right)
    scores = again.card.served["holdout_score"]
    right = again.classifier().predict(holdout.images).probabilities.argmax(axis=1) == holdout.labels
    assert (scores["label"], scores["faces"]) == (pytest.approx(right.mean()), len(holdout))
    assert again.card.holdout_score == scores["score"]
    assert f"Hold-out: {percent(scores['score'], '.1%')}" in result.stdout
    assert again.card.not_sure.below == again.card.served["not_sure"]["below"]
    assert again.card.not_sure.accuracy >= 0.9
    assert f"Not sure below {percent(again.card.not_sure.below)}: of the faces of the hold-out" in result.stdout
    answer = json.loads(fer("compare", f"mine,{DEFAULT_MODEL}", DEFAULT_MODEL, "--json").stdout)
    assert (answer["on"], answer["faces"]) == ("holdout", len(holdout))
    for row in answer["parts"]:
        assert 2 * row["first"] - row["second"] == pytest.approx(scores[row["part"]]), "the first is a mean of two"
        assert row["low"] <= row["difference"] <= row["high"]


def test_a_model_that_saw_the_holdout_is_not_compared_on_it(fer, mine, some_faces):
    replace(mine.card, training={"holdout": PAPERS_RULE}).write(mine.folder / "card.json")
    result = fer("compare", DEFAULT_MODEL, "mine")
    assert result.exit_code == 1
    assert "mine cannot be compared on the hold-out: it may have been trained on a part of it." in result.stderr
    result = fer("compare", DEFAULT_MODEL, "mine", "--on", "PrivateTest", "--json")
    assert result.exit_code == 0
    assert "PrivateTest is no test of mine: it was validated on it" in result.stderr
    assert fer("compare", DEFAULT_MODEL, "mine", "--on", "PublicTest", "--json").stderr.count("no test") == 0


def test_a_model_that_saw_the_holdout_is_not_scored_on_it(fer, mine, some_faces):
    assert mine.card.holdout_score is not None, "as an older version measured it"
    replace(mine.card, data_fingerprint="another edition").write(mine.folder / "card.json")
    result = fer("evaluate", "mine", "--save")
    assert "mine is not scored on the hold-out: it may have been trained on a part of it" in result.stderr
    assert load_model("mine").card.holdout_score is None
    assert load_model("mine").card.not_sure is None
