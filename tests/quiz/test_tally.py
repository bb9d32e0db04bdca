from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from statsmodels.stats.proportion import proportion_confint

from fer_core.labels import EXPRESSIONS
from fer_core.quiz import (
    ANNOTATORS,
    LABEL,
    Agreement,
    Yardsticks,
    agreement,
    answer_counts,
    class_table,
    expression_table,
    face_table,
    own_table,
    people_table,
    together,
)

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
