"""Names of files: which are junk, the form in which they are compared and printed, and distinct ones."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.names import distinct, is_junk, normal_name, readable


def test_what_systems_write_is_junk_and_what_people_write_is_not():
    by_systems = ["._IMG_1.jpg", ".thumbnails", ".DS_Store", "__MACOSX", "@eaDir", "@EADIR", "#recycle", "Thumbs.db"]
    by_people = ["IMG_1.jpg", "_anna.png", "__anna.png", "@home.jpg", "#1.png", "a.thumbnails", "…"]
    assert [name for name in [*by_systems, *by_people] if is_junk(name)] == by_systems


def test_bytes_that_are_not_utf8_are_readable():
    assert readable(b"caf\xe9 \xf0.jpg".decode("utf-8", "surrogateescape")) == "caf%E9 %F0.jpg"
    assert readable("лицо 表情 😀 100%.jpg") == "лицо 表情 😀 100%.jpg"


@given(st.text(st.characters(), max_size=20))
def test_every_name_can_be_written(name):
    assert readable(readable(name).encode().decode()) == readable(name)
    assert normal_name(normal_name(name)) == normal_name(name)
    assert normal_name("faces\\angry\\Zoe\u0308.png") == "faces/angry/Zo\u00eb.png"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["anna-2.png", "anna.png", "anna.png"], ["anna-2.png", "anna.png", "anna-3.png"]),
        (["anna.png", "anna.png", "anna-2.png"], ["anna.png", "anna-2.png", "anna-2-2.png"]),
        (["Anna.png", "anna.PNG", "ANNA.png"], ["Anna.png", "anna-2.PNG", "ANNA-3.png"]),
        (["Zo\u00eb", "Zoe\u0308", "ZOE\u0308"], ["Zo\u00eb", "Zoe\u0308-2", "ZOE\u0308-3"]),
    ],
)
def test_distinct_names_by_hand(names, expected):
    assert distinct(names) == expected


@given(st.lists(st.text("aAäÄß-2.", min_size=1, max_size=4), max_size=12))
def test_distinct_names_are_distinct_on_every_disk(names):
    found = [unicodedata.normalize("NFD", name).casefold() for name in distinct(names)]
    assert len(found) == len(set(found)) == len(names)


def test_taken_names_are_not_used_and_ten_thousand_equal_ones_take_no_quadratic_time():
    assert distinct(["a.png", "b.png"], taken=["A.PNG", "a-2.png"]) == ["a-3.png", "b.png"]
    assert distinct(["1.png"] * 10_000)[-1] == "1-10000.png"
