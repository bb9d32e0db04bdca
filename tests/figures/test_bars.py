"""Bars of the seven expressions."""

import numpy as np
import pandas as pd
import pytest

from fer_core.figures.bars import (
    answers_and_votes,
    class_counts,
    class_distribution,
    logit_bars,
    model_answers,
    probability_bars,
    probability_change,
    probability_text,
    softmax_table,
    time_share_bars,
    time_share_text,
    vote_bars,
)
from fer_core.labels import COLORS, EXPRESSIONS

HAPPY = np.array([0.01, 0.0, 0.004, 0.9, 0.05, 0.016, 0.02], np.float32)
SAD = np.array([0.1, 0.0, 0.1, 0.1, 0.6, 0.05, 0.05])
SHARES = pd.DataFrame(
    {"expression": EXPRESSIONS, "seconds": [0, 0, 0.02, 6, 0, 0, 3.98], "share": [0, 0, 0.002, 0.6, 0, 0, 0.398]}
)
LOGITS = np.array([-1.25, 0.0, 0.5, 3.0, -0.004, 1.0, 2.0])
TORN = [0.1, 0.0, 0.2, 0.1, 0.35, 0.05, 0.2]


def stripped(texts):
    return [text.strip() for text in texts]


@pytest.mark.parametrize("draw", [probability_bars, logit_bars])
def test_seven_bars_in_the_projects_order_and_colours(draw):
    figure = draw(HAPPY)
    (bars,) = figure.data
    assert bars.y == EXPRESSIONS
    np.testing.assert_allclose(bars.x, HAPPY, rtol=1e-6)
    assert dict(zip(bars.y, bars.marker.color, strict=True)) == COLORS
    assert figure.layout.yaxis.categoryarray == EXPRESSIONS
    assert figure.layout.yaxis.autorange == "reversed"  # the first on top


def test_percentages_with_the_largest_in_bold():
    (bars,) = probability_bars(HAPPY).data
    texts = dict(zip(bars.y, bars.text, strict=True))
    assert texts["happy"] == "<b>90 %</b>"
    assert (texts["fear"], texts["disgust"], texts["sad"]) == ("< 1 %", "0 %", "5 %")
    low, high = probability_bars(HAPPY).layout.xaxis.range
    assert (low, high) == probability_bars(SAD).layout.xaxis.range
    assert low == 0
    assert high > 1
    assert probability_text(HAPPY) == "happy 90 %, sad 5 %, neutral 2 %"
    assert probability_text(SAD, top=1) == "sad 60 %"
    assert len(probability_text(SAD, top=7).split(", ")) == 7


def test_change_holds_both_and_writes_beyond_the_longer_bar():
    before, after, words = probability_change(HAPPY, SAD).data
    np.testing.assert_allclose(before.x, HAPPY, rtol=1e-6)
    np.testing.assert_allclose(after.x, SAD)
    np.testing.assert_allclose(words.x, np.maximum(HAPPY, SAD), rtol=1e-6)
    assert words.text[EXPRESSIONS.index("sad")].strip() == "<b>60 %</b>"


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
    assert stripped(words.text) == ["", "", "", "<b>3</b>", "1", "", ""]
    assert not answers_and_votes([0] * 7, [0] * 7, total=0).data[1].x.any()


def test_shares_of_time_with_their_words_the_longest_first():
    (bars,) = time_share_bars(SHARES).data
    assert list(bars.text) == ["0 %", "0 %", "< 1 %", "<b>60 %</b>", "0 %", "0 %", "40 %"]
    assert list(bars.customdata) == SHARES["seconds"].tolist()
    assert time_share_text(SHARES) == "happy 60 %, neutral 40 %, fear < 1 %"


def test_scores_may_be_negative():
    (bars,) = logit_bars(LOGITS).data
    assert bars.text[0] == "−1.25"
    assert bars.text[3] == "<b>+3.00</b>"
    low, high = logit_bars(LOGITS).layout.xaxis.range
    assert low < -1.25
    assert high > 3
    assert logit_bars(np.zeros(7)).layout.xaxis.range[0] < 0


