"""One face on the Predict page, through the eyes of each chosen model: bars, reasons, edits."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from fer_core.figures import probability_bars, probability_text
from fer_core.labels import EXPRESSIONS
from fer_core.types import FaceResult
from pages.parts.analysis import How, Picture, answer, plain
from pages.parts.pictures import activation_tile, occlusion, occlusion_tile, seen_tile

PREDICTED = "the prediction"


@dataclass(frozen=True)
class View:
    """One face of one picture, as one model sees it.

    Attributes:
        picture: where the face is.
        how: which model, and how it looks.
        title: the model's name for people.
        number: the face's number in the picture, from 1.
    """

    picture: Picture
    how: How
    title: str
    number: int

    @property
    def face(self) -> FaceResult:
        """The analysed face."""
        return answer(self.picture, self.how).faces[self.number - 1]


def face_bars(views: list[View]) -> None:
    """Show the seven probabilities by each model, side by side, under one headline."""
    said = [view.face.expression for view in views]
    best = max(dict.fromkeys(said), key=said.count)
    if len(views) == 1:
        st.subheader(f"Face {views[0].number}: {best}")
    else:
        st.subheader(f"Face {views[0].number}: {said.count(best)} of {len(views)} models say {best}")
    with st.grid(min(len(views), 2), min_column_width=250, gap="medium"):
        for view in views:
            with st.container(gap="xsmall"):
                if len(views) > 1:
                    st.markdown(f"**{plain(view.title)}**")
                words = probability_text(view.face.probabilities, len(EXPRESSIONS))
                st.altair_chart(
                    probability_bars(view.face.probabilities),
                    key=f"bars_{view.how.model}",
                    alt=f"{view.title}, face {view.number}: {words}",
                )


def face_reasons(views: list[View]) -> None:
    """Show what the model saw, where it found evidence, and, on demand, what hurts to cover."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.selectbox(
            "Evidence for", [PREDICTED, *EXPRESSIONS], key="p_evidence", bind="query-params", width=240
        )
        covering = st.toggle(
            "Occlusion map",
            key="p_occlusion",
            bind="query-params",
            help="Covers the face bit by bit with gray and measures how far the probability falls: about 150 "
            "predictions, half a second a model.",
        )
    with st.grid(3, min_column_width=240, gap="medium"):
        _seen(views)
        for view in views:
            face = view.face
            expression = face.expression if wanted == PREDICTED else str(wanted)
            who = f"{plain(view.title)}: " if len(views) > 1 else ""
            if face.activation is not None:
                st.image(
                    activation_tile(face, expression),
                    caption=f"{who}Bright places speak for {expression}",
                    width="stretch",
                    alt=f"Activation map of {view.title} for {expression}",
                )
            else:
                st.caption(
                    f"{who}It takes the face as one piece, so there are no places to light up. The occlusion map tells "
                    "what it rests on."
                )
            if covering:
                with st.spinner("Covering the face bit by bit"):
                    covered = occlusion(view.picture, view.how, view.number, expression)
                st.image(
                    occlusion_tile(face, covered),
                    caption=f"{who}Covering bright places costs {expression} most, up to "
                    f"{max(0.0, float(covered.drop.max())) * 100:.0f} points",
                    width="stretch",
                    alt=f"Occlusion map of {view.title} for {expression}",
                )


def _seen(views: list[View]) -> None:
    """Show the face as the models saw it, once for all that want nothing else done to it."""
    seers: dict[str, list[View]] = {}
    for view in views:
        seers.setdefault(view.how.preprocessing, []).append(view)
    for alike in seers.values():
        one, several = alike[0], "the models" if len(views) > 1 else "the model"
        who = several if len(seers) == 1 else " and ".join(plain(view.title) for view in alike)
        st.image(
            seen_tile(one.face, one.how),
            caption=f"What {who} saw: 48 × 48 gray pixels",
            width="stretch",
            alt=f"Face {one.number}, cut out upright in gray"
            + ("" if one.how.preprocessing == "none" else f", prepared for {one.title}"),
        )


def no_face_found() -> None:
    """Say that there is no face, and what may help."""
    st.info(
        "No face was found in this picture. A larger, brighter or more frontal face may help. If the picture is a face "
        "crop already, as in FER2013, take it as a whole.",
        icon=":material/face_retouching_off:",
    )
    st.button("Take the whole picture as a face", icon=":material/crop_free:", on_click=_take_whole, key="p_take_whole")


def _take_whole() -> None:
    st.session_state["p_whole"] = True
