"""Charts of the last steps of a prediction."""

import numpy as np
import pytest

from fer_core.figures.bars import logit_bars, softmax_table
from fer_core.figures.matrices import number_grid
from fer_core.labels import COLORS, EXPRESSIONS

LOGITS = np.array([-1.25, 0.0, 0.5, 3.0, -0.004, 1.0, 2.0])


def test_cells_have_their_numbers_in_readable_ink():
    figure = number_grid(np.array([[-1.0, 0.999], [-0.001, 0.25]]), -1, high=1)
    words = [(note.text, note.font.color) for note in figure.layout.annotations]
    dark, light = "#FFFFFF", "#000000"
    assert words == [("−1.00", dark), ("1.00", light), ("0.00", dark), ("0.25", light)]
    assert number_grid(np.array([[-103.9]]), -123, high=151).layout.annotations[0].text == "−104"


def test_scores_in_the_projects_order_and_colours():
    (bars,) = logit_bars(LOGITS).data
    assert dict(zip(bars.y, bars.marker.color, strict=True)) == COLORS
    np.testing.assert_array_equal(bars.x, LOGITS)
    assert bars.text[0] == "−1.25"
    assert bars.text[EXPRESSIONS.index("happy")] == "<b>+3.00</b>"
    low, high = logit_bars(LOGITS).layout.xaxis.range
    assert low < -1.25
    assert high > 3
    assert logit_bars(np.zeros(7)).layout.xaxis.range[0] < 0


def test_softmax_shows_score_exponential_and_share():
    powers = np.exp(LOGITS)
    shares = powers / powers.sum()
    bars, scores, exponentials = softmax_table(LOGITS, powers, probabilities=shares).data
    np.testing.assert_allclose(bars.x, shares)
    assert scores.text[3] == "<b>3.00</b>"
    assert exponentials.text[3] == "<b>20.09</b>"
    assert exponentials.text[1] == "1.00"
    assert softmax_table(LOGITS, powers * 1000, probabilities=shares).data[2].text[1] == "1,000"


@pytest.mark.parametrize("make", [logit_bars, lambda values: softmax_table(LOGITS, values, probabilities=LOGITS)])
def test_another_number_of_expressions_is_refused(make):
    with pytest.raises(ValueError, match=r"shape \(7,\)"):
        make(np.zeros(6))


def test_numbers_need_two_dimensions_and_a_range():
    with pytest.raises(ValueError, match="rows, columns"):
        number_grid(np.zeros(3), 0, high=1)
    with pytest.raises(ValueError, match="above"):
        number_grid(np.zeros((2, 2)), 1, high=1)
