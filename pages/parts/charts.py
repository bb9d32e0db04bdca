"""How pages show charts: with alternative text, a mode bar that saves pictures, and a layout that fits the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from fer_core.figures.diagram import diagram_text, network_diagram
from fer_core.figures.theme import fitted
from fer_core.store.stored_model import StoredModel

NARROW: Final = 640  # width in pixels below which the layout is that of a phone

_NARROW: Final = "narrow_screen"
_PICTURES: Final = "picture_format"
"""Keys of the session state."""


@dataclass(frozen=True)
class Space:
    """The pixels that a chart or picture has on a screen of the lecture."""

    width: int
    height: int
    times: float  # as large as usual is type
    small: bool = False  # a thumbnail, whose charts do not react


_SPACE: Final[ContextVar[Space | None]] = ContextVar("space", default=None)

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
    narrow = {"narrow": narrow_screen()}
    with st.container(height=1, width=1, border=False):
        screen = _WIDTH(key="screen", data=narrow, default=narrow, on_narrow_change=lambda: None)
    st.session_state[_NARROW] = bool(screen.narrow)


def narrow_screen() -> bool:
    """Return whether the browser's window is as narrow as a phone's; until it is measured, whether it is a phone."""
    phone = "Mobi" in (st.context.headers.get("User-Agent") or "")
    return bool(st.session_state.get(_NARROW, phone))


@contextmanager
def within(space: Space | None) -> Iterator[None]:
    """Let the charts and pictures that are drawn in this block fill a space."""
    token = _SPACE.set(space)
    try:
        yield
    finally:
        _SPACE.reset(token)


def space_here() -> Space | None:
    """Return the space that a chart or picture is to fill; None on a page, which may be as long as it needs."""
    return _SPACE.get()


def choose_picture_format() -> None:
    """Ask in which format the camera in the mode bar of each chart saves pictures."""
    words = "Point at a chart, then click the camera at its top right. PNG: twice the size on screen. SVG: no pixels."
    st.segmented_control(
        "The camera of a chart saves", ("PNG", "SVG"), default="PNG", required=True, key=_PICTURES, help=words
    )


def show_chart(figure: go.Figure, alt: str, key: str | None = None, **settings: Any) -> Any:
    """Show a chart; `alt` describes it for people who cannot see it, and names the pictures that the mode bar saves."""
    name = re.split(r"[;:.]", alt)[0]
    picture = {
        "format": str(st.session_state.get(_PICTURES, "PNG")).lower(),
        "scale": 2,
        "filename": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80] or "chart",
    }
    config: dict[str, Any] = {"toImageButtonOptions": picture, "displaylogo": False}
    if space := space_here():
        figure = fitted(figure, height=space.height, times=space.times)
        config |= {"displayModeBar": False, "staticPlot": space.small}
    if narrow_screen():
        figure = figure.update_layout(dragmode=False)  # so that a finger on a chart scrolls the page
    return st.plotly_chart(figure, key=key, config=config, alt=alt, **settings)


def show_network(model: StoredModel) -> None:
    """Show the diagram of a model's network; nothing if its card has none."""
    if blocks := model.card.training.get("blocks"):
        show_chart(network_diagram(blocks, narrow=narrow_screen()), diagram_text(blocks), key="network")
