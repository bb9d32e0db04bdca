"""How answers are counted, against scikit-learn, statsmodels and cases by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from statsmodels.stats.proportion import proportion_confint

from fer_core.labels import EXPRESSIONS
from fer_core.metrics.predictions import Predictions
from fer_core.quiz.rounds import draw_round
from fer_core.quiz.tally import (
    ANNOTATORS,
    LABEL,
    MODELS,
    Agreement,
    Yardsticks,
    agreement,
    answer_counts,
    class_table,
    expression_table,
    face_table,
    model_answers,
    most_say,
    own_table,
    people_table,
    together,
    yardsticks,
)


def answers(dataset, split: str, models: dict[str, int], shift: int = 0) -> Predictions:
    """Predictions of a split: each model answers with the label's class moved on by its number."""
    part = dataset.subset(dataset.usage == split)
    table = {name: np.eye(7)[(part.labels + move) % 7] for name, move in models.items()}
    titles = {name: name.upper() for name in models}
    given = (part.labels + shift) % 7
    return Predictions(split, "plain", "label", part.rows, given, given, len(part), table, titles)


def both(dataset, models: dict[str, int]) -> list[Predictions]:
    return [answers(dataset, split, models) for split in ("PublicTest", "PrivateTest")]


def moved(labels: tuple[str, ...], by: int) -> tuple[str, ...]:
    return tuple(EXPRESSIONS[(EXPRESSIONS.index(label) + by) % 7] for label in labels)


def test_models_answers_belong_to_the_faces(made_up):
    drawn = draw_round(made_up, 7)
    found = model_answers(drawn, both(made_up, {"right": 0, "wrong": 2}))
    assert found == {"RIGHT": drawn.labels, "WRONG": moved(drawn.labels, 2)}


def test_predictions_of_other_faces_do_not_count(made_up):
    drawn = draw_round(made_up, 7)
    other = answers(made_up, "PublicTest", {"one": 0}, shift=1)  # another label on every row
    assert model_answers(drawn, [other]) == {}
    half = model_answers(drawn, [answers(made_up, "PublicTest", {"one": 0})])["ONE"]
    assert [said is not None for said in half] == [face.split == "PublicTest" for face in drawn.faces]


def test_main_yardsticks(made_up, voted):
    drawn = draw_round(voted, 7)
    compared = yardsticks(drawn, both(voted, {"a": 0, "b": 0, "c": 3}))
    assert compared.main == {LABEL: drawn.labels, ANNOTATORS: ("fear",) * 10, MODELS: drawn.labels}
    assert list(compared.all) == [LABEL, ANNOTATORS, MODELS, "A", "B", "C"]
    assert list(yardsticks(draw_round(made_up, 7), both(made_up, {"a": 0})).main) == [LABEL]


@pytest.mark.parametrize(
    ("said", "most"),
    [
        (["sad", "sad", "fear"], "sad"),
        (["sad", "fear"], None),
        (["sad", None], "sad"),
        ([None, None], None),
        ([], None),
    ],
)
def test_a_tie_is_no_answer(said, most):
    assert most_say(said) == most


COMPARED = Yardsticks(
    {LABEL: ("sad", "sad", "happy"), ANNOTATORS: ("sad", None, "happy")}, {"Model": ("sad", "fear", "fear")}
)


def test_agreement_is_the_accuracy_of_scikit_learn():
    one, two = np.random.default_rng(0).choice(EXPRESSIONS, (2, 200)).tolist()
    assert agreement(one, two).share == accuracy_score(two, one)


def test_missing_answers_do_not_count():
    found = agreement(["sad", "fear", None, "happy"], ["sad", None, "sad", "angry", "sad"])
    assert (found, str(found), found.percent) == (Agreement(1, 2), "1 of 2", "50 %")
    none = agreement([], ["sad"])
    assert (str(none), none.percent, none.interval_text) == ("–", "–", "–")
    assert math.isnan(none.share)


def test_interval_is_that_of_statsmodels():
    low, high = proportion_confint(6, 10, method="wilson")
    interval = Agreement(6, 10).interval
    assert (interval.low, interval.high) == pytest.approx((low, high))
    assert Agreement(6, 10).interval_text == "31 % to 83 %"


def test_everybody_together_counts_every_answer():
    people = [("sad", "fear", "happy"), ("sad",), ()]
    assert together(people, COMPARED.main[LABEL]) == Agreement(3, 4)
    assert together([], COMPARED.main[LABEL]) == Agreement(0, 0)


def test_own_table():
    table = own_table(("sad", "fear", "fear"), COMPARED).set_index("who")
    assert table.loc["You", "you"] == ""
    assert table.loc["You", ["label", "annotators"]].tolist() == ["1 of 3", "1 of 2"]
    assert table["you"].tolist() == ["", "1 of 3", "1 of 2", "3 of 3"]
    assert table.loc["Model", ["label", "annotators"]].tolist() == ["1 of 3", "1 of 2"]
    assert "annotators" not in own_table(("sad",), Yardsticks({LABEL: ("sad",)}))


def test_tables_of_a_class():
    people = {"Ada": ("sad", "fear", "happy"), "Bo": ("sad",), "Cy": ()}
    table = people_table(people, COMPARED)
    assert table.to_numpy().tolist() == [
        ["Ada", 3, "2 of 3", "2 of 2"],
        ["Bo", 1, "1 of 1", "1 of 1"],
        ["Cy", 0, "–", "–"],
    ]
    row = class_table(list(people.values()), COMPARED).set_index("who").loc["Model"]
    assert row.tolist() == ["75 %", "3 of 4", "30 % to 95 %", "1 of 3"]
    by_expression = expression_table(list(people.values()), COMPARED)
    assert by_expression[["expression", "faces", LABEL, ANNOTATORS]].to_numpy().tolist() == [
        ["happy", 1, "1 of 1", "1 of 1"],
        ["sad", 2, "2 of 3", "2 of 2"],
    ]


def test_answers_of_a_face():
    people = [("sad", "fear"), ("sad",), ()]
    assert dict(zip(EXPRESSIONS, answer_counts(people, 0).tolist(), strict=True))["sad"] == 2
    assert answer_counts(people, 1).sum() == 1
    assert answer_counts(people, 2).sum() == 0


def test_table_of_faces():
    table = face_table({"You": ("sad",)}, COMPARED)
    assert table.to_numpy().tolist() == [
        [1, "sad", "sad", "sad", "sad"],
        [2, "–", "sad", "–", "fear"],
        [3, "–", "happy", "happy", "fear"],
    ]
