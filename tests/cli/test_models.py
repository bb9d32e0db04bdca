"""`models`, `evaluate` and `compare`, also with models that are not served."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_core.cli.evaluate import map_line
from fer_core.columns import DEGRADED_COLUMNS, PROBABILITIES
from fer_core.data import load_fer2013, load_ferplus
from fer_core.store import folders
from fer_core.store.folders import DEFAULT_MODEL, load_model
from fer_core.store.stored_model import PREDICTIONS
from tests.cli.conftest import fails
from tests.made_up_store import add_model, plurality, predictions, write_fer2013


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
    assert "able/README.md" in fer("models", "--cards").stdout
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("---\nlicense:")
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


def test_degraded_faces_are_measured_printed_and_kept_on_request(fer, mine, tmp_path, monkeypatch):
    (mine.folder / "degraded.csv").unlink(missing_ok=True)
    words = ("evaluate", "mine", "--data", write_fer2013(tmp_path, monkeypatch), "--degraded")
    rows = json.loads(fer(*words, "--json").stdout)["mine"]["degraded"]
    assert (len(rows), rows[0]["kind"], set(rows[0])) == (26, "clean", set(DEGRADED_COLUMNS))
    assert load_model("mine").degraded().empty, "measuring alone writes nothing"
    result = fer(*words, "--save")
    assert result.exit_code == 0, result.output
    kept = load_model("mine").degraded()
    assert kept["accuracy"].tolist() == [row["accuracy"] for row in rows]
    assert "mine on 210 degraded faces" in result.stdout and f"{kept['confidence'][25]:.1%}" in result.stdout


def test_without_votes_the_annotators_are_those_of_the_stored_predictions(fer, mine, tmp_path, monkeypatch):
    predictions(2.0).to_parquet(mine.folder / PREDICTIONS)
    words = ("evaluate", "mine", "--data", write_fer2013(tmp_path, monkeypatch))
    result = fer(*words, "--degraded", "--save", "--json")
    assert "FER+'s votes are not here" in result.stderr
    measured = json.loads(result.stdout)["mine"]
    judged = plurality() >= 0
    right = []
    for split in ("public_test", "private_test"):
        table = mine.predictions(split)
        assert table["plurality"].tolist() == plurality().tolist()
        right += (table[PROBABILITIES].to_numpy().argmax(axis=1) == plurality())[judged].tolist()
        found = measured[split]["plain"]["by"]["plurality"]
        assert found["n"] == judged.sum()
        assert found["accuracy"] == pytest.approx(sum(right[-judged.sum() :]) / judged.sum())
        assert load_model("mine").card.score(split, by="plurality").accuracy == pytest.approx(found["accuracy"])
    clean = mine.degraded().iloc[0]  # the made-up FER2013 has fewer than 1,000 test faces: all are measured
    assert clean["faces_plurality"] == 2 * judged.sum()
    assert clean["accuracy_plurality"] == pytest.approx(np.mean(right))
    again = json.loads(fer(*words, "--json").stdout)["mine"]
    assert again["degraded"] == measured["degraded"]
    assert (measured["degraded_from"], again["degraded_from"]) == ("measured now", "stored with the model")


def test_the_annotators_of_other_faces_are_not_used(fer, mine, tmp_path, monkeypatch):
    table = predictions(2.0)
    table.assign(label=(table["label"] + 1) % 7).to_parquet(mine.folder / PREDICTIONS)
    result = fer("evaluate", "mine", "--save", "--json", "--data", write_fer2013(tmp_path, monkeypatch))
    assert set(json.loads(result.stdout)["mine"]["public_test"]["plain"]["by"]) == {"label"}
    assert set(mine.all_predictions()["plurality"]) == {-1}
    (mine.folder / PREDICTIONS).unlink()
    assert fer("evaluate", "mine", "--data", tmp_path / "fer2013.csv").exit_code == 0


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


def test_save_replaces_and_adds_the_annotators(fer, mine, fer2013, fer2013_file, ferplus_path, monkeypatch):
    monkeypatch.setenv("FERPLUS_PATH", str(ferplus_path))
    voted = fer2013.with_votes(load_ferplus(ferplus_path))
    card = load_model("compact_cnn").card
    replace(card, name="mine", metrics={"made up": {}}).write(mine.folder / "card.json")
    result = fer("evaluate", "mine", "--save", "--data", fer2013_file)
    assert result.exit_code == 0, result.output
    assert "but the card says" not in result.stderr
    again = load_model("mine")
    for split in ("public_test", "private_test"):
        table, faces = again.predictions(split), voted.split(split)
        assert table["plurality"].tolist() == faces.plurality.tolist()
        clear = faces.plurality >= 0
        right = (table[PROBABILITIES].to_numpy().argmax(axis=1) == faces.plurality)[clear].mean()
        assert again.card.score(split, by="plurality").accuracy == pytest.approx(right)
        for view in ("plain", "flip"):
            for key in ("accuracy", "macro_f1", "roc_auc", "avg_tpr", "avg_fpr"):
                # 0.001 is four faces of 3,589: another processor may round a near tie the other way
                measured, stored = again.card.metrics[split][view][key], card.metrics[split][view][key]
                assert measured == pytest.approx(stored, abs=1e-3)
    scores = again.card.served["holdout_score"]
    assert again.card.holdout_score == scores["score"]
    assert scores["label"] == pytest.approx(card.holdout_accuracy, abs=0.02)  # of the older, larger hold-out
    assert f"Hold-out: {scores['score']:.1%}" in result.stdout
    assert again.card.not_sure.below == again.card.served["not_sure"]["below"]
    assert again.card.not_sure.accuracy >= 0.9
    assert f"Not sure below {again.card.not_sure.below:.0%}" in result.stdout
    assert "By most annotators" in result.stdout


def test_a_model_that_saw_the_holdout_is_not_scored_on_it(fer, mine, fer2013_file, ferplus_path, monkeypatch):
    monkeypatch.setenv("FERPLUS_PATH", str(ferplus_path))
    served = {key: value for key, value in mine.card.served.items() if key not in {"holdout_score", "not_sure"}}
    replace(mine.card, data_fingerprint="another edition", served=served).write(mine.folder / "card.json")
    result = fer("evaluate", "mine", "--save", "--data", fer2013_file)
    assert "mine is not scored on the hold-out: it may have been trained on a part of it" in result.stderr
    assert load_model("mine").card.holdout_score is None
    assert load_model("mine").card.not_sure is None


def test_the_compared_parts_on_the_holdout_are_those_of_the_card(fer, fer2013_file, ferplus_path, monkeypatch):
    monkeypatch.setenv("FERPLUS_PATH", str(ferplus_path))
    result = fer("compare", DEFAULT_MODEL, f"compact_cnn,{DEFAULT_MODEL}", "--data", fer2013_file, "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["on"], answer["faces"]) == ("holdout", 2669)
    first, other = (load_model(name).card.served["holdout_score"] for name in (DEFAULT_MODEL, "compact_cnn"))
    for row in answer["parts"]:
        assert row["first"] == pytest.approx(first[row["part"]], abs=2e-3)
        assert row["second"] == pytest.approx((first[row["part"]] + other[row["part"]]) / 2, abs=2e-3)
        assert row["low"] <= row["difference"] <= row["high"]
