"""Dataset: the faces of FER2013 or of the visitor's own pictures, how they are prepared, and how good labels are."""

import streamlit as st

from pages.parts.data import fer2013
from pages.parts.dataset import browse, choose_faces_shown, classes, preparation
from pages.parts.face_map import face_map
from pages.parts.fer2013 import copies, hardest, labels, published
from pages.parts.head import answer_first, head

OF_FACES = {"Classes": classes, "Faces": browse, "Preparation": preparation}
OF_FER2013 = {
    "Map of faces": face_map,
    "Labels and votes": labels,
    "Hardest faces": hardest,
    "Copies": copies,
    "Published results": published,
}

head("Dataset")

place, drawer = answer_first(opened="d_of" in st.query_params)
with drawer:
    shown, is_fer2013 = choose_faces_shown()
sections = list(OF_FACES) if shown else []
if is_fer2013:
    sections += [name for name in OF_FER2013 if shown or name != "Labels and votes"]  # which needs the faces
if not sections:
    place.markdown("Browse the faces that models learn from, and see how far to trust their labels.")
    st.stop()
for name, tab in zip(sections, place.tabs(sections, key="d_section", bind="query-params"), strict=True):
    if tab.open:
        if shown and name in OF_FACES:
            OF_FACES[name](shown, tab, drawer)
        else:
            OF_FER2013[name](fer2013(), tab, drawer)
