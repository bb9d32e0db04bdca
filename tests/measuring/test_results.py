from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.columns import PROBABILITIES
from fer_core.measuring.results import history_table, load_predictions, recommendation
from fer_core.store.folders import promoted, save_model
from fer_core.store.stored_model import PREDICTIONS, StoredModel
from fer_core.types import FerError
from tests.made_up_store import FACES, START, add_model, card, labels, plurality, predictions, probabilities


def test_all_models_on_the_same_faces_whatever_their_order_and_titles(models, answers):
    assert answers.names == ["able", "fair", "weak"]
    assert answers.rows.tolist() == list(range(START["public_test"], START["public_test"] + FACES))
    assert answers.labels.tolist() == labels().tolist()
    expected = probabilities(3.0, 3000 + 10 * START["public_test"] + len("plain"))
    np.testing.assert_allclose(answers.probabilities["able"], expected, atol=1e-12)
    shuffled = predictions(2.0).sample(frac=1, random_state=3)
    save_model(promoted(), card("fair"), predictions=shuffled)
    again, complaints = load_predictions(models, "PublicTest", "plain")
    assert not complaints
    np.testing.assert_array_equal(again.probabilities["fair"], answers.probabilities["fair"])
    twin = add_model(promoted(), "twin", title="The able one")
    answers, _ = load_predictions([*models, twin], "PublicTest", "plain")
    assert answers.titles["able"] == "The able one (able)"
    assert answers.titles["twin"] == "The able one (twin)"


BROKEN = {
    "no such split": lambda table: table[table["split"] == "private_test"],
    "lacks a column": lambda table: table.drop(columns="p_sad"),
    "no labels": lambda table: table.drop(columns="label"),
    "sums": lambda table: table.assign(p_sad=table["p_sad"] + 1),
    "a label of 9": lambda table: table.assign(label=9),
    "words": lambda table: table.assign(label="happy"),
    "other faces": lambda table: table.assign(row=table["row"] + 1),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_unusable_predictions_are_named_and_left_out(models, kind):
    bad = save_model(promoted(), card("bad"), predictions=BROKEN[kind](predictions(2.0)))
    answers, (complaint,) = load_predictions([bad, *models], "PublicTest", "plain")
    assert answers.names == ["able", "fair", "weak"]
    assert "bad" in complaint
    assert "\n" not in complaint


@pytest.mark.parametrize("content", [b"", b"PAR1" + b"x" * 500 + b"PAR1"])
def test_damaged_files_are_named_and_left_out(models, content):
    (models[1].folder / PREDICTIONS).write_bytes(content)
    answers, (complaint,) = load_predictions(models, "PublicTest", "plain")
    assert answers.names == ["able", "weak"]
    assert "fair" in complaint
    for model in models:
        (model.folder / PREDICTIONS).unlink()
    answers, complaints = load_predictions(models, "PublicTest", "plain")
    assert answers is None
    assert len(complaints) == 3


def test_unknown_rows_are_compared_only_if_the_fingerprint_is_the_same(models):
    table = predictions(2.0).assign(row=-1)
    three = [
        save_model(promoted(), card(name, data_fingerprint=data), predictions=table)
        for name, data in (("one", "same"), ("two", "same"), ("three", "other"))
    ]
    answers, complaints = load_predictions(three, "PublicTest", "plain")
    assert answers.names == ["one", "two"]
    assert "The model three is left out" in complaints[0]
    expected = table[(table["split"] == "public_test") & (table["view"] == "plain")][PROBABILITIES]
    np.testing.assert_allclose(answers.probabilities["one"], expected)


def test_most_annotators_judge_the_faces_with_a_clear_answer(models, answers):
    voted, complaints = load_predictions(models, "PublicTest", "plain", "plurality")
    clear = plurality() >= 0
    assert complaints == []
    assert voted.labels.tolist() == plurality()[clear].tolist()
    assert voted.given.tolist() == labels()[clear].tolist()
    assert (len(voted.labels), voted.split_faces) == (84, 105)
    np.testing.assert_array_equal(voted.probabilities["able"], answers.probabilities["able"][clear])
    assert voted.where == "PublicTest, plain, judged by most annotators"
    same = (plurality() == labels())[clear].mean()
    assert "on the 84 of 105 faces with one clear answer" in voted.yardstick
    assert f"is the same on {100 * same:.1f} % of them" in voted.yardstick


def test_another_yardstick_is_refused(models):
    with pytest.raises(FerError, match=r"Expected by to be one of label, plurality\. Received: votes"):
        load_predictions(models, "PublicTest", "plain", "votes")


def test_one_table_with_votes_is_enough_and_none_is_not(models):
    for model in models[:2]:
        without_votes(model)
    voted, _ = load_predictions(models, "PublicTest", "plain", "plurality")
    assert len(voted.names) == 3
    without_votes(models[2])
    voted, complaints = load_predictions(models, "PublicTest", "plain", "plurality")
    assert voted is None
    assert "fer-lab evaluate NAME --save" in complaints[0]
    assert len(load_predictions(models, "PublicTest", "plain")[0].labels) == 105


def without_votes(model):
    path = model.folder / PREDICTIONS
    pd.read_parquet(path).drop(columns="plurality").to_parquet(path)


def scored(name, score, faces=2669):
    served = {"holdout_score": {"score": score, "faces": faces}}
    return StoredModel(name, Path(name), card(name, served=served))


def test_the_score_on_the_hold_out_recommends():
    sentence = recommendation(scored("new", 0.701), scored("old", 0.725))
    assert sentence.startswith("The old one scores 72.5 % on the hold-out, The new one 70.1 %: The old one is")
    assert "by most annotators and mean recall by most annotators, each on clean" in sentence, "six numbers"
    assert "neither is recommended" in recommendation(scored("a", 0.7), scored("b", 0.7))


@pytest.mark.parametrize("new", [scored("new", None), scored("new", 0.9, 500), scored("new", 0.9, None)])
def test_without_scores_of_the_same_faces_nothing_is_recommended(new):
    assert recommendation(new, scored("old", 0.725)).startswith("No recommendation")


def test_histories(models):
    bare = add_model(promoted(), "bare", history=False)
    (models[2].folder / "history.csv").write_bytes(b"\xff\xfe\x00")
    table, without, complaints = history_table([*models, bare], {"fair": "Fair (fair)"})
    assert set(table["name"]) == {"able", "fair"}
    assert set(table["model"]) == {"The able one", "Fair (fair)"}
    assert without == ["The bare one"]
    assert len(complaints) == 1
    assert "weak" in complaints[0]
    first = table[(table["name"] == "able") & (table["what"] == "accuracy")]
    assert first["faces"].tolist() == ["training"] * 2 + ["hold-out"] * 2
    assert first["epoch"].tolist() == [1, 2, 1, 2]
