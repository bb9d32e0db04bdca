"""Parts of the Home page: the three ways in, each with a picture computed on the spot, and how models are judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from fer_core.columns import TEST_SPLITS, percent_text
from fer_core.data import SAMPLE_CREDIT
from fer_core.faces import evidence_for
from fer_core.metrics.predictions import joined
from fer_core.store.stored_model import StoredModel
from pages.parts.common import plain, why_not_sure
from pages.parts.data import predictions
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


def three_ways(model: StoredModel) -> None:
    """Show what one can do here as three cards: try it, explore, teach."""
    result = result_for(SAMPLE, model)
    face = result.faces[0] if result.faces else None
    with st.grid(3, min_column_width=260, gap="medium"):
        with _card():
            box = f"labelled {face.answer}" if face else "without a box"
            _picture(annotated(SAMPLE, model), f"Portrait of an astronaut, {box}")
            st.subheader("Try it", anchor=False)
            if face:
                share = "" if not face.sure else f" ({percent_text(face.confidence)})"
                st.markdown(f"{plain(model.title)} says: **{face.answer}**{share}.")
                why_not_sure(face)
            else:
                st.markdown(plain(result.error or "No face was found in the sample."))
            _links("Try it")
        with _card():
            if face and face.activation is not None:
                tile = evidence_tile(face, evidence_for(face.activation, face.expression))
                _picture(tile, f"The face in gray; bright places speak for {face.expression}")
            st.subheader("Explore", anchor=False)
            st.markdown("See where models look, and how often they are right.")
            _links("Explore")
        with _card():
            if face:
                _picture(input_tile(face, model), "The same face in 48 × 48 gray pixels")
            st.subheader("Teach", anchor=False)
            st.markdown("Show how pixels become seven probabilities.")
            _links("Teach")
    st.caption(f"Portrait: {SAMPLE_CREDIT}.")


def why_default(shown: StoredModel, models: Sequence[StoredModel]) -> str:
    """Return why the pages start with a model; empty if no score says so, or another model has a better one."""
    scores = {model.title: model.card.holdout_score or 0.0 for model in models if model.servable}
    best = max(scores.values(), default=0.0)
    if best == 0 or scores.get(shown.title) != best:
        return ""
    return (
        f"The pages start with {plain(shown.title)}. Of the models that can predict and have a score on faces held out "
        f"of training, it has the best, {best:.1%}: the mean of its accuracies by FER2013's label and by most "
        f"annotators and of its mean recall by most annotators, each on clean and on degraded faces."
    )


def judged_by(models: Sequence[StoredModel], by: str) -> str:
    """Return what scores on both test splits are judged by, with the number of faces; empty if that is not stored.

    The models' predictions are of the same faces, so those of the first model that has them are enough.
    """
    for model in models:
        parts = [part for split in TEST_SPLITS if (part := predictions([model], split, "plain", by)[0])]
        if len(parts) == len(TEST_SPLITS):
            both = joined(parts)
            return f"{both.split}. {both.yardstick}"
    return ""


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
