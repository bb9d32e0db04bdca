"""Dataset: the faces of FER2013, what ten annotators said about them, and how good its labels are."""

import streamlit as st

from pages.parts.common import plain
from pages.parts.compare.results import fer2013_faces
from pages.parts.dataset.classes import classes
from pages.parts.dataset.copies import copies
from pages.parts.dataset.faces import browse
from pages.parts.dataset.hardest import hardest
from pages.parts.dataset.labels import labels, published

SECTIONS = {
    "Classes": classes,
    "Faces": browse,
    "Labels and votes": labels,
    "Hardest faces": hardest,
    "Copies": copies,
    "Published results": published,
}
WITHOUT_FACES = ("Hardest faces", "Copies", "Published results")

st.title("Dataset")
st.markdown("The faces that models here learn from, what people say about them, and how far to trust the labels.")

faces = fer2013_faces()
if faces.missing:
    st.info(
        "FER2013 is the dataset of a challenge in 2013: 35,887 faces from the web, 48 × 48 gray pixels, each with "
        f"one of seven expressions. {plain(faces.missing)}",
        icon=":material/database:",
    )
shown = {name: section for name, section in SECTIONS.items() if not faces.missing or name in WITHOUT_FACES}
for tab, section in zip(st.tabs(list(shown), key="d_section", bind="query-params"), shown.values(), strict=True):
    if tab.open:
        with tab:
            section(faces)
