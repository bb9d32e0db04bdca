"""Parts of the Home page: the three ways in, each with a picture computed on the spot."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from fer_core.columns import percent_text
from fer_core.data import SAMPLE_CREDIT
from fer_core.faces import evidence_for
from fer_core.store.stored_model import StoredModel
from pages.parts.common import plain, why_not_sure
from pages.parts.pictures import SAMPLE, annotated, evidence_tile, input_tile, result_for

SIDE: Final = 236
"""Width of the pictures in pixels: the cards fit a projector of 1280 × 720 pixels."""

LINKS: Final[dict[str, Any]] = {
    "Try it": (
        ("predict", "Try your own pictures", "upload", {"p_source": "Upload"}),
        ("predict", "Take a photo", "photo_camera", {"p_source": "Camera"}),
        ("live", "Move in front of the camera", "videocam", {}),
    ),
    "Explore": (
        ("predict", "See why", "psychology_alt", {"p_source": "Sample"}),
        ("compare", "Compare the models", "leaderboard", {}),
        ("dataset", "Browse the faces they learned from", "dataset", {}),
    ),
    "Teach": (
        ("lecture", "Give the lecture", "slideshow", {}),
        ("lecture", "Play with a class", "groups", {"screen": "class"}),
        ("finetune", "Train a model", "model_training", {}),
    ),
}
"""Page, label, icon and query parameters of the links by the title of the card."""


def try_it(model: StoredModel) -> None:
    """Show what the model says about the sample, and where to try it on one's own pictures."""
    result = result_for(SAMPLE, model)
    face = result.faces[0] if result.faces else None
    with _card():
        box = f"labelled {face.answer}" if face else "without a box"
        _picture(annotated(SAMPLE, model), f"Portrait of an astronaut, {box}")
        if face:
            share = "" if not face.sure else f" ({percent_text(face.confidence)})"
            st.markdown(f"{plain(model.title)} says: **{face.answer}**{share}.")
            why_not_sure(face)
        else:
            st.markdown(plain(result.error or "No face was found in the sample."))
        _links("Try it")
        st.caption(f"Portrait: {SAMPLE_CREDIT}.")


def explore_and_teach(model: StoredModel) -> None:
    """Show two more things that one can do here, each with a picture of the sample's face."""
    face = next(iter(result_for(SAMPLE, model).faces), None)
    with st.grid(2, min_column_width=260, gap="medium"):
        with _card():
            if face and face.activation is not None:
                tile = evidence_tile(face, evidence_for(face.activation, face.expression))
                _picture(tile, f"The face in gray; bright places speak for {face.expression}")
            st.markdown("**Explore** where models look, and how often they are right.")
            _links("Explore")
        with _card():
            if face:
                _picture(input_tile(face, model), "The same face in 48 × 48 gray pixels")
            st.markdown("**Teach** how pixels become seven probabilities.")
            _links("Teach")


def _card() -> Any:
    return st.container(border=True, height="stretch", horizontal_alignment="center", gap="small")


def _picture(picture: Any, alt: str) -> None:
    """Show a square picture in a place that has its size before the picture arrives, so that nothing below moves."""
    with st.container(width=SIDE, height=SIDE, border=False, gap=None):
        st.image(picture, width=SIDE, alt=alt)


def _links(card: str) -> None:
    with st.container(gap="xxsmall"):
        for page, label, icon, query in LINKS[card]:
            look: Any = {"icon": f":material/{icon}:", "width": "stretch"}
            st.page_link(f"pages/{page}.py", label=label, query_params=query, **look)
