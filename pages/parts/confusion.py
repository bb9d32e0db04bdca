"""Faces with what a model predicts, such as those of a cell of the Confusion page."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from fer_core.columns import counted, percent_text
from fer_core.data.fer2013 import Fer2013Faces
from pages.parts.common import show_table, with_code
from pages.parts.face import Tile, face_tiles, fer2013_tile, mark


def show_faces(
    faces: pd.DataFrame, fer2013_faces: Fer2013Faces, title: str, with_model: bool = False, key: str = "faces"
) -> None:
    """Show faces of `cell_faces` with the predicted and the actual expression; without FER2013, only row numbers.

    `key` tells several such groups of faces of a page apart.
    """
    st.markdown(f"**{title}**")
    if faces.empty:
        st.caption("No face is in this cell.")
        return
    if not fer2013_faces.missing:
        tiles = [_tile(face, fer2013_faces, with_model) for face in faces.itertuples()]
        known = [tile for tile in tiles if tile is not None]
        if others := len(tiles) - len(known):
            st.caption(f"Not shown: {counted(others, 'face')}. This row of the installed data is another face.")
        face_tiles(known, key)
    with st.expander("Predictions of all models, and votes of the annotators", expanded=bool(fer2013_faces.missing)):
        columns = {"row": "Row in the data", "label": "Label in the data", "annotators": "Ten annotators (FER+)"}
        if fer2013_faces.votes_missing:
            columns.pop("annotators")
        about = {"row", "label", "actual", "predicted", "confidence", "source"}
        columns |= {name: name for name in map(str, faces) if name not in about}
        votes = [fer2013_faces.votes(row) for row in faces["row"]]
        alt = "Predictions of all models and votes of the annotators for these faces"
        show_table(faces.assign(annotators=votes), alt, columns)
        if fer2013_faces.votes_missing:
            st.caption(with_code(fer2013_faces.votes_missing))


def _tile(face: Any, fer2013_faces: Fer2013Faces, with_model: bool) -> Tile | None:
    about = [f"actual {face.actual}", *([f"says {face.source}"] if with_model else [])]
    words = f"{mark(face.predicted, face.actual)} **{face.predicted}** {percent_text(face.confidence)}"
    return fer2013_tile(fer2013_faces, face.row, face.label, words, about)
