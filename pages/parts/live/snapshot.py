"""The Live camera page without live video: one photo at a time."""

from __future__ import annotations

import streamlit as st

from pages.parts.analysis import How, Picture, answers_for, plain
from pages.parts.live.panels import sample_reading
from pages.parts.pictures import annotated
from pages.parts.predict import View, face_bars


def snapshot(how: How, title: str) -> None:
    """Take a photo with the browser's own camera widget and show what the model says."""
    left, right = st.columns([3, 2], gap="large")
    photo = left.camera_input("Photo", key="l_camera", label_visibility="collapsed")
    if not photo:
        with right:
            sample_reading(how)
        return
    picture = Picture("camera.jpg", photo.file_id, photo)
    (given,) = answers_for([picture], [how])[how]
    with right:
        if given.error:
            st.warning(plain(given.error), icon=":material/warning:")
        elif not given.faces:
            st.info("No face was found. Come nearer, or let light fall on it.", icon=":material/face_retouching_off:")
        else:
            boxes = ", ".join(f"{number} {face.expression}" for number, face in enumerate(given.faces, 1))
            st.image(annotated(picture, how), width="stretch", alt=f"Photo with numbered boxes: {boxes}")
            face_bars([View(picture, how, title, 1)])
