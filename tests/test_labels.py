"""The classes that people name: which names are accepted, and their colours."""

import pytest

from fer_core.inference.face_table import face_columns
from fer_core.inference.pictures import picture_columns
from fer_core.labels import COLORS, COLUMNS, EXPRESSIONS, MAX_CLASSES, checked_classes, class_colors, is_dark


@pytest.mark.parametrize(
    "names",
    [EXPRESSIONS, ("pain", "no pain"), ("stufe 1", "Stufe (2)", "très-fort"), ("दर्द", "शांत"), ("1", "2", "3")],
)
def test_any_names_in_any_script(names):
    assert checked_classes(names) == names


def test_spaces_and_unicode_forms_are_evened_out():
    assert checked_classes([" no  pain ", "confuse\u0301"]) == ("no pain", "confusé")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["pain"], "2 to 10 classes. Received: 1"),
        ([f"class {number}" for number in range(MAX_CLASSES + 1)], "2 to 10 classes. Received: 11"),
        (["Pain", "calm", "pain"], "differ only in case: Pain, pain"),
        (["pain", " "], "needs a name"),
        (["pain", "x" * 31], "needs a name"),
        (["pain", "=HYPERLINK(1)"], "needs a name"),
        (["pain", "<b>calm</b>"], "needs a name"),
        (["pain", "-calm"], "needs a name"),
        (["pain", "Not Sure"], "word of FER Lab's tables"),
        (["pain", "face"], "word of FER Lab's tables"),
    ],
)
def test_other_names_are_refused(names, words):
    with pytest.raises(ValueError, match=words):
        checked_classes(names)


def test_no_class_is_named_like_a_column():
    columns = {*face_columns(), *picture_columns(), "model"} - {*EXPRESSIONS}
    assert columns <= {*COLUMNS}


def test_the_seven_keep_their_colours_and_no_two_classes_share_one():
    assert class_colors(EXPRESSIONS) == COLORS
    mixed = class_colors(("happy", "confused", "calm", "neutral"))
    assert (mixed["happy"], mixed["neutral"]) == (COLORS["happy"], COLORS["neutral"])
    assert not {mixed["confused"], mixed["calm"]} & {*COLORS.values()}
    assert len({*class_colors(tuple(map(str, range(MAX_CLASSES)))).values()}) == MAX_CLASSES
    assert [is_dark(color) for color in ("#000000", "#0072B2", "#E69F00", "#FFFFFF")] == [True, True, False, False]
