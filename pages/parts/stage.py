"""A screen of the lecture: it fills the window with one sentence and one chart or picture.

Streamlit has no keys for a clicker, no full screen, no height of the window and no page without its header; the small
component here has these and nothing else. All else, also the controls that slide in at the right, are Streamlit's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.charts import NARROW, Space, within

SCREEN: Final = "screen"  # the query parameter that names the screen
LINES: Final = 8.7  # height of the sentence, two lines, in root type sizes
MARGIN: Final = 2.5  # above and below, in root type sizes
_SIZE: Final = "stage_size"  # in the session state: width and height of the window in pixels
_USUAL: Final = (1280, 800)
_TYPE: Final = 1.5  # type in charts, as a multiple of that on pages

_WINDOW: Final = st.components.v2.component(
    "fer_lab_stage",
    isolate_styles=False,
    html='<button class="fer-stage-full" title="Key: F">Full screen</button>',
    css="""
[data-testid="stHeader"] { display: none; }
[data-testid="stMainBlockContainer"] { padding: 1rem 2.5rem 0; }
[data-testid="stMainBlockContainer"] h1 { padding: 0.25rem 0; }
[data-testid="stMain"] { overflow: hidden; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 1rem 1rem 3rem; }
  [data-testid="stMain"] { overflow: auto; }
}
.st-key-stage_controls {
  position: fixed; inset: 0 0 0 auto; width: min(22rem, 90vw); padding: 1rem; overflow-y: auto; z-index: 999;
  background: var(--st-secondary-background-color); border-left: 0.5rem solid var(--st-border-color);
  transform: translateX(calc(100% - 0.5rem)); transition: transform 0.15s;
}
.st-key-stage_controls:hover, .st-key-stage_controls:focus-within { transform: none; }
.fer-stage-full {
  font: inherit; color: inherit; background: none; cursor: pointer; width: 100%; padding: 0.4rem;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
""",
    js="""
const KEYS = { PageDown: "next", ArrowRight: "next", PageUp: "back", ArrowLeft: "back" };
export default function ({ data, parentElement, setStateValue }) {
  const root = document.documentElement;
  const full = () => document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen();
  let timer;
  const fit = () => {
    const [width, height] = [window.innerWidth, window.innerHeight];
    root.style.fontSize = "";
    const scale = width < data.narrow ? 1 : Math.min(width / data.usual[0], height / data.usual[1]);
    root.style.fontSize = Math.max(0.5, scale) * parseFloat(getComputedStyle(root).fontSize) + "px";
    if (width !== data.size[0] || height !== data.size[1]) setStateValue("size", [width, height]);
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(fit, 150); };
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, [role=combobox], [role=radiogroup], [role=slider]")) return;
    if (event.key === "f") return full();
    const button = KEYS[event.key] && document.querySelector(`.st-key-stage_${KEYS[event.key]} button`);
    if (!button) return;
    event.preventDefault();
    button.click();
  };
  const leave = () => document.activeElement?.closest(".st-key-stage_controls button")?.blur();
  const controls = document.querySelector(".st-key-stage_controls");
  fit();
  window.addEventListener("resize", later);
  window.addEventListener("keydown", press);
  controls.addEventListener("mouseleave", leave);
  parentElement.querySelector("button").onclick = full;
  return () => {
    root.style.fontSize = "";
    clearTimeout(timer);
    window.removeEventListener("resize", later);
    window.removeEventListener("keydown", press);
    controls.removeEventListener("mouseleave", leave);
  };
}
""",
)


@contextmanager
def stage(step: str, order: list[str]) -> Iterator[tuple[DeltaGenerator, DeltaGenerator]]:
    """Lay out a screen, of which the content is drawn within; yield the places of the sentence and of further controls.

    Args:
        step: address of the screen.
        order: the addresses of all screens.
    """
    width, height = st.session_state.get(_SIZE, _USUAL)
    place = order.index(step)
    page = st.container(gap=None)
    controls = page.container(key="stage_controls")
    with controls:
        with st.container(horizontal=True):
            _button("back", "Back", order[max(0, place - 1)], disabled=place == 0)
            _button("next", "Next", order[min(place + 1, len(order) - 1)], disabled=place == len(order) - 1)
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


def _button(name: str, label: str, target: str, *, disabled: bool) -> None:
    icon: Any = {"icon": f":material/arrow_{'forward' if name == 'next' else 'back'}:"}
    st.button(label, key=f"stage_{name}", on_click=go, args=(target,), disabled=disabled, width="stretch", **icon)


def go(target: str) -> None:
    """Go to the screen of an address, with the callback of a button."""
    st.query_params[SCREEN] = target
