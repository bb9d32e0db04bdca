"""How pages show charts: with alternative text, a mode bar that saves pictures, and a layout that fits the screen."""

from __future__ import annotations

import re
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from fer_core.figures.theme import enlarged
from pages.parts.common import LARGER, presenting

NARROW: Final = 640
"""Widths in pixels below which the layout is that of a phone."""

_NARROW: Final = "narrow_screen"
_PICTURES: Final = "picture_format"

_WIDTH = st.components.v2.component(
    "fer_lab_width",
    js=f"""
export default function ({{ data, setStateValue }}) {{
  const tell = () => {{
    const narrow = window.innerWidth < {NARROW};
    if (narrow !== data.narrow) setStateValue("narrow", narrow);
  }};
  tell();
  window.addEventListener("resize", tell);
  return () => window.removeEventListener("resize", tell);
}}
""",
)


def watch_width() -> None:
    """Find out whether the browser's window is narrow, and run the page again when that changes."""
    with st.container(height=1, width=1, border=False):
        found = _WIDTH(
            key="screen",
            data={"narrow": narrow_screen()},
            default={"narrow": narrow_screen()},
            on_narrow_change=lambda: None,
        )
    st.session_state[_NARROW] = bool(found.narrow)


def narrow_screen() -> bool:
    """Return whether the browser's window is as narrow as a phone's."""
    return bool(st.session_state.get(_NARROW, _phone()))


def _phone() -> bool:
    """Return whether the browser says that it runs on a phone; what it has not yet measured is guessed from that."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def choose_picture_format() -> None:
    """Ask in which format the camera in the mode bar of each chart saves pictures."""
    help_text = (
        "Point at a chart, then click the camera at its top right. PNG: twice the size on screen. SVG: no pixels."
    )
    st.segmented_control(
        "The camera of a chart saves", ("PNG", "SVG"), default="PNG", required=True, key=_PICTURES, help=help_text
    )


def show_chart(figure: go.Figure, alt: str, key: str | None = None, **settings: Any) -> Any:
    """Show a chart.

    Args:
        figure: from `fer_core.figures`.
        alt: a description for people who cannot see it. Its first words name the pictures that the mode bar saves.
        key: as of every Streamlit element.
        settings: for `st.plotly_chart`.
    """
    name = re.split(r"[;:.]", alt)[0]
    picture = {
        "format": str(st.session_state.get(_PICTURES, "PNG")).lower(),
        "scale": 2,
        "filename": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80] or "chart",
    }
    config = {"toImageButtonOptions": picture, "displaylogo": False}
    if presenting() and not narrow_screen():
        figure = enlarged(figure, LARGER)
    if narrow_screen():
        figure = figure.update_layout(dragmode=False)  # so that a finger on a chart scrolls the page
    return st.plotly_chart(figure, key=key, config=config, alt=alt, **settings)
