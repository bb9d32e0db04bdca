"""One face as models see it: probabilities, the reasons, and what edits of the picture change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

import streamlit as st

from fer_core.columns import counted, percent, percent_text
from fer_core.explain import NOTABLE, REGIONS, Edits, edit_and_rerun
from fer_core.faces import Evidence, evidence_for
from fer_core.figures.bars import model_answers, probability_bars, probability_change, probability_text
from fer_core.labels import NOT_SURE
from fer_core.names import upper_first
from fer_core.sections import answers as says
from fer_core.store.stored_model import StoredModel
from fer_core.types import FaceResult
from pages.parts import pictures
from pages.parts.charts import show_chart
from pages.parts.common import explain, plain, why_not_sure
from pages.parts.pictures import Picture, evidence_tile, result_for

SLIDERS: Final[dict[str, tuple[str, float, float, float, float, str]]] = {
    "blur": ("Blur", 0.0, 20.0, 0.0, 0.5, "%.1f %%"),
    "brightness": ("Brightness", -80.0, 80.0, 0.0, 5.0, "%+.0f %%"),
    "contrast": ("Contrast", 0.0, 3.0, 1.0, 0.1, "× %.1f"),
    "noise": ("Noise", 0.0, 40.0, 0.0, 1.0, "%.0f %%"),
    "rotate": ("Rotation", -90.0, 90.0, 0.0, 5.0, "%+.0f°"),
}
"""Label, minimum, maximum, neutral value, step and format of each numeric field of `Edits`."""

PAGE: Final = "p"  # prefix of keys on the Predict page
PREDICTED: Final = "the prediction"
OTHERS: Final = "all others"


class FaceView(NamedTuple):
    """One face of a picture as one model sees it; faces are numbered from 1."""

    picture: Picture
    model: StoredModel
    number: int

    @property
    def face(self) -> FaceResult:
        """The face with its prediction."""
        return result_for(self.picture, self.model).faces[self.number - 1]

    @property
    def classes(self) -> tuple[str, ...]:
        """What the model tells apart."""
        return self.model.card.classes


def face_bars(views: list[FaceView]) -> None:
    """Show the probabilities of one model, or of several in one chart, below the most frequent answer."""
    faces, first = [view.face for view in views], views[0]
    answers = [face.answer for face in faces]
    best = max(dict.fromkeys(answers), key=lambda answer: (answers.count(answer), answer != NOT_SURE))
    which = "" if first.picture.whole_image else f"Face {first.number}: "
    if len(views) == 1:
        st.subheader(upper_first(f"{which}{best}"))
        why_not_sure(faces[0])
        alt = f"{first.model.title}, face {first.number}: {_in_order(faces[0], first)}"
        show_chart(probability_bars(faces[0].probabilities, classes=first.classes), alt, key="bars")
    else:
        say = "are" if best == NOT_SURE else "say"
        st.subheader(f"{which}{answers.count(best)} of {len(views)} models {say} {best}")
        _all_in_one(list(zip(views, faces, strict=True)), f"Answers for face {first.number}: ", "bars")
        if unsure := sum(not face.sure for face in faces):
            st.caption(f"Not sure: no expression reaches the threshold of the model ({unsure} of {len(views)} models).")
    ranked = sorted(zip(faces[0].probabilities, first.classes, strict=True), reverse=True)
    (high, likely), (next_high, other) = ranked[:2]
    numbers = f"{likely} {percent(high, '.1%')}, then {other} {percent(next_high, '.1%')}."
    explain("Probabilities", f"{first.model.title}: {numbers}")


def _in_order(face: FaceResult, view: FaceView) -> str:
    return probability_text(face.probabilities, len(view.classes), classes=view.classes)


def _all_in_one(answers: list[tuple[FaceView, FaceResult]], alt: str, key: str) -> None:
    """Show the probabilities of several models in one chart, which fits a phone; `alt` begins its description."""
    views, faces = zip(*answers, strict=True)
    titles, says = [view.model.title for view in views], [face.answer for face in faces]
    words = "; ".join(f"{title} {answer}" for title, answer in zip(titles, says, strict=True))
    probabilities = [face.probabilities for face in faces]
    chart = model_answers(titles, says, probabilities=probabilities, classes=views[0].classes)
    show_chart(chart, f"{alt}{words}", key=f"{key}_of_all")


@st.fragment
def edit_panel(views: list[FaceView], prefix: str = PAGE) -> None:
    """Show controls that change the picture, the changed face, and the probabilities before and after.

    `prefix` starts the keys of the controls.
    """
    controls, results = st.columns([2, 5], gap="medium")
    with controls:
        edits, detect_again = _edit_controls(prefix)
    edited = edits != Edits()
    first = views[0]
    with results, st.spinner("Predicting the changed face"):
        part, there = pictures.close_up_of(first.picture, first.model, first.number)
        reruns = []
        for view in views:
            before, by = replace(view.face, face=there), pictures.analyzer(view.picture, view.model)
            reruns.append(edit_and_rerun(by, part, before=before, edits=edits, find_again=detect_again))
    found = [(view, after) for view, (_, after) in zip(views, reruns, strict=True) if after is not None]
    with results, st.grid(2, min_column_width=250, gap="medium"):
        caption = f"Face {first.number}, changed as the controls say"
        alt = f"Close-up of face {first.number} after the changes"
        st.image(reruns[0][0], caption=caption, width="stretch", alt=alt)
        with st.container(gap="xsmall"):
            if not found:
                st.info("The face detector no longer finds a face here.", icon=":material/visibility_off:")
            elif len(views) > 1:
                changed = sum(view.face.answer != after.answer for view, after in found)
                words = f"{changed} of {len(found)} models change their answer" if edited else "Move a control"
                st.markdown(f"**{words}**")
                _all_in_one(found, "After the changes: ", "change")
            else:
                ((view, after),) = found
                before = view.face
                st.markdown(f"**{plain(view.model.title)}** – {says.changed(before, after, edited)}")
                alt = (
                    f"{view.model.title} after the changes: {_in_order(after, view)}; before: {_in_order(before, view)}"
                )
                chart = probability_change(before.probabilities, after.probabilities, classes=view.classes)
                show_chart(chart, alt, key="change")
                if edited:
                    st.caption("Gray bars: before the changes.")


def _url(prefix: str) -> Any:
    """Return the settings of widgets that keep their values: on Predict in the URL, which a card does not change."""
    return {"bind": "query-params"} if prefix == PAGE else {}


def _edit_controls(prefix: str) -> tuple[Edits, bool]:
    def undo() -> None:
        neutral = {f"{prefix}_{name}": slider[3] for name, slider in SLIDERS.items()}
        st.session_state.update({**neutral, f"{prefix}_cover": [], f"{prefix}_again": False})

    values = {
        name: st.slider(label, low, high, neutral, step, format=shown, key=f"{prefix}_{name}", **_url(prefix))
        for name, (label, low, high, neutral, step, shown) in SLIDERS.items()
    }
    url = {"wrap": True, **_url(prefix)}
    cover = st.pills("Cover", list(REGIONS), selection_mode="multi", key=f"{prefix}_cover", **url)
    words = (
        "Off: the face is cut out as before, so only the expression model is tested. On: the face detector has to find "
        "the face in the changed picture first."
    )
    detect_again = st.toggle("Find the face again", key=f"{prefix}_again", help=words, **_url(prefix))
    st.button("Undo all changes", icon=":material/undo:", on_click=undo, key=f"{prefix}_undo")
    return Edits(**values, cover=tuple(cover)), detect_again


def face_reasons(views: list[FaceView], prefix: str = PAGE) -> None:
    """Show the input of the models, their activation maps, and on demand their occlusion maps."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names, url = views[0].classes, {"width": 200, **_url(prefix)}
        wanted = st.selectbox("Evidence for", [PREDICTED, *names], key=f"{prefix}_evidence", **url)
        other = st.selectbox("Against", [OTHERS, *names], key=f"{prefix}_against", **url)
        words = (
            "Covers one part of the face after the other with gray and measures how far the probability falls: 145 "
            "predictions, half a second per model."
        )
        with_occlusion = st.toggle("Occlusion map", key=f"{prefix}_occlusion", help=words, **_url(prefix))
    st.caption(
        "The maps show in coarse cells where the model finds evidence. They do not say why, or what the person feels."
    )
    against = None if other == OTHERS else str(other)
    if without_map := [plain(view.model.title) for view in views if view.face.activation is None]:
        st.caption(
            f"Without an activation map, because they take the face as one piece: {'; '.join(without_map)}. The "
            "occlusion map shows what their predictions depend on."
        )
    first_map = next((view for view in views if view.face.activation is not None), None)
    with st.grid(4 if len(views) > 1 else 3, min_column_width=150, gap="medium"):
        _inputs(views)
        for view in views:
            expression = view.face.expression if wanted == PREDICTED else str(wanted)
            title = f"{plain(view.model.title)}: " if len(views) > 1 else ""
            if expression == against:
                st.caption(f"{title}{expression} cannot be compared with itself. Choose another expression.")
                continue
            if view.face.activation is not None:
                with st.container(gap="xsmall"):
                    _activation(view, expression, against, title, explained=view is first_map)
            if with_occlusion:
                with st.container(gap="xsmall"):
                    _occlusion(view, expression, against, title, explained=view is views[0])


