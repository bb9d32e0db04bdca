"""What surrounds every page: its title beside the toggle of presentation mode, and one sentence."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.charts import narrow_screen, watch_width
from pages.parts.common import LARGER, PRESENT, plain, presenting

_PLACE: Final[ContextVar[DeltaGenerator | None]] = ContextVar("place_of_the_title", default=None)
_TYPE_SIZE = st.components.v2.component(
    "fer_lab_type_size",
    js="""
export default function ({ data }) {
  const root = document.documentElement;
  root.style.fontSize = "";
  if (data.times !== 1) root.style.fontSize = data.times * parseFloat(getComputedStyle(root).fontSize) + "px";
  return () => { root.style.fontSize = ""; };
}
""",
)


def frame() -> DeltaGenerator:
    """Return the container for a page. Presentation mode has its toggle beside the title, on phones below the page."""
    top = st.container(horizontal=True, vertical_alignment="center", gap="small")
    _PLACE.set(top.container())
    body = st.container()
    with st.container(horizontal=True, gap=None):
        below = st.container()
        watch_width()
        with st.container(height=1, width=1, border=False):
            _TYPE_SIZE(key="type_size", data={"times": LARGER if presenting() and not narrow_screen() else 1})
    with below if narrow_screen() else top:
        words = "Hides the navigation and enlarges type. A link with present=true opens any page like this."
        st.toggle("Presentation", key=PRESENT, bind="query-params", help=words)
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
