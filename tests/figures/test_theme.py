"""The common look: colours, dashes and markers that tell models apart, and text that is safe."""

import json

import pytest

from fer_core.columns import percent_text
from fer_core.figures.bars import softmax_table
from fer_core.figures.theme import MODEL_COLORS, enlarged, in_lines, listed, model_styles, safe
from fer_core.labels import COLORS


def test_models_have_colours_of_their_own():
    assert not set(MODEL_COLORS) & set(COLORS.values())
    many = model_styles([f"model {number}" for number in range(20)])
    assert len(many) == 20
    assert len(set(many.values())) == 20  # colour, dash and symbol together


def test_a_title_is_broken_into_short_lines():
    assert in_lines("VGG16, modified, noise (UTKFace)") == "VGG16, modified, noise<br>(UTKFace)"
    assert in_lines("Compact CNN") == "Compact CNN"
    assert max(len(line) for line in in_lines("a b " * 30).split("<br>")) <= 22


def test_tags_in_names_are_shown_not_followed():
    assert safe("<a href='x'>&") == "&lt;a href='x'&gt;&amp;"
    assert "<a" not in in_lines("<a href='x'> name")


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0 %"), (0.004, "< 1 %"), (0.005, "0 %"), (0.5, "50 %"), (1, "100 %")]
)
def test_percentages(share, words):
    assert percent_text(share) == words


def test_models_behind_are_listed_after_those_in_front():
    assert listed("a", None) == listed("a", ["a"])
    assert listed("a", ["a"])["visible"] is True
    assert listed("a", ["b"])["visible"] == "legendonly"
    assert listed("a", ["b"])["legendrank"] > listed("b", ["b"])["legendrank"]


def test_an_enlarged_chart_has_larger_type_and_the_same_data():
    chart = softmax_table(range(7), [1] * 7, probabilities=[0.1] * 7)
    larger = enlarged(chart, 2)
    assert larger.layout.height == 2 * chart.layout.height
    assert larger.layout.font.size == 2 * chart.layout.font.size
    assert larger.layout.yaxis.tickfont.size == 2 * chart.layout.yaxis.tickfont.size
    assert larger.layout.annotations[0].font.size == 2 * chart.layout.annotations[0].font.size
    assert [trace.textfont.size for trace in larger.data] == [2 * trace.textfont.size for trace in chart.data]
    assert json.loads(larger.to_json())["data"][0]["x"] == json.loads(chart.to_json())["data"][0]["x"]
    assert larger.data[0].width == chart.data[0].width
