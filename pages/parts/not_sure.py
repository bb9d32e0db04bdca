"""What "not sure" means, where a page says it."""

from __future__ import annotations

import streamlit as st

from fer_core.figures.theme import percent_text
from fer_core.metrics.calibration import WANTED
from fer_core.types import FaceResult


def why_not_sure(face: FaceResult) -> None:
    """Explain an answer "not sure"; show nothing below any other answer."""
    if not face.sure:
        st.caption(
            f"Not sure: no expression reaches {percent_text(face.not_sure_below)}. From there on, at least "
            f"{percent_text(WANTED)} of this model’s answers are what most annotators say, on faces that it was not "
            "trained on (the hold-out)."
        )
