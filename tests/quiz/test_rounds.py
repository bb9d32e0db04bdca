from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_core.data import FerPlusVotes
from fer_core.labels import EXPRESSIONS
from fer_core.quiz.rounds import FACES, draw_round, enlarged
from fer_core.types import FerError


def rows(a_round) -> list[int]:
    return [face.row for face in a_round.faces]


def test_any_seed_gives_ten_test_faces_of_all_labels_and_the_same_ones_again(made_up):
    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 2**40))
    def check(seed: int) -> None:
        drawn = draw_round(made_up, seed)
        assert rows(drawn) == rows(draw_round(made_up, seed))
        assert len(set(rows(drawn))) == FACES
        assert min(rows(drawn)) >= 20, "a training face"
        assert set(drawn.labels) == set(EXPRESSIONS)
        assert all(EXPRESSIONS[made_up.labels[face.row]] == face.label for face in drawn.faces)

    check()


def test_seeds_differ_and_so_does_the_place_of_the_extra_labels(made_up):
    drawn = [draw_round(made_up, seed) for seed in range(20)]
    assert len({tuple(rows(one)) for one in drawn}) == 20
    assert len({one.labels for one in drawn}) == 20


def test_the_order_of_the_files_does_not_matter(made_up):
    order = np.random.default_rng(0).permutation(len(made_up))
    assert rows(draw_round(made_up.subset(order), 7)) == rows(draw_round(made_up, 7))


def test_votes_are_shown_and_do_not_change_the_draw(made_up, voted):
    drawn = draw_round(voted, 7)
    assert rows(drawn) == rows(draw_round(made_up, 7))
    face = drawn.faces[0]
    assert dict(zip(EXPRESSIONS, face.votes, strict=True)) == dict.fromkeys(EXPRESSIONS, 0) | {"fear": 7, "neutral": 1}
    assert (face.other_votes, face.majority) == (2, "fear")
    assert drawn.has_votes
    assert not draw_round(made_up, 7).has_votes


def test_what_most_call_not_a_face_is_left_out_and_the_others_stay(voted):
    before = rows(draw_round(voted, 7))
    votes = voted.votes.votes.copy()
    votes[before[0]] = [0, 0, 0, 0, 0, 0, 4, 0, 0, 6]
    after = rows(draw_round(replace(voted, votes=FerPlusVotes(votes)), 7))
    assert before[0] not in after
    assert len(set(before) & set(after)) == FACES - 1


def test_a_picture_of_one_gray_is_left_out(made_up):
    gone = rows(draw_round(made_up, 7))[3]
    images = made_up.images.copy()
    images[gone] = 12
    assert gone not in rows(draw_round(replace(made_up, images=images), 7))


@pytest.mark.parametrize("kept", ["Training", "few"])
def test_too_few_test_faces(made_up, kept):
    selection = made_up.usage == "Training" if kept == "Training" else np.arange(25)
    with pytest.raises(FerError, match=r"needs 10 test faces .* data download\. Received: \d+ test faces"):
        draw_round(made_up.subset(selection), 1)


def test_no_face_of_the_real_rounds_is_in_training(fer2013):
    seen = set(fer2013.subset(fer2013.usage == "Training").ids)
    for seed in range(1, 31):
        drawn = fer2013.subset(np.array(rows(draw_round(fer2013, seed))))
        assert set(drawn.usage) <= {"PublicTest", "PrivateTest"}
        assert not seen & set(drawn.ids)


def test_faces_are_enlarged_ten_times():
    half = np.zeros((48, 48), np.uint8)
    half[:, 24:] = 255
    big = enlarged(half)
    assert (big.shape, big.dtype) == ((480, 480), np.uint8)
    assert (big[:, :220] < 20).all()
    assert (big[:, 260:] > 235).all()
