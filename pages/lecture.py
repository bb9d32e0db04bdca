"""Lecture: one idea a screen, for a projector, and the overview in which a lecturer chooses and orders the screens."""

import streamlit as st

from fer_core.sections.screens import lecture, screen_at
from pages.parts.head import head
from pages.parts.lecture import overview, show_screen
from pages.parts.stage import SCREEN

step = st.query_params.get(SCREEN, "")
if screen_at(step):
    show_screen(step)
else:
    minutes = sum(screen.minutes for screen in lecture())
    head(
        "Lecture",
        f"About {minutes:.0f} minutes: one sentence and one picture a screen. The arrow keys, or a clicker, go on and "
        "back, F fills the screen, and the right edge of a screen has your notes and controls.",
    )
    overview()
