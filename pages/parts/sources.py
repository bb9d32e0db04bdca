"""Where the Predict page's pictures come from."""

from __future__ import annotations

import streamlit as st

from fer_core.data import SAMPLE_CREDIT
from pages.parts.analysis import SAMPLE, Picture

SOURCES = {
    "Sample": "The built-in portrait: " + SAMPLE_CREDIT + ".",
    "Upload": "Your pictures stay on the computer that runs FER Lab, and only as long as this page is open.",
    "Camera": "Look into the camera and take a photo. The browser asks for permission first.",
}
"""Each source, and what to know about it."""

LIVE = "Live"
"""The source that there is once somebody froze a frame on the Live camera page."""

FROZEN = "frozen_frame"
"""Where the session keeps that frame, a `Picture`."""


def sources() -> list[str]:
    """Return the sources that can be chosen now."""
    return [*SOURCES, LIVE] if FROZEN in st.session_state else list(SOURCES)


def pictures_from(source: str) -> list[Picture]:
    """Show the source's widget and return the pictures that it holds."""
    if source == "Upload":
        # No type filter: a wrong file gets our sentence, which says what is wrong and what would work.
        files = st.file_uploader("Pictures, as many as you like", accept_multiple_files=True, key="p_upload")
        return [Picture(file.name, file.file_id, file) for file in files]
    if source == "Camera":
        left, _ = st.columns([1, 1])
        photo = left.camera_input("Photo", key="p_camera", label_visibility="collapsed")
        return [Picture("camera.jpg", photo.file_id, photo)] if photo else []
    if source == LIVE:
        return [st.session_state[FROZEN]]
    return [SAMPLE]
