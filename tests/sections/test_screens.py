import doctest

import pytest

from fer_core.sections import screens
from fer_core.sections.screens import SCREENS, lecture, save_lecture, screen_at, steps
from fer_core.types import FerError
from pages import PAGES


def test_the_lecture_that_is_ready():
    assert lecture() == list(SCREENS.values())
    assert 15 <= sum(screen.minutes for screen in lecture()) <= 25
    assert all(len(screen.notes) == 2 and all(screen.notes) and screen.title for screen in lecture())
    pages = [screen.page for screen in lecture() if screen.page]
    assert set(pages) <= {name for name, *_ in PAGES} and len(set(pages)) == len(pages)
    assert not doctest.testmod(screens).failed


def test_an_own_order_is_kept_and_an_unknown_screen_refused(home):
    save_lecture(["confusion", "face"])
    assert [screen.name for screen in lecture()] == ["confusion", "face"]
    for wrong in (["face", "face"], ["face", "no screen"]):
        with pytest.raises(FerError, match="Expected names of screens, each once"):
            save_lecture(wrong)
    save_lecture([])
    assert lecture() == list(SCREENS.values())


@pytest.mark.parametrize("text", ["", "{}", '{"screens": 7}', '{"screens": ["gone", "face"]}'])
def test_a_damaged_order(home, text):
    home.mkdir(exist_ok=True)
    (home / "lecture.json").write_text(text)
    expected = ["face"] if "gone" in text else list(SCREENS)
    assert [screen.name for screen in lecture()] == expected


def test_the_class_has_three_screens_a_face_and_every_address_its_screen():
    played = steps(["face", "class", "home"], faces=10)
    assert len(played) == 2 + 1 + 3 * 10 + 1
    assert played[2:6] == ["class-1", "class-1-votes", "class-1-model", "class-2"]
    assert "class-1-votes" not in steps(["class"], faces=10, votes=False)
    assert steps(["face", "class"]) == ["face", "class"]
    assert {screen_at(step).name for step in played} == {"face", "class", "home"}
    assert screen_at("gone-1") is screen_at("") is None
