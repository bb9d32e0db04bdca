from __future__ import annotations

import numpy as np
import pytest

from fer_core.figures.bars import model_answers
from fer_core.labels import COLORS, EXPRESSIONS

SURE = [0.01, 0.0, 0.01, 0.9, 0.03, 0.02, 0.03]
TORN = [0.1, 0.0, 0.2, 0.1, 0.35, 0.05, 0.2]


def test_each_bar_is_full_and_divided_in_the_projects_colours():
    figure = model_answers(["One", "Two"], ["happy", "not sure"], probabilities=[SURE, TORN])
    assert [trace.name for trace in figure.data] == list(EXPRESSIONS)
    assert [trace.marker.color for trace in figure.data] == [COLORS[name] for name in EXPRESSIONS]
    np.testing.assert_allclose(sum(np.asarray(trace.x) for trace in figure.data), [sum(SURE), sum(TORN)])


def test_the_first_model_is_on_top_with_its_answer_and_a_title_is_text():
    figure = model_answers(["<a>One</a>", "Two"], ["happy", "not sure"], probabilities=[SURE, TORN])
    assert figure.layout.yaxis.autorange == "reversed"
    assert [note.y for note in figure.layout.annotations] == ["0", "1"]
    assert figure.layout.annotations[0].text == "&lt;a&gt;One&lt;/a&gt;: <b>happy</b>"
    assert figure.layout.annotations[1].text == "Two: <b>not sure</b>"


def test_only_wide_parts_have_words():
    words = {
        trace.name: trace.text for trace in model_answers(["One", "Two"], ["a", "b"], probabilities=[SURE, TORN]).data
    }
    assert words["happy"] == ("<b>happy 90 %</b>", "")
    assert words["sad"] == ("", "<b>sad 35 %</b>")
    assert words["angry"] == ("", "")


@pytest.mark.parametrize("wrong", [[SURE], [SURE[:6], TORN[:6]], SURE])
def test_refuses_another_shape(wrong):
    with pytest.raises(ValueError, match="Received"):
        model_answers(["One", "Two"], ["happy", "sad"], probabilities=wrong)
