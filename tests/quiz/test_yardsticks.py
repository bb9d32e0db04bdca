from __future__ import annotations

import numpy as np
import pytest

from fer_core.labels import EXPRESSIONS
from fer_core.metrics.predictions import Predictions
from fer_core.quiz import ANNOTATORS, LABEL, MODELS, draw_round, model_answers, yardsticks
from fer_core.quiz.yardsticks import most_say


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
