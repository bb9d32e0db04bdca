"""Fairness: for whom a model is right less often, and what it predicts more often for some groups of people."""

import streamlit as st

from pages.parts.charts import choose_picture_format
from pages.parts.common import choose
from pages.parts.fairness import SECTIONS, limits, own_pictures, test_faces
from pages.parts.head import answer_first, head

SOURCES = {"Test faces": test_faces, "My own pictures": own_pictures}

head("Fairness")

for tab, section in zip(st.tabs(list(SECTIONS), key="a_section", bind="query-params"), SECTIONS.values(), strict=True):
    if tab.open:
        with tab:
            top, drawer = answer_first(opened="a_source" in st.query_params)
            with drawer:
                faces = SOURCES[choose("Faces", SOURCES, "a_source")]()
            if faces is not None:
                section(faces, top, drawer)
            else:
                limits(faces, top, drawer)
choose_picture_format()
