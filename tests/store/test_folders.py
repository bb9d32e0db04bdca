import json
from dataclasses import replace

import pandas as pd
import pytest

from fer_core.columns import PROBABILITIES
from fer_core.store import folders
from fer_core.store.card import ModelCard
from fer_core.store.folders import list_models, load_model, open_model, promoted, save_model
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from tests.store.test_card import PLAIN

CARD = PLAIN | {"served": {"storage": "int8"}}
MINE = ModelCard.from_dict(CARD)
TABLE = pd.DataFrame([[0.1, 0, 0, 0.9, 0, 0, 0]] * 2, columns=PROBABILITIES)
TABLE = TABLE.assign(row=[5, 6], split="public_test", view=["plain", "flip"], label=3)


@pytest.fixture
def mine(home, tmp_path, monkeypatch) -> StoredModel:
    monkeypatch.setattr(folders, "SHIPPED", tmp_path / "shipped")
    history = pd.DataFrame({"epoch": [0], "loss": [1.5]})
    return save_model(promoted(), MINE, weights=b"weights", predictions=TABLE, history=history, keras=b"keras")


def test_round_trip_and_writing_again_replaces_the_whole(mine):
    assert load_model("mine") == mine
    assert mine.card.as_dict() == CARD
    assert mine.weights.read_bytes() == b"weights"
    assert mine.size_bytes == 7
    assert mine.predictions("public_test", "flip")["row"].tolist() == [6]
    assert mine.history()["loss"].tolist() == [1.5]
    with pytest.raises(TypeError):
        save_model(promoted(), replace(MINE, other={"bad": object()}), weights=b"new", predictions=TABLE)
    assert load_model("mine").weights.read_bytes() == b"weights", "a failed write leaves the old one"
    save_model(promoted(), replace(MINE, title="New"), weights=b"new", predictions=TABLE)
    assert load_model("mine").title == "New"
    assert not (promoted() / "mine" / "model.keras").exists()
    assert [path.name for path in promoted().iterdir()] == ["mine"]


BROKEN = {
    "no_card": (None, b"w", "no readable card.json"),
    "bad_json": ("{", b"w", "not valid JSON"),
    "no_weights": (json.dumps(CARD), None, "model.tflite is missing or empty"),
    "empty_weights": (json.dumps(CARD), b"", "model.tflite is missing or empty"),
    "no_predictions": (json.dumps({**CARD, "served": None}), b"w", "predictions.parquet is missing or empty"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_folders_are_named_and_skipped(mine, name):
    card, weights, message = BROKEN[name]
    folder = promoted() / name
    folder.mkdir()
    if card is not None:
        (folder / "card.json").write_text(card)
    if weights is not None:
        (folder / "model.tflite").write_bytes(weights)
    models, (warning,) = list_models()
    assert models == [mine]
    assert name in warning
    assert message in warning
    with pytest.raises(FerError, match=name):
        open_model(folder)


@pytest.mark.parametrize("name", ["missing", "../mine", "", "."])
def test_unknown_names_are_refused(mine, name):
    with pytest.raises(FerError, match="Trained models here: mine"):
        load_model(name)


def test_a_baseline_is_listed_but_not_served(mine):
    baseline = save_model(promoted(), replace(MINE, served=None), predictions=TABLE)
    assert list_models() == ([baseline], [])
    assert not baseline.servable
    assert baseline.size_bytes == 0
    assert list_models(servable=True) == ([], [])


def test_a_card_is_read_once_until_its_file_changes(mine):
    card = mine.folder / "card.json"
    assert open_model(mine.folder).card is open_model(mine.folder).card
    replace(mine.card, title="Another title").write(card)
    assert open_model(mine.folder).title == "Another title"
    card.unlink()
    with pytest.raises(FerError, match=r"no readable card\.json"):
        open_model(mine.folder)
