from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.figures.bars import (
    answers_and_votes,
    class_counts,
    probability_bars,
    probability_change,
    probability_text,
    time_share_bars,
    time_share_text,
    vote_bars,
)
from fer_core.labels import COLORS, EXPRESSIONS

HAPPY = np.array([0.01, 0.0, 0.004, 0.9, 0.05, 0.016, 0.02], np.float32)
SAD = np.array([0.1, 0.0, 0.1, 0.1, 0.6, 0.05, 0.05])
SHARES = pd.DataFrame(
    {
        "face": [1] * 7,
        "expression": EXPRESSIONS,
        "seconds": [0, 0, 0.02, 6, 0, 0, 3.98],
        "share": [0, 0, 0.002, 0.6, 0, 0, 0.398],
    }
)


def test_seven_bars_in_the_projects_order_and_colours():
    figure = probability_bars(HAPPY)
    (bars,) = figure.data
    assert bars.y == EXPRESSIONS
    np.testing.assert_allclose(bars.x, HAPPY, rtol=1e-6)
    assert dict(zip(bars.y, bars.marker.color, strict=True)) == COLORS
    assert figure.layout.yaxis.categoryarray == EXPRESSIONS
    assert figure.layout.yaxis.autorange == "reversed"  # the first on top


def test_percentages_with_the_largest_in_bold():
    (bars,) = probability_bars(HAPPY).data
    said = dict(zip(bars.y, bars.text, strict=True))
    assert said["happy"] == "<b>90 %</b>"
    assert (said["fear"], said["disgust"], said["sad"]) == ("< 1 %", "0 %", "5 %")


def test_axis_ends_at_the_same_place_in_every_small_multiple():
    ranges = [probability_bars(p).layout.xaxis.range for p in (HAPPY, SAD)]
    assert ranges[0] == ranges[1]
    assert ranges[0][0] == 0
    assert ranges[0][1] > 1


def test_change_holds_both_and_writes_beyond_the_longer_bar():
    before, after, words = probability_change(HAPPY, SAD).data
    np.testing.assert_allclose(before.x, HAPPY, rtol=1e-6)
    np.testing.assert_allclose(after.x, SAD)
    np.testing.assert_allclose(words.x, np.maximum(HAPPY, SAD), rtol=1e-6)
    assert words.text[EXPRESSIONS.index("sad")].strip() == "<b>60 %</b>"


def test_words():
    assert probability_text(HAPPY) == "happy 90 %, sad 5 %, neutral 2 %"
    assert probability_text(SAD, top=1) == "sad 60 %"
    assert len(probability_text(SAD, top=7).split(", ")) == 7


@pytest.mark.parametrize("wrong", [[0.5, 0.5], np.zeros((1, 7)), np.zeros(8)])
def test_other_shapes(wrong):
    with pytest.raises(ValueError, match=r"Expected values of shape \(7,\)\. Received"):
        probability_bars(wrong)
    with pytest.raises(ValueError, match="shape"):
        probability_change(HAPPY, wrong)


def counts(**parts: list[int]) -> pd.DataFrame:
    return pd.DataFrame(parts, index=pd.Index(EXPRESSIONS, name="expression"))


def test_every_expression_has_its_colour_and_its_number():
    training, holdout, words = class_counts(counts(training=[1, 0, 3, 4000, 5, 6, 7], holdout=[1] * 7)).data
    assert list(training.marker.color) == list(COLORS.values())
    assert [word.strip() for word in words.text] == [
        "1 + 1", "0 + 1", "3 + 1", "4,000 + 1", "5 + 1", "6 + 1", "7 + 1"
    ]  # fmt: skip
    assert sum(training.x) + sum(holdout.x) == 4029
    assert training.marker.opacity > holdout.marker.opacity


def test_one_part_and_no_face_at_all():
    figure = class_counts(counts(snapshots=[0] * 7))
    assert figure.layout.xaxis.range[1] > 0
    assert len(figure.data) == 2


def test_bars_carry_all_seven_with_their_percentages():
    (bars,) = time_share_bars(SHARES).data
    assert list(zip(bars.y, bars.text, strict=True)) == [
        ("angry", "0 %"), ("disgust", "0 %"), ("fear", "< 1 %"), ("happy", "<b>60 %</b>"), ("sad", "0 %"),
        ("surprise", "0 %"), ("neutral", "40 %"),
    ]  # fmt: skip
    assert list(bars.customdata) == SHARES["seconds"].tolist()


def test_words_name_what_was_seen_the_longest_first():
    assert time_share_text(SHARES) == "happy 60 %, neutral 40 %, fear < 1 %"


def test_votes_are_written_as_numbers_and_drawn_as_shares_of_all_ten():
    (bars,) = vote_bars([0, 0, 1, 6, 0, 0, 1], total=10).data
    assert list(bars.text) == ["", "", "1", "<b>6</b>", "", "", "1"]
    np.testing.assert_allclose(bars.x, [0, 0, 0.1, 0.6, 0, 0, 0.1])
    assert not vote_bars([0] * 7, total=0).data[0].x.any()


def test_a_class_before_the_annotators():
    annotators, people, words = answers_and_votes([0, 0, 0, 3, 1, 0, 0], [0, 0, 0, 5, 0, 0, 4], total=10).data
    np.testing.assert_allclose(annotators.x, [0, 0, 0, 0.5, 0, 0, 0.4])
    np.testing.assert_allclose(people.x, [0, 0, 0, 0.75, 0.25, 0, 0])
    np.testing.assert_allclose(words.x, np.maximum(annotators.x, people.x))
    assert [word.strip() for word in words.text] == ["", "", "", "<b>3</b>", "1", "", ""]
    assert not answers_and_votes([0] * 7, [0] * 7, total=0).data[1].x.any()
