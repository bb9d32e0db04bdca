"""The store: what is written is read; what is broken is named and skipped."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_core import store
from fer_core.card import ModelCard
from fer_core.columns import DEGRADED_COLUMNS, PROBABILITIES
from fer_core.store import (
    DEGRADED,
    FACE_MAP,
    HISTORY,
    list_models,
    load_model,
    open_model,
    promoted,
    save_face_map,
    save_model,
)
from fer_core.types import FerError
from tests.made_up_store import degraded_table

CARD = {
    "name": "mine",
    "title": "Mine",
    "parameters": 10,
    "weights_from": "random",
    "input_size": 48,
    "metrics": {},
    "served": {"storage": "int8"},
}
MINE = ModelCard.from_dict(CARD)


@pytest.fixture
def predictions():
    table = pd.DataFrame([[0.1, 0, 0, 0.9, 0, 0, 0]] * 2, columns=PROBABILITIES)
    return table.assign(row=[5, 6], split="public_test", view=["plain", "flip"], label=3)


@pytest.fixture
def nothing_shipped(home, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "shipped")


def test_round_trip(nothing_shipped, predictions):
    save_model(promoted(), MINE, b"weights", predictions, pd.DataFrame({"epoch": [0], "loss": [1.5]}), b"keras")
    model = load_model("mine")
    assert model.card.as_dict() == CARD
    assert model.weights.read_bytes() == b"weights"
    assert model.size_bytes == 7
    assert model.predictions("public_test", "flip")["row"].tolist() == [6]
    assert model.history()["loss"].tolist() == [1.5]


def test_results_on_degraded_faces_come_back_to_the_last_digit(nothing_shipped, predictions):
    table = degraded_table(1 / 3)
    model = save_model(promoted(), MINE, b"weights", predictions, pd.DataFrame(), b"", table)
    pd.testing.assert_frame_equal(model.degraded(), table)
    degraded_table(0.5).to_csv(model.folder / DEGRADED, index=False)
    assert load_model("mine").degraded()["accuracy"].max() == 0.5


def test_a_model_without_results_on_degraded_faces_has_no_rows(nothing_shipped, predictions):
    table = save_model(promoted(), MINE, b"weights", predictions, pd.DataFrame(), b"").degraded()
    assert table.empty
    assert list(table.columns) == DEGRADED_COLUMNS


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"kind,accuracy\nnoise,0.5\n", b"half"])
def test_damaged_results_on_degraded_faces_say_what_to_do(nothing_shipped, predictions, content):
    model = save_model(promoted(), MINE, b"weights", predictions, pd.DataFrame(), b"", degraded_table(0.5))
    (model.folder / "degraded.csv").write_bytes(content)
    with pytest.raises(FerError, match=r"degraded.csv of mine is damaged: expected .* fer-lab evaluate mine"):
        model.degraded()
    text = degraded_table(0.5).to_csv(index=False).replace("0.5", "half")
    (model.folder / "degraded.csv").write_text(text)
    with pytest.raises(FerError, match="half"):
        model.degraded()


def test_a_map_of_faces_comes_back(nothing_shipped, predictions):
    table = pd.DataFrame({"row": [5, 6, 9], "x": [-80.5, 0, 1.25], "y": [0.5, 2, -3], "kept": [0, 10, 4]})
    small = table.astype({"row": "int32", "x": "float16", "y": "float16", "kept": "uint8"})
    model = save_model(promoted(), MINE, b"w", predictions, pd.DataFrame(), b"", face_map=small)
    assert model.has_face_map
    assert model.face_map().to_numpy().tolist() == table.to_numpy().tolist()
    save_face_map(model, small.head(1))
    assert load_model("mine").face_map()["row"].tolist() == [5]


def test_a_model_without_a_map_says_how_to_make_it(nothing_shipped, predictions):
    model = save_model(promoted(), MINE, b"w", predictions, pd.DataFrame(), b"")
    assert not model.has_face_map
    with pytest.raises(FerError, match=r"mine has no map of faces.* fer-lab evaluate mine --map --save"):
        model.face_map()


@pytest.mark.parametrize("damage", [b"", b"PAR1 half", "column", "twice", "infinite", "text"])
def test_a_damaged_map_is_one_sentence_that_says_what_to_do(nothing_shipped, predictions, damage):
    table = pd.DataFrame({"row": [5, 6], "x": [0.0, 1.0], "y": [0.0, 2.0], "kept": [0, 10]})
    model = save_model(promoted(), MINE, b"w", predictions, pd.DataFrame(), b"", face_map=table)
    if isinstance(damage, bytes):
        (model.folder / FACE_MAP).write_bytes(damage)
    else:
        changed = {
            "column": table.drop(columns="kept"),
            "twice": table.assign(row=5),
            "infinite": table.assign(x=np.inf),
            "text": table.assign(y="here"),
        }[damage]
        changed.to_parquet(model.folder / FACE_MAP)
    with pytest.raises(FerError, match=r"map.parquet of mine is damaged: expected .* fer-lab evaluate mine --map"):
        model.face_map()


def test_predictions_come_back_to_the_last_digit(nothing_shipped, predictions):
    table = predictions.astype(dict.fromkeys(PROBABILITIES, "float32"))
    table[PROBABILITIES] = np.random.default_rng(0).dirichlet(np.ones(7), 2).astype("float32")
    stored = save_model(promoted(), MINE, b"weights", table, pd.DataFrame(), b"")
    assert pd.read_parquet(stored.folder / "predictions.parquet").equals(table)


def test_writing_again_replaces_the_whole(nothing_shipped, predictions):
    save_model(promoted(), MINE, b"old", predictions, pd.DataFrame(), b"keras")
    save_model(promoted(), replace(MINE, title="New"), b"new", predictions, pd.DataFrame(), b"")
    assert load_model("mine").title == "New"
    assert not (promoted() / "mine" / "model.keras").exists()
    assert [path.name for path in promoted().iterdir()] == ["mine"]


def test_a_failed_write_leaves_the_old_one(nothing_shipped, predictions):
    save_model(promoted(), MINE, b"old", predictions, pd.DataFrame(), b"")
    with pytest.raises(TypeError):
        save_model(promoted(), replace(MINE, other={"bad": object()}), b"new", predictions, pd.DataFrame(), b"")
    assert load_model("mine").weights.read_bytes() == b"old"
    assert [path.name for path in promoted().iterdir()] == ["mine"]


BROKEN = {
    "no_card": (None, b"w", "no readable card.json"),
    "bad_json": ("{", b"w", "not valid JSON"),
    "list_card": ("[]", b"w", "lacks name"),
    "lacking": ('{"name": "x"}', b"w", "lacks title, parameters"),
    "no_weights": (json.dumps(CARD), None, "model.tflite is missing or empty"),
    "empty_weights": (json.dumps(CARD), b"", "model.tflite is missing or empty"),
    "no_predictions": (json.dumps({**CARD, "served": None}), b"w", "predictions.parquet is missing or empty"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_folders_are_named_and_skipped(nothing_shipped, predictions, name):
    card, weights, message = BROKEN[name]
    save_model(promoted(), MINE, b"good", predictions, pd.DataFrame(), b"")
    folder = promoted() / name
    folder.mkdir()
    if card is not None:
        (folder / "card.json").write_text(card)
    if weights is not None:
        (folder / "model.tflite").write_bytes(weights)
    models, warnings = list_models()
    assert [model.name for model in models] == ["mine"]
    assert len(warnings) == 1
    assert name in warnings[0]
    assert message in warnings[0]
    with pytest.raises(FerError, match=name):
        open_model(folder)


@pytest.mark.parametrize("name", ["missing", "../mine", "", "."])
def test_unknown_names_are_refused(nothing_shipped, predictions, name):
    save_model(promoted(), MINE, b"good", predictions, pd.DataFrame(), b"")
    with pytest.raises(FerError, match="Trained models here: mine"):
        load_model(name)


def test_a_baseline_is_listed_but_not_served(nothing_shipped, predictions):
    save_model(promoted(), replace(MINE, served=None), b"", predictions, pd.DataFrame(), b"")
    (model,), warnings = list_models()
    assert not warnings
    assert not model.servable
    assert model.size_bytes == 0
    assert list_models(servable=True) == ([], [])


def test_missing_predictions_say_so(nothing_shipped, predictions):
    model = save_model(promoted(), MINE, b"good", predictions, pd.DataFrame(), b"")
    with pytest.raises(FerError, match=r"no stored predictions of private_test \(plain\)"):
        model.predictions("private_test")
    (model.folder / "predictions.parquet").unlink()
    with pytest.raises(FerError, match=r"predictions\.parquet is missing"):
        model.predictions("public_test")


def test_damaged_predictions_are_one_sentence(nothing_shipped, predictions):
    model = save_model(promoted(), MINE, b"good", predictions, pd.DataFrame(), b"")
    content = (model.folder / "predictions.parquet").read_bytes()
    (model.folder / "predictions.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(FerError, match=r"predictions\.parquet of mine cannot be used: it is damaged or cut off"):
        model.all_predictions()


@pytest.mark.parametrize("damage", ["huge number", "many columns"])
def test_results_on_degraded_faces_that_no_table_can_hold_are_damaged(nothing_shipped, predictions, damage):
    model = save_model(promoted(), MINE, b"w", predictions, pd.DataFrame(), b"", degraded_table(0.5))
    text = (model.folder / DEGRADED).read_text()
    (model.folder / DEGRADED).write_text(
        "," * 2_000_000 if damage == "many columns" else text.replace("1000", "9" * 30)
    )
    with pytest.raises(FerError, match=r"degraded\.csv of mine is damaged"):
        model.degraded()


def test_a_history_of_millions_of_columns_is_not_read(nothing_shipped, predictions):
    model = save_model(promoted(), MINE, b"weights", predictions, pd.DataFrame(), b"")
    (model.folder / HISTORY).write_bytes(b"epoch,loss\n" + b"1," * 1_000_000)
    with pytest.raises(ValueError, match="2 MB"):
        model.history()


def test_a_card_is_read_once_until_its_file_changes(nothing_shipped, predictions):
    model = save_model(promoted(), MINE, b"weights", predictions, pd.DataFrame(), b"")
    card = model.folder / "card.json"
    assert open_model(model.folder).card is open_model(model.folder).card
    replace(model.card, title="Another title").write(card)
    assert open_model(model.folder).title == "Another title"
    card.write_text("{")
    with pytest.raises(FerError, match="is not valid JSON"):
        open_model(model.folder)
    card.unlink()
    with pytest.raises(FerError, match=r"no readable card\.json"):
        open_model(model.folder)
