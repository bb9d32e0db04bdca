"""Links that somebody has tampered with: a value that a widget cannot take counts as not given, on every page."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.made_up_store import write_fer2013

PAGES = Path(__file__).resolve().parents[2] / "pages"
OF_PAGE = {
    "a": ("fairness",),
    "c": ("compare",),
    "d": ("dataset",),
    "f": ("finetune",),
    "h": ("home",),
    "l": ("live",),
    "m": ("confusion",),
    "p": ("predict", "tour"),
    "q": ("quiz",),
    "t": ("tour", "finetune"),
    "v": ("video",),
}
"""Pages by the first letter of their query parameters."""

TABS = {"finetune": ({}, {"f_tab": "Runs"}, {"f_tab": "Tuning"}), "dataset": ({}, {"d_section": "Preparation"})}


def calls() -> Iterator[ast.Call]:
    for path in PAGES.rglob("*.py"):
        yield from (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))


def texts() -> set[str]:
    """All texts in the pages' calls, of which those like `p_face` are names of query parameters."""
    return {node.value for call in calls() for node in ast.walk(call) if isinstance(node, ast.Constant)}


NAMES = sorted(name for name in texts() if isinstance(name, str) and name[:1] in OF_PAGE and name[1:2] == "_")


def test_numbers_in_the_url_are_checked_in_one_place():
    numbers = [call for call in calls() if getattr(call.func, "attr", "") == "number_input"]
    bound = [call for call in numbers if any(word.arg == "bind" for word in call.keywords)]
    assert len(bound) == 1, "use common.whole_number"
    assert {"q_seed", "m_seed", "f_seed", "a_minimum", "t_faces", "t_trials", "d_face"} <= set(NAMES)


@pytest.mark.parametrize("hostile", [("inf",), ("-1", "9" * 400, "<b>")])
@pytest.mark.parametrize("page", sorted({page for pages in OF_PAGE.values() for page in pages}))
def test_hostile_values_on_every_page(opened_without_error, own_home, page, hostile, monkeypatch):
    write_fer2013(own_home / "fer2013", monkeypatch, flat=False)
    values = dict(zip((name for name in NAMES if page in OF_PAGE[name[0]]), cycle(hostile), strict=False))
    for tab in TABS.get(page, ({},)):
        opened_without_error(page, **values | tab)


def test_the_default_takes_the_place_of_a_bad_number():
    def page():
        from pages.parts.common import whole_number

        whole_number("Round", 1, 9999, 1, "q_seed")

    for value in ("inf", "1e400", "0", "-3", "10000", "seven", "", ["inf", "3"], ["3", "inf"], "12"):
        app = AppTest.from_function(page)
        app.query_params["q_seed"] = value
        assert app.run().number_input(key="q_seed").value == (12 if value == "12" else 1)
        assert not app.exception
