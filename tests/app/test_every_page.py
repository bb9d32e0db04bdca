"""Every page where nothing was downloaded or nothing can be written, and by links that somebody has tampered with."""

from __future__ import annotations

import ast
import re
import socket
from collections.abc import Iterator
from itertools import cycle
from types import SimpleNamespace
from unittest.mock import Mock
from urllib.error import URLError

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.faces import detector
from fer_core.inference.video_writer import sample_clip
from fer_core.types import FerError
from tests.server import ROOT

DETECTOR = r"simpler detector: .*YuNet could not be downloaded.*\(\d+ kB\).*set FER_YUNET_MODEL"
FER2013 = r"`fer-lab data download` \(about 60 MB.*set the environment variable FER2013_PATH"
PAGES = {
    **dict.fromkeys(("home", "tour", "predict", "live", "video", "lecture"), DETECTOR),
    **dict.fromkeys(("confusion", "dataset", "quiz", "finetune"), FER2013),
    **dict.fromkeys(("compare", "fairness"), None),  # show only what is in the models' folders
}
OF_FINETUNE = ({"f_tab": "Runs"}, {"f_tab": "Tuning"}, {"f_source": "Own snapshots"}, {"f_source": "Own pictures"})


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_once_what_is_missing_and_what_it_costs(page, open_app, monkeypatch):
    closed_network = URLError(socket.gaierror(-2, "Name or service not known"))
    monkeypatch.delenv("FER_YUNET_MODEL")
    monkeypatch.setattr(detector.LastFailure, "until", 0.0)
    monkeypatch.setattr(detector.urllib.request, "urlopen", Mock(side_effect=closed_network))
    app = open_app(page, **({"t_step": "Detect"} if page == "tour" else {}))
    assert not app.error
    assert not app.warning
    shown = [str(element.value) for kind in (app.info, app.caption, app.markdown) for element in kind]
    words = [text.replace("\\", "") for text in shown]
    missing = [text for text in words if re.search(PAGES[page] or f"{DETECTOR}|{FER2013}", text)]
    assert len(missing) == (PAGES[page] is not None), words
    assert not [text for text in words if "Errno" in text or "urlopen" in text]
    assert not [text for text in shown if "\\`" in text], "a command is shown as code"


@pytest.mark.parametrize(("page", "query"), [(page, {}) for page in PAGES] + [("finetune", tab) for tab in OF_FINETUNE])
def test_every_page_opens_where_the_data_folder_cannot_be_written(page, query, open_app, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("pages.parts.video.sample_clip", sample_clip)
    monkeypatch.setenv("FER_HOME", str(tmp_path / "file" / "home"))
    app = open_app(page, **query)
    assert app.title
    for box in (*app.error, *app.warning):
        assert "cannot be created (Not a directory). Set the environment variable" in box.value.replace("\\", "")


def test_a_page_that_cannot_go_on_ends_with_a_sentence(open_app, monkeypatch):
    for error, sentence in (
        (FerError("It is full: `make room`"), "It is full\\: `make room`"),
        (OSError(30, "Read-only", "/data"), "A file cannot be read or written (Read\\-only). Check the disk"),
    ):
        run = Mock(side_effect=error)
        monkeypatch.setattr("pages.navigation", lambda run=run, **_: SimpleNamespace(run=run, url_path=""))
        app = open_app()
        (box,) = (*app.info, *app.error)
        assert box.value.startswith(sentence)


LETTERS = dict(zip(PAGES, ("h", "pt", "p", "l", "v", "q", "m", "d", "q", "ft", "c", "a"), strict=True))
"""The first letters of a page's query parameters."""

TABS = {"finetune": ({}, {"f_tab": "Runs"}, {"f_tab": "Tuning"}), "dataset": ({}, {"d_section": "Preparation"})}
TABS["lecture"] = ({"screen": "class"}, {"screen": "face"})


def calls() -> Iterator[ast.Call]:
    for path in (ROOT / "pages").rglob("*.py"):
        yield from (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))


TEXTS = {node.value for call in calls() for node in ast.walk(call) if isinstance(node, ast.Constant)}
NAMES = sorted(name for name in TEXTS if isinstance(name, str) and re.match("[acdfhlmpqtv]_", name))
"""All texts in the pages' calls that look like names of query parameters, such as `p_face`."""


def test_numbers_in_the_url_are_checked_in_one_place():
    numbers = [call for call in calls() if getattr(call.func, "attr", "") == "number_input"]
    bound = [call for call in numbers if any(word.arg == "bind" for word in call.keywords)]
    assert len(bound) == 1, "use common.whole_number"
    assert {"q_seed", "m_seed", "f_seed", "a_minimum", "t_faces", "t_trials", "d_face"} <= set(NAMES)


@pytest.mark.parametrize("page", PAGES)
def test_hostile_values_on_every_page(open_app, made_up, page):
    hostile = cycle(("inf", "-1", "9" * 400, "<b>"))
    values = dict(zip((name for name in NAMES if name[0] in LETTERS[page]), hostile, strict=False))
    for tab in TABS.get(page, ({},)):
        open_app(page, **values | tab)


def test_the_default_takes_the_place_of_a_bad_number():
    given = dict(enumerate(("inf", "1e400", "-3", "10000", "seven", ["inf", "3"], ["3", "inf"], "12")))
    widgets = (f'whole_number("Round", 1, 9999, 1, "q_{number}")' for number in given)
    app = AppTest.from_string("; ".join(("from pages.parts.common import whole_number", *widgets)))
    for number, value in given.items():
        app.query_params[f"q_{number}"] = value
    app.run()
    assert [app.number_input(key=f"q_{number}").value for number in given] == [1] * 7 + [12]


def test_no_page_shows_its_own_notes():
    """Streamlit prints bare strings of a page's script, all but the first."""
    for path in (ROOT / "pages").glob("[!_]*.py"):
        rest = ast.parse(path.read_text(encoding="utf-8")).body[1:]
        assert not [node for node in rest if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)], path
