"""The table of models in packages of others, measured here, which Compare and Dataset show."""

from __future__ import annotations

import streamlit as st

from fer_core.metrics.paper import packages_table


def models_in_packages() -> None:
    """Show accuracy and F1 of models of others, beside what they claim."""
    st.table(packages_table().set_index("Package"), border="horizontal", alt="Models of others, measured here")
    st.caption(
        "Accuracy by FER2013’s label with 95 % intervals, and macro F1, on whole faces as FER2013 frames them. Whether "
        "these models saw test faces in training is unknown."
    )
