"""A small picture of the face under the pointer on a chart; Plotly's own labels hold text only."""

from __future__ import annotations

from typing import Final

import streamlit as st

from fer_core.metrics.mapped_faces import SHEET_COLUMNS

SIDE: Final = 96
"""Side of the picture in pixels."""

_HOVER = st.components.v2.component(
    "fer_lab_hover_faces",
    html='<div id="face" role="img" aria-label="The face under the pointer" hidden></div>',
    css=f"""
#face {{
  box-sizing: content-box;
  position: fixed;
  z-index: 1000;
  width: {SIDE}px;
  height: {SIDE}px;
  border: 2px solid var(--st-text-color);
  border-radius: 4px;
  background-size: {SIDE * SHEET_COLUMNS}px;
  pointer-events: none;
}}
""",
    js=f"""
export default function ({{ data, parentElement }}) {{
  const face = parentElement.querySelector("#face");
  const sheet = URL.createObjectURL(new Blob([data], {{ type: "image/jpeg" }}));
  face.style.backgroundImage = `url(${{sheet}})`;

  const hide = () => {{ face.hidden = true; }};
  const show = ({{ event, points }}) => {{
    const place = points[0].customdata;
    const above = event.clientY - {SIDE} - 56;
    face.style.backgroundPosition =
      `${{-{SIDE} * (place % {SHEET_COLUMNS})}}px ${{-{SIDE} * Math.floor(place / {SHEET_COLUMNS})}}px`;
    face.style.left = `${{Math.min(Math.max(event.clientX - {SIDE} / 2, 0), window.innerWidth - {SIDE})}}px`;
    face.style.top = `${{above > 0 ? above : event.clientY + 56}}px`;
    face.hidden = false;
  }};

  // Streamlit may replace the chart at any time, so listen to the one that the pointer is on.
  const listen = ({{ target }}) => {{
    const chart = target.closest?.(".st-key-d_map .js-plotly-plot");
    if (!chart?.on) return hide();
    for (const [name, action] of [["plotly_hover", show], ["plotly_unhover", hide]]) {{
      chart.removeListener(name, action);
      chart.on(name, action);
    }}
  }};
  document.addEventListener("pointerover", listen);
  document.addEventListener("pointerdown", hide);
  return () => {{
    document.removeEventListener("pointerover", listen);
    document.removeEventListener("pointerdown", hide);
    hide();
    URL.revokeObjectURL(sheet);
  }};
}}
""",
)


def show_faces_on_hover(sheet: bytes) -> None:
    """Show the face of the point under the pointer, on charts in the container with the key `d_map`.

    Args:
        sheet: of `metrics.mapped_faces.face_sheet`; the `customdata` of each point is the place of its face on it.
    """
    with st.container(height=1, border=False):
        _HOVER(key="hover_faces", data=sheet)
