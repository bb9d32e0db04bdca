"""What is done to a face before a network sees it: preprocessing, scaling, augmentation, detection."""

from __future__ import annotations

from typing import Final

import streamlit as st

from fer_core.labels import EXPRESSIONS
from fer_core.measuring.face_table import shuffled_places
from pages.parts.common import choose, whole_number
from pages.parts.dataset.augmented import augmented
from pages.parts.dataset.detected import detected
from pages.parts.dataset.inputs import inputs
from pages.parts.dataset.source import ShownFaces

ANY: Final = "any"
STEPS: Final = {"What networks see": inputs, "Augmentation": augmented, "Face detection": detected}


def preparation(shown: ShownFaces) -> None:
    """Show one step of the preparation for a face that the visitor chooses, and the faces after it."""
    step = choose("Step", STEPS, "d_step")
    with st.container(horizontal=True):
        present = [name for name in EXPRESSIONS if shuffled_places(shown.dataset, name)]
        label = st.selectbox("Label", [ANY, *present], key="d_prepared", bind="query-params", width=160)
        places = shuffled_places(shown.dataset, "" if label == ANY else str(label))
        number = whole_number(f"Face (of {len(places):,}, in random order)", 1, len(places), 1, "d_face", width=280)
    STEPS[step](shown, places, number - 1)
