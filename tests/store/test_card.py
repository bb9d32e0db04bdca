import json
from dataclasses import replace

import numpy as np
import pytest

from fer_core.data.holdout import DRAWN, LISTED
from fer_core.metrics.calibration import Threshold
from fer_core.metrics.core import measured
from fer_core.models import ModelSpec
from fer_core.store.card import ModelCard, Score
from fer_core.store.folders import SHIPPED
from fer_core.training.data import PAPERS_RULE
from fer_core.types import FerError

CARDS = sorted(SHIPPED.glob("*/card.json"))
PLAIN = {"name": "mine", "title": "Mine", "parameters": 10, "weights_from": "random", "input_size": 48}
PLAIN |= {"metrics": {}, "served": None}
SCORE = {"accuracy": 0.6, "accuracy_interval": [0.5, 0.7], "macro_f1": 0.4, "macro_f1_interval": [0.3, 0.5]}


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_a_stored_card_is_written_as_it_was_read(path, tmp_path):
    card = ModelCard.read(path)
    card.write(tmp_path / "card.json")
    before, after = (json.loads(one.read_text(encoding="utf-8")) for one in (path, tmp_path / "card.json"))
    assert list(after) == list(before)
    assert before["spec"].items() <= after["spec"].items(), "keys that came later are added with their default"
    assert {**after, "spec": None} == {**before, "spec": None}
    assert ModelCard.read(tmp_path / "card.json") == card
    if before["spec"].keys() == after["spec"].keys():
        assert (tmp_path / "card.json").read_bytes() == path.read_bytes()


def test_a_card_from_keyword_values():
    card = ModelCard(**PLAIN | {"served": {}}, spec=ModelSpec("mine", "Mine", "compact_cnn"))
    assert ModelCard.from_dict(card.as_dict()) == card
    keys = "name, title, spec, parameters, weights_from, input_size, served, metrics"
    assert ", ".join(card.as_dict()) == keys
    assert list(replace(card, promoted_from="a run").as_dict())[-1] == "promoted_from"


BROKEN = {
    "lacks title, parameters": {"name": "x"},
    "lacks name": [],
    "needs a name and a title": {**PLAIN, "title": ""},
    "needs an input size": {**PLAIN, "input_size": "large"},
    "needs an object or null as `served`": {**PLAIN, "served": 3},
    "is not valid JSON": {**PLAIN, "parameters": float("inf")},
    "is not valid JSON ": "[" * 200_000,
}


@pytest.mark.parametrize("message", BROKEN)
def test_a_damaged_card_is_one_sentence(tmp_path, message):
    path = tmp_path / "card.json"
    content = BROKEN[message]
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(FerError, match=f"^The model folder {tmp_path.name} is skipped: its card.json {message}"):
        ModelCard.read(path)


UNKNOWN = {"spec": {"layers": 3, "preprocessing": "equalize"}}


@pytest.mark.parametrize(
    "strange", [{"spec": "?"}, UNKNOWN, {"parameters": "many"}, {"training": []}, {"colour": "red"}]
)
def test_what_is_optional_and_strange_is_kept_and_not_used(strange):
    card = ModelCard.from_dict({**PLAIN, **strange})
    assert card.as_dict() == {**PLAIN, **strange}
    assert card.spec is None
    assert card.preprocessing == ("equalize" if strange == UNKNOWN else "none")
    assert card.training == {}
    assert card.parameters in (10, None)


ACCURATE = {"storage": "int8", "holdout_accuracy": {"int8": 0.7}}
OWN = {"training": {"data": "own pictures (my zip)"}}


@pytest.mark.parametrize(
    ("more", "trained", "holdout"),
    [
        ({}, "every layer", None),
        ({"weights_from": "none", "parameters": None}, "no network", None),
        ({"name": "vgg16_frozen", "weights_from": "imagenet"}, "–", None),
        ({"trained": "the last block"}, "the last block", None),
        ({"served": {"storage": "int8", "holdout_accuracy": {"int8": 0.5, "float32": 0.6}}}, "every layer", 0.5),
        ({"served": {"storage": "int8", "holdout_accuracy": {"int8": 0.95}}, **OWN}, "every layer", None),
        ({"served": ACCURATE, "training": {"holdout": LISTED}}, "every layer", 0.7),
        ({"served": ACCURATE, "training": {"holdout": PAPERS_RULE}}, "every layer", None),
        ({"served": ACCURATE, "training": {"holdout": DRAWN}}, "every layer", None),
    ],
)
def test_what_was_trained_and_how_well(more, trained, holdout):
    card = ModelCard.from_dict({**PLAIN, **more})
    assert (card.trained_part, card.holdout_accuracy) == (trained, holdout)


@pytest.mark.parametrize("strange", [None, {}, "half", {"below": "0.5", "accuracy": 1, "answered": 1, "faces": 9}])
def test_the_threshold_of_not_sure_is_there_if_it_can_be_used(strange):
    values = {"below": 0.52, "accuracy": 0.9, "answered": 0.75, "faces": 2000}
    card = ModelCard.from_dict({**PLAIN, "served": {"not_sure": {**values, "rule": "a rule"}}})
    assert card.not_sure == Threshold(**values)
    assert ModelCard.from_dict({**PLAIN, "served": {"not_sure": strange}}).not_sure is None
    assert ModelCard.from_dict({**PLAIN, "measured_file": {"not_sure": values}}).not_sure is None


def test_scores_by_split_and_view():
    card = ModelCard.from_dict({**PLAIN, "metrics": {"public_test": {"plain": SCORE}}})
    score = card.score("public_test")
    assert (score.accuracy, score.macro_f1) == (0.6, 0.4)
    assert (score.interval("macro_f1").low, score.interval("macro_f1").high) == (0.3, 0.5)
    assert card.score("public_test", "flip") is None
    assert card.tested
    assert not ModelCard.from_dict(PLAIN).tested


def test_what_is_undefined_is_null_in_the_file(tmp_path):
    """Only one class occurs, so there is no ROC AUC."""
    labels = np.zeros(4, np.int64)
    score = Score.of(*measured(labels, np.full((4, 7), 1 / 7)))
    ModelCard.from_dict({**PLAIN, "metrics": {"public_test": {"plain": score.values}}}).write(tmp_path / "card.json")
    assert "NaN" not in (tmp_path / "card.json").read_text(encoding="utf-8")
    again = ModelCard.read(tmp_path / "card.json").score("public_test")
    assert again.values["roc_auc_interval"] == [None, None]
    assert np.isnan([again["roc_auc"], again.interval("roc_auc").low, again.interval("roc_auc").high]).all()
    assert again.interval("accuracy").low <= again.accuracy == 1


@pytest.mark.parametrize(
    "metrics",
    [
        *([], None, {"public_test": 3}, {"public_test": {"plain": {}}}),
        *({"public_test": {"plain": SCORE | bad}} for bad in ({"macro_f1": "?"}, {"accuracy_interval": [0.5]})),
    ],
)
def test_damaged_scores_count_as_missing(metrics):
    assert ModelCard.from_dict({**PLAIN, "metrics": metrics}).score("public_test") is None
