from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from statsmodels.stats.proportion import proportion_confint

from fer_core.data import FaceDataset, FerPlusVotes
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.predictions import Predictions
from fer_core.quiz import rounds
from fer_core.quiz.rounds import ANNOTATORS, CLASS, FACES, MODEL, YOU, Agreement, agreement, draw_round, new_game
from fer_core.types import FerError

TRAINING, TEST = 20, 140


@pytest.fixture(scope="module")
def made_up() -> FaceDataset:
    """Twenty training faces, then seventy of each test split whose labels go round the seven expressions."""
    n = TRAINING + TEST
    images = np.random.default_rng(1).integers(0, 256, (n, 48, 48)).astype(np.uint8)
    usage = np.array(["Training"] * TRAINING + ["PublicTest"] * (TEST // 2) + ["PrivateTest"] * (TEST // 2))
    return FaceDataset(images, np.arange(n) % 7, usage, np.arange(n))


@pytest.fixture(scope="module")
def voted(made_up: FaceDataset) -> FaceDataset:
    """The same with votes: seven annotators say fear, two contempt, one neutral."""
    votes = np.zeros((len(made_up), 10), np.int64)
    votes[:, [6, 7, 0]] = 7, 2, 1
    return made_up.with_votes(FerPlusVotes(votes))


def rows(drawn) -> list[int]:
    return [face.row for face in drawn]


def labels_of(drawn) -> tuple[str, ...]:
    return tuple(face.label for face in drawn)


def answers(dataset, split: str, models: dict[str, int], shift: int = 0) -> Predictions:
    """Predictions of a split: each model answers with the label's class moved on by its number."""
    part = dataset.subset(dataset.usage == split)
    table = {name: np.eye(7)[(part.labels + move) % 7] for name, move in models.items()}
    titles = {name: name.upper() for name in models}
    labels = (part.labels + shift) % 7
    return Predictions(split, "plain", "label", part.rows, labels, labels, len(part), table, titles)


def both(dataset, models: dict[str, int]) -> list[Predictions]:
    return [answers(dataset, split, models) for split in ("PublicTest", "PrivateTest")]


def test_ten_test_faces_of_all_labels_that_differ_by_seed_in_any_order_of_the_file(made_up):
    drawn = [draw_round(made_up, seed) for seed in [*range(19), 2**40]]
    for one in drawn:
        assert len(set(rows(one))) == FACES
        assert min(rows(one)) >= TRAINING
        assert set(labels_of(one)) == set(EXPRESSIONS)
        assert all(EXPRESSIONS[made_up.labels[face.row]] == face.label for face in one)
    assert len({tuple(rows(one)) for one in drawn}) == 20
    assert len({labels_of(one) for one in drawn}) == 20, "the places of the extra labels differ too"
    order = np.random.default_rng(0).permutation(len(made_up))
    assert rows(draw_round(made_up.subset(order), 7)) == rows(drawn[7])


def test_votes_are_shown_and_do_not_change_the_draw(made_up, voted):
    drawn = draw_round(voted, 7)
    assert rows(drawn) == rows(draw_round(made_up, 7))
    face = drawn[0]
    assert dict(zip(EXPRESSIONS, face.votes, strict=True)) == dict.fromkeys(EXPRESSIONS, 0) | {"fear": 7, "neutral": 1}
    assert (face.other_votes, face.majority) == (2, "fear")
    assert draw_round(made_up, 7)[0].votes is None
    assert (face.image.shape, face.image.dtype) == ((480, 480), np.uint8)
    assert abs(face.image[::10, ::10].mean() - made_up.images[face.row].mean()) < 5


def test_a_picture_of_one_gray_or_of_no_face_is_left_out_and_the_others_stay(voted):
    before = rows(draw_round(voted, 7))
    votes, images = voted.votes.votes.copy(), voted.images.copy()
    votes[before[0]] = [0, 0, 0, 0, 0, 0, 4, 0, 0, 6]
    images[before[3]] = 12
    after = rows(draw_round(replace(voted, votes=FerPlusVotes(votes), images=images), 7))
    assert set(before) - set(after) == {before[0], before[3]}


@pytest.mark.parametrize("kept", ["Training", "few"])
def test_too_few_test_faces(made_up, kept):
    selection = made_up.usage == "Training" if kept == "Training" else np.arange(25)
    with pytest.raises(FerError, match=r"needs 10 test faces .* data download, or data add\. Received: \d+ test faces"):
        draw_round(made_up.subset(selection), 1)


def test_no_face_of_the_real_rounds_is_in_training(fer2013):
    seen = set(fer2013.subset(fer2013.usage == "Training").ids)
    for seed in range(1, 31):
        drawn = fer2013.subset(np.array(rows(draw_round(fer2013, seed))))
        assert set(drawn.usage) <= {"PublicTest", "PrivateTest"}
        assert not seen & set(drawn.ids)


def test_the_model_is_compared_face_by_face(made_up, voted):
    drawn = draw_round(voted, 7)
    labels = labels_of(drawn)
    moved = new_game(drawn, both(voted, {"a": 0, "c": 3}), "c")
    assert (moved.model, moved.labels, moved.voted) == ("C", labels, True)
    assert moved.predicted == tuple(EXPRESSIONS[(EXPRESSIONS.index(label) + 3) % 7] for label in labels)
    scores = moved.scores(YOU, ("fear",) * FACES)
    assert scores == {YOU: labels.count("fear"), MODEL: 0, ANNOTATORS: labels.count("fear")}
    without = new_game(draw_round(made_up, 7), [], "a")
    assert (without.model, without.predicted, without.scores(CLASS, labels)) == ("", (None,) * FACES, {CLASS: FACES})


def test_predictions_of_other_faces_do_not_count(made_up):
    drawn = draw_round(made_up, 7)
    other = answers(made_up, "PublicTest", {"one": 0}, shift=1)  # another label on every row
    assert new_game(drawn, [other], "one").predicted == (None,) * FACES
    half = new_game(drawn, [answers(made_up, "PublicTest", {"one": 0})], "one").predicted
    assert [said is not None for said in half] == [face.split == "PublicTest" for face in drawn]


def test_agreement_is_the_accuracy_of_scikit_learn_with_the_interval_of_statsmodels():
    one, two = np.random.default_rng(0).choice(EXPRESSIONS, (2, 200)).tolist()
    same = agreement(one, two)
    assert same.same / same.of == accuracy_score(two, one)
    low, high = proportion_confint(6, 10, method="wilson")
    assert Agreement(6, 10).interval_text == f"{100 * low:.0f} % to {100 * high:.0f} %"
    assert agreement([], ["sad"]).interval_text == "–"


def test_a_tie_is_no_answer_and_missing_answers_do_not_count():
    assert rounds.most_say(["sad", "sad", "fear"]) == rounds.most_say(["sad", None]) == "sad"
    assert rounds.most_say(["sad", "fear"]) is rounds.most_say([None, None]) is rounds.most_say([]) is None
    assert agreement(["sad", "fear", None, "happy"], ["sad", None, "sad", "angry", "sad"]) == Agreement(1, 2)


def test_the_class_says_what_most_of_it_say_and_the_best_win(made_up):
    current = new_game(draw_round(made_up, 7), [])
    wrong = tuple(EXPRESSIONS[(EXPRESSIONS.index(label) + 1) % 7] for label in current.labels)
    people = {"Ada": current.labels[:3], "Bo": (None, *current.labels[1:4]), "Cy": (*current.labels[:2], wrong[2])}
    assert rounds.class_says(people.values())[:4] == current.labels[:4]
    assert rounds.class_says([wrong, current.labels]) == (None,) * FACES
    assert rounds.winners(people, current) == (["Ada", "Bo"], 3)
    assert rounds.winners({"Dee": wrong}, current) == rounds.winners({}, current) == ([], 0)
    assert sum(rounds.answer_counts(people.values(), 3)) == 1
    assert rounds.in_words({CLASS: 7, MODEL: 6, ANNOTATORS: 8}) == "Class 7, model 6, annotators 8 of 10."
