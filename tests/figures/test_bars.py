import numpy as np
import pandas as pd
import pytest

from fer_core.figures import bars as charts
from fer_core.labels import COLORS, EXPRESSIONS

HAPPY = np.array([0.01, 0.0, 0.004, 0.9, 0.05, 0.016, 0.02], np.float32)
SAD = np.array([0.1, 0.0, 0.1, 0.1, 0.6, 0.05, 0.05])
LOGITS = np.array([-1.25, 0.0, 0.5, 3.0, -0.004, 1.0, 2.0])
TORN = [0.1, 0.0, 0.2, 0.1, 0.35, 0.05, 0.2]


def stripped(texts):
    return [text.strip() for text in texts]


def test_percentages_in_the_projects_order_and_colours_with_the_largest_in_bold():
    for draw in (charts.logit_bars, charts.probability_bars):
        figure = draw(HAPPY)
        (bars,) = figure.data
        np.testing.assert_allclose(bars.x, HAPPY, rtol=1e-6)
        assert dict(zip(bars.y, bars.marker.color, strict=True)) == COLORS
        assert bars.y == figure.layout.yaxis.categoryarray == EXPRESSIONS
    texts = dict(zip(bars.y, bars.text, strict=True))
    assert texts["happy"] == "<b>90 %</b>"
    assert bars.hovertext[bars.y.index("happy")] == "90.0 %"
    assert (texts["fear"], texts["disgust"], texts["sad"]) == ("< 1 %", "0 %", "5 %")
    assert figure.layout.xaxis.range == charts.probability_bars(SAD).layout.xaxis.range
    assert charts.probability_text(HAPPY) == "happy 90 %, sad 5 %, neutral 2 %"
    assert charts.probability_text(SAD, top=1) == "sad 60 %"


def test_wide_bars_behind_narrow_ones_and_words_beyond_the_longer():
    before, after, words = charts.probability_change(HAPPY, SAD).data
    np.testing.assert_allclose(before.x, HAPPY, rtol=1e-6)
    np.testing.assert_allclose(after.x, SAD)
    np.testing.assert_allclose(words.x, np.maximum(HAPPY, SAD), rtol=1e-6)
    assert words.text[EXPRESSIONS.index("sad")].strip() == "<b>60 %</b>"
    annotators, people, words = charts.answers_and_votes([0, 0, 0, 3, 1, 0, 0], [0, 0, 0, 5, 0, 0, 4], total=10).data
    np.testing.assert_allclose(annotators.x, [0, 0, 0, 0.5, 0, 0, 0.4])
    np.testing.assert_allclose(people.x, [0, 0, 0, 0.75, 0.25, 0, 0])
    assert stripped(words.text) == ["", "", "", "<b>3</b>", "1", "", ""]


def test_votes_are_written_as_numbers_and_drawn_as_shares_of_all_ten():
    (bars,) = charts.vote_bars([0, 0, 1, 6, 0, 0, 1], total=10).data
    assert list(bars.text) == ["", "", "1", "<b>6</b>", "", "", "1"]
    np.testing.assert_allclose(bars.x, [0, 0, 0.1, 0.6, 0, 0, 0.1])
    assert not charts.vote_bars([0] * 7, total=0).data[0].x.any()


def test_shares_of_time_with_their_words_the_longest_first():
    numbers = {"seconds": [0, 0, 0.02, 6, 0, 0, 3.98], "share": [0, 0, 0.002, 0.6, 0, 0, 0.398]}
    shares = pd.DataFrame({"expression": EXPRESSIONS, **numbers})
    (bars,) = charts.time_share_bars(shares).data
    assert list(bars.text) == ["0 %", "0 %", "< 1 %", "<b>60 %</b>", "0 %", "0 %", "40 %"]
    assert list(bars.customdata) == numbers["seconds"]
    assert charts.time_share_text(shares) == "happy 60 %, neutral 40 %, fear < 1 %"


