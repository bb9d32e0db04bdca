"""Parts of the Predict page: the probabilities of one face by each model, and the edit controls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from fer_core.explain import REGIONS, Edits, edit_and_rerun
from fer_core.figures.bars import model_answers, probability_bars, probability_change, probability_text
from fer_core.labels import EXPRESSIONS, NOT_SURE
from fer_core.types import FaceResult
from pages.parts.charts import show_chart
from pages.parts.common import plain
from pages.parts.explanations import explain
from pages.parts.not_sure import why_not_sure
from pages.parts.pictures import (
    Picture,
    ServedModel,
    close_up_of,
    result_for,
)

SLIDERS: Final[dict[str, tuple[str, float, float, float, float, str]]] = {
    "blur": ("Blur", 0.0, 20.0, 0.0, 0.5, "%.1f %%"),
    "brightness": ("Brightness", -80.0, 80.0, 0.0, 5.0, "%+.0f %%"),
    "contrast": ("Contrast", 0.0, 3.0, 1.0, 0.1, "× %.1f"),
    "noise": ("Noise", 0.0, 40.0, 0.0, 1.0, "%.0f %%"),
    "rotate": ("Rotation", -90.0, 90.0, 0.0, 5.0, "%+.0f°"),
}
"""Label, minimum, maximum, neutral value, step and format of each numeric field of `Edits`."""


FEW_MODELS: Final = 3
"""Up to this number, each model has a chart of its own."""


@dataclass(frozen=True)
class FaceView:
    """One face of a picture as one model sees it; faces are numbered from 1."""

    picture: Picture
    model: ServedModel
    number: int

    @property
    def face(self) -> FaceResult:
        """The prediction for the face."""
        return result_for(self.picture, self.model).faces[self.number - 1]


def no_face_found() -> None:
    """Say that there is no face, and what may help."""

    def take_whole() -> None:
        st.session_state["p_whole"] = True

    st.info(
        "No face was found in this picture. A larger, brighter or more frontal face may help. If the picture is a face "
        "crop already, as in FER2013, take it as a whole.",
        icon=":material/face_retouching_off:",
    )
    st.button("Take the whole picture as a face", icon=":material/crop_free:", on_click=take_whole, key="p_take_whole")


def face_bars(views: list[FaceView]) -> None:
    """Show the seven probabilities of each model side by side, below a headline with the most frequent answer."""
    answers = [view.face.answer for view in views]
    best = max(dict.fromkeys(answers), key=lambda answer: (answers.count(answer), answer != NOT_SURE))
    if len(views) == 1:
        st.subheader(f"Face {views[0].number}: {best}")
        why_not_sure(views[0].face)
    else:
        say = "are" if best == NOT_SURE else "say"
        st.subheader(f"Face {views[0].number}: {answers.count(best)} of {len(views)} models {say} {best}")
    if len(views) > FEW_MODELS:
        _all_in_one(views)
    else:
        _each_alone(views)
    ranked = sorted(zip(views[0].face.probabilities, EXPRESSIONS, strict=True), reverse=True)
    (high, one), (next_high, other) = ranked[:2]
    explain("Probabilities", f"{views[0].model.title}: {one} {high:.1%}, then {other} {next_high:.1%}.")


def _each_alone(views: list[FaceView]) -> None:
    with st.grid(min(len(views), 2), min_column_width=250, gap="medium"):
        for view in views:
            with st.container(gap="xsmall"):
                st.markdown(f"**{plain(view.model.title)}**")
                words = probability_text(view.face.probabilities, len(EXPRESSIONS))
                show_chart(
                    probability_bars(view.face.probabilities),
                    key=f"bars_{view.model.name}",
                    alt=f"{view.model.title}, face {view.number}: {words}",
                )
                if len(views) > 1:
                    why_not_sure(view.face)


def _all_in_one(views: list[FaceView]) -> None:
    """Show the probabilities of many models in one chart, which fits a phone."""
    faces = [view.face for view in views]
    said = "; ".join(f"{view.model.title} {view.face.answer}" for view in views)
    show_chart(
        model_answers(
            [view.model.title for view in views],
            [face.answer for face in faces],
            probabilities=[face.probabilities for face in faces],
        ),
        key="bars_of_all",
        alt=f"Answers for face {views[0].number}: {said}",
    )
    unsure = sum(not face.sure for face in faces)
    if unsure:
        st.caption(f"Not sure: no expression reaches the threshold of the model ({unsure} of {len(views)} models).")


@st.fragment
def edit_panel(views: list[FaceView]) -> None:
    """Show controls that change the picture, the changed face, and the probabilities before and after."""
    controls, results = st.columns([2, 5], gap="medium")
    with controls:
        edits, detect_again = _edit_controls()
    edited = edits != Edits()
    with results, st.spinner("Predicting the changed face"):
        part, there = close_up_of(views[0].picture, views[0].face)
        reruns = [
            edit_and_rerun(
                view.model.analyzer(), part, before=replace(view.face, face=there), edits=edits, find_again=detect_again
            )
            for view in views
        ]
    with results, st.grid(2, min_column_width=250, gap="medium"):
        st.image(
            reruns[0].image,
            caption=f"Face {views[0].number}, changed as the controls say",
            width="stretch",
            alt=f"Close-up of face {views[0].number} after the changes",
        )
        if len(views) > FEW_MODELS:
            with st.container(gap="xsmall"):
                _all_after(views, [rerun.result for rerun in reruns], edited)
        else:
            for view, rerun in zip(views, reruns, strict=True):
                with st.container(gap="xsmall"):
                    _before_and_after(view, view.face, rerun.result, edited)


def _edit_controls() -> tuple[Edits, bool]:
    def undo() -> None:
        for name, (_, _, _, neutral, _, _) in SLIDERS.items():
            st.session_state[f"p_{name}"] = neutral
        st.session_state["p_cover"] = []
        st.session_state["p_again"] = False

    values = {
        name: st.slider(label, low, high, neutral, step, format=shown, key=f"p_{name}", bind="query-params")
        for name, (label, low, high, neutral, step, shown) in SLIDERS.items()
    }
    cover = st.pills("Cover", list(REGIONS), selection_mode="multi", key="p_cover", bind="query-params", wrap=True)
    detect_again = st.toggle(
        "Find the face again",
        key="p_again",
        bind="query-params",
        help="Off: the face is cut out as before, so only the expression model is tested. On: the face detector has "
        "to find the face in the changed picture first.",
    )
    st.button("Undo all changes", icon=":material/undo:", on_click=undo, key="p_undo")
    return Edits(**values, cover=tuple(cover)), detect_again


def _before_and_after(view: FaceView, before: FaceResult, after: FaceResult | None, edited: bool) -> None:
    """Show the probabilities of one model before and after the changes, below a sentence that compares them."""
    if after is None:
        _lost()
        return
    was, now = _said(before), _said(after)
    if not edited:
        sentence = f"{was}: move a control"
    elif (before.expression, before.sure) == (after.expression, after.sure):
        sentence = f"Still {now}, before {before.confidence:.0%}"
    else:
        sentence = f"Now {now}, before {was}"
    st.markdown(f"**{plain(view.model.title)}** – {sentence}")
    show_chart(
        probability_change(before.probabilities, after.probabilities),
        key=f"change_{view.model.name}",
        alt=f"{view.model.title} after the changes: {probability_text(after.probabilities)}; "
        f"before: {probability_text(before.probabilities)}",
    )
    if edited:
        st.caption("Gray bars: before the changes.")


def _all_after(views: list[FaceView], results: list[FaceResult | None], edited: bool) -> None:
    """Show the probabilities of many models after the changes in one chart, below a sentence that counts them."""
    found = [(view, after) for view, after in zip(views, results, strict=True) if after is not None]
    if not found:
        _lost()
        return
    changed = [view for view, after in found if view.face.answer != after.answer]
    said = f"{len(changed)} of {len(found)} models change their answer" if edited else "Move a control"
    st.markdown(f"**{said}**")
    show_chart(
        model_answers(
            [view.model.title for view, _ in found],
            [
                f"{after.answer}, before {view.face.answer}" if view in changed else after.answer
                for view, after in found
            ],
            probabilities=[after.probabilities for _, after in found],
        ),
        key="change_of_all",
        alt="After the changes: " + "; ".join(f"{view.model.title} {after.answer}" for view, after in found),
    )


def _lost() -> None:
    st.info("The face detector no longer finds a face here.", icon=":material/visibility_off:")


def _said(face: FaceResult) -> str:
    likely = f"{face.expression} {face.confidence:.0%}"
    return likely if face.sure else f"{NOT_SURE} ({likely})"
