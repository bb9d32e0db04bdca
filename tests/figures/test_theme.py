"""The common look: colours, dashes and markers that tell models apart, and text that is safe."""

import pytest

from fer_core.figures.theme import MODEL_COLORS, in_lines, listed, model_styles, percent_text, safe
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