def test_scores_may_be_negative_and_softmax_shows_score_exponential_and_share():
    figure, powers = charts.logit_bars(LOGITS), np.exp(LOGITS)
    assert (figure.data[0].text[0], figure.data[0].text[3]) == ("−1.25", "<b>+3.00</b>")
    low, high = figure.layout.xaxis.range
    assert low < -1.25 and high > 3
    shares = powers / powers.sum()
    bars, scores, exponentials = charts.softmax_table(LOGITS, powers, probabilities=shares).data
    np.testing.assert_allclose(bars.x, shares)
    assert (scores.text[3], exponentials.text[3], exponentials.text[1]) == ("<b>3.00</b>", "<b>20.09</b>", "1.00")
    assert charts.softmax_table(LOGITS, powers * 1000, probabilities=shares).data[2].text[1] == "1,000"


@pytest.mark.parametrize("wrong", [[0.5, 0.5], np.zeros((1, 7)), np.zeros(8)])
def test_other_shapes(wrong):
    for draw in (
        charts.probability_bars,
        charts.logit_bars,
        lambda values: charts.probability_change(HAPPY, values),
        lambda values: charts.softmax_table(LOGITS, values, probabilities=SAD),
    ):
        with pytest.raises(ValueError, match=r"Expected values of shape \(7,\)\. Received"):
            draw(wrong)


def test_numbers_of_faces_in_one_or_two_parts():
    index = pd.Index(EXPRESSIONS, name="expression")
    counts = pd.DataFrame({"training": [1, 0, 3, 4000, 5, 6, 7], "holdout": [1] * 7}, index)
    training, holdout, words = charts.class_counts(counts).data
    assert list(training.marker.color) == list(COLORS.values())
    assert stripped(words.text) == ["1 + 1", "0 + 1", "3 + 1", "4,000 + 1", "5 + 1", "6 + 1", "7 + 1"]
    assert sum(training.x) + sum(holdout.x) == 4029
    none = charts.class_counts(pd.DataFrame({"snapshots": [0] * 7}, index))
    assert none.layout.xaxis.range[1] > 0


def test_a_bar_for_each_expression_and_split():
    rows = [[1, 2, 3, 4, 5, 6, 7], [7, 0, 0, 0, 0, 0, 7]]
    counts = pd.DataFrame(rows, ["Training", "PublicTest"], list(EXPRESSIONS))
    training, public, *entries = charts.class_distribution(counts).data
    assert [bar.name for bar in entries] == [training.name, public.name] == ["Training", "PublicTest"]
    patterns = [bar.marker.pattern.shape for bar in entries]
    assert patterns == [training.marker.pattern.shape, public.marker.pattern.shape]
    assert patterns[0] != patterns[1]
    assert list(training.y) == [1, 2, 3, 4, 5, 6, 7]
    assert dict(zip(training.x, training.marker.color, strict=True)) == COLORS


def test_a_bar_for_each_model_below_its_title_and_answer():
    figure = charts.model_answers(["<a>One</a>", "Two"], ["happy", "not sure"], probabilities=[HAPPY, TORN])
    assert {trace.name: trace.marker.color for trace in figure.data} == COLORS
    totals = sum(np.asarray(trace.x) for trace in figure.data)
    np.testing.assert_allclose(totals, [HAPPY.sum(), sum(TORN)], rtol=1e-6)
    heads = [(note.y, note.text) for note in figure.layout.annotations]
    assert heads == [("0", "&lt;a&gt;One&lt;/a&gt;: <b>happy</b>"), ("1", "Two: <b>not sure</b>")]
    words = {trace.name: trace.text for trace in figure.data}
    assert words["happy"] == ("<b>happy 90 %</b>", "")
    assert words["sad"] == ("", "<b>sad 35 %</b>")
    for wrong in ([HAPPY], [HAPPY[:6], TORN[:6]], HAPPY):
        with pytest.raises(ValueError, match="Received"):
            charts.model_answers(["One", "Two"], ["happy", "sad"], probabilities=wrong)
