"""The faces on which models fail."""

from __future__ import annotations

import streamlit as st

from fer_core.data.fer2013_faces import Fer2013Faces
from fer_core.metrics.confusion import HARDEST, hardest_faces
from fer_core.store.folders import list_models
from pages.parts.common import choose, choose_faces, note_utkface, plain
from pages.parts.compare.results import Selection, all_answers, stamps
from pages.parts.confusion import show_faces

SHOWN = 24


def hardest(faces: Fer2013Faces) -> None:
    """Show test faces that all models get wrong, that one gets wrong with confidence, or that divide the models."""
    with st.container(horizontal=True):
        split, view, by = choose_faces("d_hard")
    stored, _ = list_models()
    answers, _ = all_answers(Selection(stamps(stored), split, view, by))
    if answers is None:
        st.info("No model has predictions of this split.", icon=":material/info:")
        return
    order = choose("Show faces where", HARDEST, "d_hardest", format_func=HARDEST.__getitem__)
    name = st.selectbox(
        "Predictions of", answers.names, format_func=answers.titles.__getitem__, key="d_hard_model", bind="query-params"
    )
    found = hardest_faces(answers, order, name)
    number = (
        f"{len(found):,} of {len(answers.labels):,} faces" if order != "divided" else "Most different answers first"
    )
    show_faces(found.head(SHOWN), faces, f"{HARDEST[order]}: {number}")
    st.caption(f"{plain(answers.where)}. {len(answers.names)} models. {answers.yardstick}")
    note_utkface(model for model in stored if model.name in answers.names)
