"""What surrounds every page: its title beside the link to its screen of the lecture, and one sentence."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.sections.screens import SCREENS
from pages.parts.charts import narrow_screen, show_chart, watch_width
from pages.parts.common import explain, plain
from pages.parts.stage import OF_PAGE, SCREEN

_PLACE: Final[ContextVar[DeltaGenerator | None]] = ContextVar("place_of_the_title", default=None)


def frame(page: str) -> DeltaGenerator:
    """Return the container for a page, named by its address. The link to its screen of the lecture is at the title."""
    if SCREEN in st.query_params:
        body = st.container(gap=None)
        watch_width()
        return body
    top = st.container(horizontal=True, vertical_alignment="center", gap="small")
    _PLACE.set(top.container())
    body = st.container()
    watch_width()
    step = str(st.session_state.get("t_step") or st.query_params.get("t_step") or "").lower()
    screen = next((screen.name for screen in SCREENS.values() if screen.page == page), "")
    if page == "tour" and step in SCREENS:
        screen = step
    if screen and not narrow_screen():
        words = "One sentence and one chart that fill the screen. The arrow keys lead through the whole lecture."
        link: Any = {"label": "Present", "icon": ":material/slideshow:", "help": words}
        chosen = {f"{OF_PAGE}{name}": value for name, value in st.query_params.to_dict().items()}
        top.page_link("pages/lecture.py", query_params={**chosen, SCREEN: screen}, **link)
    return body


def head(title: str, sentence: str = "") -> None:
    """Show the head of a page: its title, and one sentence in Markdown on what one can do here, if it has no answer."""
    with _PLACE.get() or st.container():
        st.title(title, anchor=False)
    if sentence:
        st.markdown(sentence)


def answer_first(opened: bool = False) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return a place for the answer and its chart, and below it the drawer for what changes them."""
    return st.container(), st.expander("Change what is shown", icon=":material/tune:", expanded=opened)


def answer(sentence: str) -> None:
    """Show what a page found, one sentence of `fer_core.sections.answers`."""
    st.subheader(plain(sentence).replace(" %", "\u00a0%"), anchor=False)


def finding(sentence: str, figure: go.Figure, alt: str, caption: str = "", **settings: Any) -> Any:
    """Show what a page found: the sentence, its chart with the `settings` of `show_chart`, and what the chart covers.

    `explained` is the title of the explanation of the chart and a sentence with numbers of the page.
    """
    explained = settings.pop("explained", None)
    answer(sentence)
    picked = show_chart(figure, alt, **settings)
    if caption:
        st.caption(caption)
    if explained:
        explain(*explained)
    return picked
