"""The app: opens the page that the browser asks for. See `pages/__init__.py` for the pages and their order."""

import streamlit as st

from pages import navigation
from pages.parts.charts import narrow_screen, watch_width
from pages.parts.presentation import presentation_toggle, presenting

page = navigation(hidden=presenting())
with st.container(horizontal=True, horizontal_alignment="right", gap=None):
    watch_width()
    presentation_toggle(narrow_screen())
page.run()
