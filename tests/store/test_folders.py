"""The store: what is written is read; what is broken is named and skipped."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from fer_core.columns import PROBABILITIES
from fer_core.store import folders
from fer_core.store.card import ModelCard
from fer_core.store.folders import list_models, load_model, open_model, promoted, save_model
from fer_core.types import FerError

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
    monkeypatch.setattr(folders, "SHIPPED", tmp_path / "shipped")


def test_round_trip(nothing_shipped, predictions):
    save_model(
        promoted(),
        MINE,
        weights=b"weights",
        predictions=predictions,
        history=pd.DataFrame({"epoch": [0], "loss": [1.5]}),
        keras=b"keras",
    )
    model = load_model("mine")
    assert model.card.as_dict() == CARD
    assert model.weights.read_bytes() == b"weights"
    assert model.size_bytes == 7
    assert model.predictions("public_test", "flip")["row"].tolist() == [6]
    assert model.history()["loss"].tolist() == [1.5]


def test_writing_again_replaces_the_whole(nothing_shipped, predictions):
    save_model(promoted(), MINE, weights=b"old", predictions=predictions, keras=b"keras")
    save_model(promoted(), replace(MINE, title="New"), weights=b"new", predictions=predictions)
    assert load_model("mine").title == "New"
    assert not (promoted() / "mine" / "model.keras").exists()
    assert [path.name for path in promoted().iterdir()] == ["mine"]


def test_a_failed_write_leaves_the_old_one(nothing_shipped, predictions):
    save_model(promoted(), MINE, weights=b"old", predictions=predictions)
    with pytest.raises(TypeError):
        save_model(promoted(), replace(MINE, other={"bad": object()}), weights=b"new", predictions=predictions)
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
    save_model(promoted(), MINE, weights=b"good", predictions=predictions)
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
    save_model(promoted(), MINE, weights=b"good", predictions=predictions)
    with pytest.raises(FerError, match="Trained models here: mine"):
        load_model(name)


def test_a_baseline_is_listed_but_not_served(nothing_shipped, predictions):
    save_model(promoted(), replace(MINE, served=None), predictions=predictions)
    (model,), warnings = list_models()
    assert not warnings
    assert not model.servable
    assert model.size_bytes == 0
    assert list_models(servable=True) == ([], [])


def test_a_card_is_read_once_until_its_file_changes(nothing_shipped, predictions):
    model = save_model(promoted(), MINE, weights=b"weights", predictions=predictions)
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
