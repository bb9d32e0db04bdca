"""Browse the faces, and see one of them as numbers and as models get it."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from fer_core.comparison import Fer2013Faces, face_table, filtered
from fer_core.data import SPLITS
from fer_core.faces import DEGRADATIONS, degrade, preprocess_faces
from fer_core.figures import pixel_chart
from fer_core.labels import EXPRESSIONS
from fer_core.store import load_model
from fer_core.types import FerError, Image
from pages.parts.charts import show_chart
from pages.parts.common import plain

ON_A_PAGE: Final = 24
ANY: Final = "any"
ORDERS: Final = {
    "row": "row",
    "agreement": "annotators’ agreement",
    "brightness": "brightness",
    "contrast": "contrast",
    "sharpness": "sharpness",
}
PREPARED: Final = {
    "As stored": "none",
    "Histogram equalized": "equalize",
    "CLAHE": "clahe",
    "Cropped to the detected face": "face",
}
"""Preprocessings of models, each with its caption."""


@st.cache_data(max_entries=2, show_spinner="Looking through the faces …")
def _table(_faces: Fer2013Faces, fingerprint: str) -> pd.DataFrame:  # noqa: ARG001 (the cache key)
    assert _faces.dataset is not None
    try:
        model = load_model()
    except FerError:
        model = None
    return face_table(_faces.dataset, model)


def browse(faces: Fer2013Faces) -> None:
    """Show faces that pass the chosen filters, page by page, and one of them closely."""
    dataset = faces.dataset
    if dataset is None:
        return
    table = _table(faces, dataset.fingerprint)
    with st.container(horizontal=True):
        splits = [split for split in SPLITS if (table["split"] == split).any()]
        split = st.selectbox("Split", [ANY, *splits], key="d_split", bind="query-params", width=160)
        label = st.selectbox("FER2013’s label", [ANY, *EXPRESSIONS], key="d_label", bind="query-params", width=160)
        said = st.selectbox("Annotators say", [ANY, *EXPRESSIONS], key="d_said", bind="query-params", width=160)
        order = st.selectbox(
            "Order by", ORDERS, key="d_order", bind="query-params", format_func=ORDERS.__getitem__, width=220
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        falling = st.toggle("Highest first", key="d_falling", bind="query-params")
        differing = st.toggle("Label and annotators differ", key="d_differing", bind="query-params")
        wrong = st.toggle("The default model is wrong", key="d_wrong", bind="query-params")
        copies = st.toggle("Picture occurs more than once", key="d_copies", bind="query-params")
    split, label, said = ("" if value == ANY else str(value) for value in (split, label, said))
    found = filtered(table, split, label, said, differing, wrong, copies)
    found = found.sort_values(order, ascending=not falling, kind="stable")
    st.markdown(f"**{len(found):,} faces**")
    if found.empty:
        st.caption("No face passes all of these filters.")
        return
    pages = -(-len(found) // ON_A_PAGE)
    number = st.number_input("Page", 1, pages, 1, key="d_page", width=160) if pages > 1 else 1
    shown = found.iloc[(int(number) - 1) * ON_A_PAGE : int(number) * ON_A_PAGE]
    with st.grid("auto", min_column_width=108, gap="small"):
        for place, face in zip(shown.index, shown.itertuples(), strict=True):
            with st.container(gap=None):
                st.image(dataset.images[place], width="stretch", alt=f"Face of row {face.row}, labelled {face.label}")
                st.markdown(f"**{face.label}**")
                st.caption(f"{_said(face)}  \nrow {face.row}")
    st.header("One face closely")
    picked = st.selectbox("Row", list(shown["row"]), format_func=lambda row: f"Row {row}", key="d_row", width=200)
    place = int(shown.index[list(shown["row"]).index(picked)])
    _closely(faces, dataset.images[place], table.iloc[place])


def _said(face: object) -> str:
    agreement = getattr(face, "agreement", None)
    if pd.isna(agreement):
        return "no votes"
    return f"{getattr(face, 'said', '') or 'no clear answer'}, {agreement:.0%} agree"


def _closely(faces: Fer2013Faces, image: Image, face: pd.Series) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**The numbers of row {face['row']}**: black is 0, white is 255")
        show_chart(pixel_chart(image), f"Pixels of row {face['row']}")
    with right:
        votes = faces.votes(int(face["row"]))
        st.markdown(f"**Labelled {face['label']}**" + (f"; ten annotators: {plain(votes)}" if votes else ""))
        if face["predicted"]:
            st.markdown(f"The default model predicts {face['predicted']}.")
        st.caption(
            f"{face['split']}. Mean gray {face['brightness']:.0f}, standard deviation {face['contrast']:.0f}"
            + (". Nearly the same picture occurs elsewhere in FER2013." if face["copy"] else ".")
        )
        with st.grid(3, min_column_width=110, gap="small"):
            for caption, preprocessing in PREPARED.items():
                st.image(preprocess_faces(image[None], preprocessing)[0], caption=caption, width="stretch", alt=caption)
            for kind, one in DEGRADATIONS.items():
                st.image(
                    degrade(image[None], kind, one.levels[2])[0], caption=one.title, width="stretch", alt=one.title
                )
        st.caption("Above: preprocessings that models here use. Below: degradations of medium strength.")