def test_softmax_shows_score_exponential_and_share():
    powers = np.exp(LOGITS)
    shares = powers / powers.sum()
    bars, scores, exponentials = softmax_table(LOGITS, powers, probabilities=shares).data
    np.testing.assert_allclose(bars.x, shares)
    assert (scores.text[3], exponentials.text[3], exponentials.text[1]) == ("<b>3.00</b>", "<b>20.09</b>", "1.00")
    assert softmax_table(LOGITS, powers * 1000, probabilities=shares).data[2].text[1] == "1,000"


@pytest.mark.parametrize("wrong", [[0.5, 0.5], np.zeros((1, 7)), np.zeros(8)])
@pytest.mark.parametrize(
    "draw",
    [
        probability_bars,
        logit_bars,
        lambda values: probability_change(HAPPY, values),
        lambda values: softmax_table(LOGITS, values, probabilities=SAD),
    ],
)
def test_other_shapes(draw, wrong):
    with pytest.raises(ValueError, match=r"Expected values of shape \(7,\)\. Received"):
        draw(wrong)


def test_numbers_of_faces_in_one_or_two_parts():
    index = pd.Index(EXPRESSIONS, name="expression")
    counts = pd.DataFrame({"training": [1, 0, 3, 4000, 5, 6, 7], "holdout": [1] * 7}, index)
    training, holdout, words = class_counts(counts).data
    assert list(training.marker.color) == list(COLORS.values())
    assert stripped(words.text) == ["1 + 1", "0 + 1", "3 + 1", "4,000 + 1", "5 + 1", "6 + 1", "7 + 1"]
    assert sum(training.x) + sum(holdout.x) == 4029
    assert training.marker.opacity > holdout.marker.opacity
    none = class_counts(pd.DataFrame({"snapshots": [0] * 7}, index))
    assert none.layout.xaxis.range[1] > 0
    assert len(none.data) == 2


def test_a_bar_for_each_expression_and_split():
    rows = [[1, 2, 3, 4, 5, 6, 7], [7, 0, 0, 0, 0, 0, 7]]
    counts = pd.DataFrame(rows, ["Training", "PublicTest"], list(EXPRESSIONS))
    training, public, *entries = class_distribution(counts).data
    assert [bar.name for bar in entries] == [training.name, public.name] == ["Training", "PublicTest"]
    patterns = [bar.marker.pattern.shape for bar in entries]
    assert patterns == [training.marker.pattern.shape, public.marker.pattern.shape]
    assert patterns[0] != patterns[1]
    # A colour of its own for the lines would vanish on a page of this colour, in the legend first of all
    assert not any(bar.marker.pattern.fgcolor for bar in (training, public, *entries))
    assert list(training.y) == [1, 2, 3, 4, 5, 6, 7]
    assert dict(zip(training.x, training.marker.color, strict=True)) == COLORS
    assert list(class_distribution(counts, shares=True).data[1].y) == [0.5, 0, 0, 0, 0, 0, 0.5]


def test_a_bar_for_each_model_below_its_title_and_answer():
    figure = model_answers(["<a>One</a>", "Two"], ["happy", "not sure"], probabilities=[HAPPY, TORN])
    assert [trace.name for trace in figure.data] == list(EXPRESSIONS)
    assert [trace.marker.color for trace in figure.data] == [COLORS[name] for name in EXPRESSIONS]
    totals = sum(np.asarray(trace.x) for trace in figure.data)
    np.testing.assert_allclose(totals, [HAPPY.sum(), sum(TORN)], rtol=1e-6)
    assert figure.layout.yaxis.autorange == "reversed"
    heads = [(note.y, note.text) for note in figure.layout.annotations]
    assert heads == [("0", "&lt;a&gt;One&lt;/a&gt;: <b>happy</b>"), ("1", "Two: <b>not sure</b>")]
    words = {trace.name: trace.text for trace in figure.data}
    assert words["happy"] == ("<b>happy 90 %</b>", "")
    assert words["sad"] == ("", "<b>sad 35 %</b>")
    assert words["angry"] == ("", "")


@pytest.mark.parametrize("wrong", [[HAPPY], [HAPPY[:6], TORN[:6]], HAPPY])
def test_another_number_of_models_is_refused(wrong):
    with pytest.raises(ValueError, match="Received"):
        model_answers(["One", "Two"], ["happy", "sad"], probabilities=wrong)