def _inputs(views: list[FaceView]) -> None:
    """Show the face as the models see it, once for all models with the same preprocessing."""
    groups: dict[str, list[FaceView]] = {}
    for view in views:
        groups.setdefault(view.model.card.preprocessing, []).append(view)
    for kind, (first, *others) in groups.items():
        who = plain(first.model.title) + (f" and {counted(len(others), 'other')}" if others else "")
        if len(groups) == 1:
            who = "the models" if others else "the model"
        prepared = "" if kind == "none" else f", prepared for {first.model.title}"
        alt = f"Face {first.number}, cut out upright in gray{prepared}"
        caption = f"What {who} saw: 48 × 48 gray pixels"
        st.image(pictures.input_tile(first.face, first.model), caption=caption, width="stretch", alt=alt)


def _activation(view: FaceView, expression: str, against: str | None, prefix: str, explained: bool) -> None:
    maps = view.face.activation
    assert maps is not None
    evidence = evidence_for(maps, expression, against=against, classes=view.classes)
    words = says.evidence(float(abs(evidence.shares).max()), expression, against)
    _tile(view, evidence, prefix + words, f"Activation map of {view.model.title} for {expression}", against)
    if explained:
        peaks = {name: float(evidence_for(maps, name, classes=view.classes).shares.max()) for name in view.classes}
        best, second = sorted(peaks, key=lambda name: -peaks[name])[:2]
        explain(
            "Activation map",
            f"{view.model.title}: {maps.shape[0]} × {maps.shape[1]} cells. The strongest evidence is for {best} "
            f"({percent_text(peaks[best])} of the scale), then for {second} ({percent_text(peaks[second])}).",
        )


def _occlusion(view: FaceView, expression: str, against: str | None, prefix: str, explained: bool) -> None:
    with st.spinner("Covering the face part by part"):
        occlusion = pictures.occlusion_of(view.picture, view.model, view.number)

    def points(expression: str) -> int:
        """Return the largest drop of an expression's probability in percentage points."""
        return round(100 * max(0.0, float(occlusion.drop[:, :, view.classes.index(expression)].max())))

    words = says.covering(points(expression), expression, against)
    evidence = evidence_for(occlusion.drop, expression, against=against, at_least=NOTABLE, classes=view.classes)
    _tile(view, evidence, prefix + words, f"Occlusion map of {view.model.title} for {expression}", against)
    if explained:
        (rows, columns, _), face = occlusion.drop.shape, view.face
        explain(
            "Occlusion map",
            f"{view.model.title}: {rows} × {columns} places. Covering the most important one lowers {face.expression} "
            f"from {percent_text(face.confidence)} by {points(face.expression)} points.",
        )


def _tile(view: FaceView, evidence: Evidence, caption: str, title: str, against: str | None) -> None:
    alt = title + (f" against {against}" if against else "")
    st.image(evidence_tile(view.face, evidence), caption=caption, width="stretch", alt=alt)
