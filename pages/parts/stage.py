"""A screen of the lecture: it fills the window with one sentence and one chart or picture.

Streamlit has no keys for a clicker, no full screen, no height of the window and no page without its header; the small
component here has these and nothing else. All else, also the controls that slide in at the right, are Streamlit's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.charts import NARROW, Space, within

SCREEN: Final = "screen"  # the query parameter that names the screen
OF_PAGE: Final = "of_"  # before the query parameters of the page that led here, whose own names Streamlit drops
LINES: Final = 8.7  # height of the sentence, two lines, in root type sizes
MARGIN: Final = 2.5  # above and below, in root type sizes
_SIZE: Final = "stage_size"  # in the session state: width and height of the window in pixels
_USUAL: Final = (1280, 800)
_TYPE: Final = 1.5  # type in charts, as a multiple of that on pages

_WINDOW: Final = st.components.v2.component(
    "fer_lab_stage",
    isolate_styles=False,
    html='<button class="fer-stage-full" title="Key: F">Full screen</button>',
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


@contextmanager
def stage(step: str, order: list[str]) -> Iterator[tuple[DeltaGenerator, DeltaGenerator]]:
    """Lay out the screen of an address, one of `order`, whose content is drawn within.

    Yields the places of the sentence and of further controls.
    """
    width, height = st.session_state.get(_SIZE, _USUAL)
    place = order.index(step)
    page = st.container(gap=None)
    controls = page.container(key="stage_controls")
    with controls:
        with st.container(horizontal=True):
            for name, icon, target in (("back", "arrow_back", place - 1), ("next", "arrow_forward", place + 1)):
                look: Any = {"icon": f":material/{icon}:", "disabled": not 0 <= target < len(order)}
                go_there: Any = {"on_click": go, "args": (order[target % len(order)],)}
                st.button(name.title(), key=f"stage_{name}", width="stretch", **go_there, **look)
        size: Any = _WINDOW(
            key="stage",
            data={"size": [width, height], "usual": _USUAL, "narrow": NARROW},
            default={"size": [width, height]},
            on_size_change=lambda: None,
        ).size
        st.page_link("pages/lecture.py", label="Overview, and leave", icon=":material/grid_view:")
        st.progress((place + 1) / len(order), f"{place + 1} of {len(order)}")
    st.session_state[_SIZE] = tuple(size)
    width, height = size
    if width < NARROW:
        yield st.container(), controls
        return
    scale = max(0.5, min(width / _USUAL[0], height / _USUAL[1]))
    rem = 16 * scale
    sentence = page.container(height=round(LINES * rem), border=False, vertical_alignment="center")
    left = Space(round(width - 5 * rem), round(height - (LINES + MARGIN) * rem), _TYPE * scale)
    middle: Any = {"horizontal_alignment": "center", "vertical_alignment": "center"}
    with page.container(height=left.height, border=False, **middle), within(left):
        yield sentence, controls


def go(target: str) -> None:
    """Go to the screen of an address, with the callback of a button."""
    st.query_params[SCREEN] = target
