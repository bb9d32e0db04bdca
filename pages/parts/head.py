"""What surrounds every page: its title beside the toggle of presentation mode, and one sentence."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.charts import narrow_screen, watch_width
from pages.parts.common import presentation_toggle, set_type_size

_PLACE: Final[ContextVar[DeltaGenerator | None]] = ContextVar("place_of_the_title", default=None)


def frame() -> DeltaGenerator:
    """Return the container for a page. Presentation mode has its toggle beside the title, on phones below the page."""
    top = st.container(horizontal=True, vertical_alignment="center", gap="small")
    _PLACE.set(top.container())
    body = st.container()
    with st.container(horizontal=True, gap=None):
        below = st.container()
        watch_width()
        set_type_size(narrow_screen())
    with below if narrow_screen() else top:
        presentation_toggle()
    return body


def head(title: str, sentence: str) -> None:
    """Show the head of a page: its title, and one sentence in Markdown on what one can do here."""
    with _PLACE.get() or st.container():
        st.title(title, anchor=False)
    st.markdown(sentence)
