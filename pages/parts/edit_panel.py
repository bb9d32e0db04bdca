"""Edit and rerun on the Predict page: change the picture and watch the probabilities move."""

from __future__ import annotations

import streamlit as st

from fer_core.explain import REGIONS, Edits, edit_and_rerun
from fer_core.figures import probability_change, probability_text
from fer_core.types import FaceResult
from pages.parts.analysis import pixels, plain
from pages.parts.predict import View

SLIDERS: dict[str, tuple[str, float, float, float, float, str]] = {
    "blur": ("Blur", 0.0, 20.0, 0.0, 0.5, "%.1f %%"),
    "brightness": ("Brightness", -80.0, 80.0, 0.0, 5.0, "%+.0f %%"),
    "contrast": ("Contrast", 0.0, 3.0, 1.0, 0.1, "× %.1f"),
    "noise": ("Noise", 0.0, 40.0, 0.0, 1.0, "%.0f %%"),
    "rotate": ("Rotation", -90.0, 90.0, 0.0, 5.0, "%+.0f°"),
}
"""Field of `Edits` to label, lowest, highest, neutral, step, format."""


@st.fragment
def edit_panel(views: list[View]) -> None:
    """Show the controls, the changed face and each model's bars, with marks where they ended before."""
    controls, results = st.columns([2, 5], gap="large")
    with controls:
        edits, again = _controls()
    with results, st.grid(2, min_column_width=250, gap="medium"):
        for number, view in enumerate(views):
            face = view.face
            edited = edit_and_rerun(view.how.analyzer(), pixels(view.picture), face.face, edits, again)
            if number == 0:
                st.image(
                    edited.image,
                    caption=f"Face {view.number}, changed as the controls say",
                    width="stretch",
                    alt=f"Close-up of face {view.number} after the changes",
                )
            with st.container(gap="xsmall"):
                _change(view, face, edited.result, edits != Edits())


def _controls() -> tuple[Edits, bool]:
    values = {
        name: st.slider(label, low, high, neutral, step, format=shown, key=f"p_{name}", bind="query-params")
        for name, (label, low, high, neutral, step, shown) in SLIDERS.items()
    }
    cover = st.pills("Cover", list(REGIONS), selection_mode="multi", key="p_cover", bind="query-params", wrap=True)
    again = st.toggle(
        "Find the face again",
        key="p_again",
        bind="query-params",
        help="Off: the face is cut out as before, so only the expression model is tested. On: the face detector has "
        "to find the face in the changed picture first.",
    )
    st.button("Undo all changes", icon=":material/undo:", on_click=_undo, key="p_undo")
    return Edits(**values, cover=tuple(cover)), again


def _undo() -> None:
    for name, (_, _, _, neutral, _, _) in SLIDERS.items():
        st.session_state[f"p_{name}"] = neutral
    st.session_state["p_cover"] = []
    st.session_state["p_again"] = False


def _change(view: View, before: FaceResult, after: FaceResult | None, edited: bool) -> None:
    """Show one model's bars before and after, with a sentence that says what happened."""
    if after is None:
        st.info("The face detector no longer finds a face here.", icon=":material/visibility_off:")
        return
    was = f"{before.expression} {before.confidence:.0%}"
    now = f"{after.expression} {after.confidence:.0%}"
    if not edited:
        sentence = f"{was}: move a control"
    elif before.expression == after.expression:
        sentence = f"Still {now}, before {before.confidence:.0%}"
    else:
        sentence = f"Now {now}, before {was}"
    st.markdown(f"**{plain(view.title)}** – {sentence}")
    st.altair_chart(
        probability_change(before.probabilities, after.probabilities),
        key=f"change_{view.how.model}",
        alt=f"{view.title} after the changes: {probability_text(after.probabilities)}; "
        f"before: {probability_text(before.probabilities)}",
    )
    if edited:
        st.caption("Gray bars: before the changes.")
