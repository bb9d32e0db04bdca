"""Presentation mode of every page: no navigation, and larger type for the back row of a lecture room."""

from __future__ import annotations

from typing import Final

import streamlit as st

_KEY: Final = "present"

LARGER: Final = 1.25
"""How many times as large as usual type is."""

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


def presenting() -> bool:
    """Return whether the page is shown in presentation mode, also before its toggle is on the page."""
    return bool(st.session_state.get(_KEY, st.query_params.get(_KEY) == "true"))


def presentation_toggle() -> None:
    """Show the toggle of presentation mode."""
    st.toggle(
        "Presentation",
        key=_KEY,
        bind="query-params",
        help="Hides the navigation and enlarges type. A link with present=true opens any page like this.",
    )


def set_type_size(narrow: bool) -> None:
    """Set the size of type in the browser.

    Args:
        narrow: whether the browser's window is as narrow as a phone's; type keeps its size there.
    """
    with st.container(height=1, width=1, border=False):
        _TYPE_SIZE(key="type_size", data={"times": LARGER if presenting() and not narrow else 1})
