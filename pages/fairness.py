"""Fairness: for whom a model is right less often, and what it predicts more often for some groups of people."""

import streamlit as st

from pages.parts.charts import choose_picture_format
from pages.parts.common import choose
from pages.parts.fairness import SECTIONS, limits, own_pictures, test_faces
from pages.parts.head import head

SOURCES = {"Test faces": test_faces, "My own pictures": own_pictures}

head(
    "Fairness",
    "See for which faces a model is right less often, and for which people it predicts an expression more often.",
)

faces = SOURCES[choose("Faces", SOURCES, "a_source")]()
if faces is None:
    st.header("What an audit can say, and what not")
    limits()
    st.stop()

for tab, section in zip(st.tabs(list(SECTIONS), key="a_section", bind="query-params"), SECTIONS.values(), strict=True):
    if tab.open:
        with tab:
            section(faces)
choose_picture_format()
