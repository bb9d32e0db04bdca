"""What the Live camera page shows beside the video, and the snapshot that can replace it."""

from __future__ import annotations

import io
import uuid
from typing import Final

import streamlit as st

from fer_core.data import SAMPLE_CREDIT
from fer_core.figures.bars import probability_bars, probability_text
from fer_core.figures.timeline import timeline_chart
from fer_core.inference.live import LiveSession, LiveStatus
from fer_core.inference.stream import TrackedFace
from pages.parts.charts import show_chart
from pages.parts.common import offer_download, with_code
from pages.parts.live.camera import NO_PICTURES
from pages.parts.not_sure import why_not_sure
from pages.parts.notice import PHOTO, all_agree
from pages.parts.pictures import FROZEN, LIVE, SAMPLE, Picture, ServedModel, annotated, result_for
from pages.parts.predict import FaceView, face_bars

FOLLOWED: Final = "live_followed"
REFRESHES_WITHOUT_PICTURE: Final = "live_refreshes_without_picture"
FROZEN_PNG: Final = "live_frozen_png"
"""Keys of the session state."""

PATIENCE: Final = 16
"""Refreshes without a picture, two per second, before help is shown."""


def sample_picture(model: ServedModel) -> None:
    """Show the annotated sample until the camera runs."""
    faces = result_for(SAMPLE, model).faces
    place, _ = st.columns([2, 1])
    place.image(
        annotated(SAMPLE, model),
        width="stretch",
        caption=f"Until then: {SAMPLE_CREDIT}",
        alt="Portrait with a box around the face"
        + (f", labelled {faces[0].answer}" if faces else ", which was not found"),
    )


def sample_reading(model: ServedModel) -> None:
    """Show the probabilities of the sample until the camera runs."""
    for face in result_for(SAMPLE, model).faces[:1]:
        st.subheader(f"The built-in sample: {face.answer}")
        why_not_sure(face)
        show_chart(
            probability_bars(face.probabilities), alt=f"Probabilities: {probability_text(face.probabilities, 7)}"
        )


def snapshot(model: ServedModel) -> None:
    """Take a photo with the browser's camera widget and show the prediction."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        photo = st.camera_input("Photo", key="l_camera", label_visibility="collapsed") if all_agree(PHOTO) else None
    with right:
        if not photo:
            sample_reading(model)
            return
        picture = Picture("camera.jpg", photo.file_id, photo)
        with st.spinner("Looking for faces"):
            result = result_for(picture, model)
        if result.error:
            st.warning(with_code(result.error), icon=":material/warning:")
        elif not result.faces:
            st.info("No face was found. Come nearer, or turn to the light.", icon=":material/face_retouching_off:")
        else:
            boxes = ", ".join(f"{number} {face.answer}" for number, face in enumerate(result.faces, 1))
            st.image(annotated(picture, model), width="stretch", alt=f"Photo with numbered boxes: {boxes}")
            face_bars([FaceView(picture, model, 1)])


@st.fragment(run_every=0.5)
def readings(session: LiveSession) -> None:
    """Show the probabilities of one face and the frame rate, or help if no picture arrives."""
    status = session.status()
    waited = 0 if status.frames_per_second else st.session_state.get(REFRESHES_WITHOUT_PICTURE, 0) + 1
    st.session_state[REFRESHES_WITHOUT_PICTURE] = waited
    if waited > PATIENCE:
        st.warning(NO_PICTURES, icon=":material/videocam_off:")
        return
    if not status.frames_per_second:
        st.subheader("Waiting for the camera")
        return
    face = _followed_face(status)
    if face is None:
        st.subheader("No face in sight")
        st.caption("Come nearer, look into the camera, and turn to the light.")
    else:
        result = face.result
        st.subheader(f"Face {face.number}: {result.answer}")
        # Without numbers in `alt`: Streamlit builds the chart anew whenever `alt` changes.
        show_chart(
            probability_bars(result.probabilities), key="live_bars", alt=f"Probabilities of face {face.number} now"
        )
    st.caption(
        f"{status.frames_per_second:.0f} frames per second, {status.milliseconds:.0f} ms each · "
        f"{status.frames:,} analysed" + (f" · {status.failures} failed" if status.failures else "")
    )


def _followed_face(status: LiveStatus) -> TrackedFace | None:
    """Return the face that the charts show: the chosen or previous one while it is in sight, else the largest."""
    if status.result is None or not status.result.faces:
        return None
    faces = {face.number: face for face in status.result.faces}
    number = st.session_state.get(FOLLOWED)
    if number not in faces and status.result.largest:
        number = status.result.largest.number
    if len(faces) > 1:
        number = st.pills("Face", list(faces), default=number, required=True, key="l_face") or number
    st.session_state[FOLLOWED] = number
    return faces.get(int(number or 0))


@st.fragment(run_every=1.0)
def over_time(session: LiveSession) -> None:
    """Show the last minute of the face that the charts show."""
    table = session.timeline()
    number = st.session_state.get(FOLLOWED)
    one = table[table["face"] == number]
    st.subheader(f"Face {number} over the last minute" if len(one) else "The last minute")
    show_chart(
        timeline_chart(one, start=-60.0, stop=0.0, title="Seconds from now"),
        key="live_timeline",
        alt="Probabilities of the seven expressions over the last minute",
    )


@st.fragment
def keep(session: LiveSession, running: bool) -> None:
    """Offer to freeze a frame for the Predict page and to record the probabilities."""
    status = session.status()
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Freeze this frame", icon=":material/photo_camera:", disabled=not running, key="l_freeze"):
            _freeze(session)
        if status.recording or status.full:
            st.button("Stop recording", icon=":material/stop_circle:", on_click=session.stop_recording, key="l_stop")
            _recorded_rows(session)
        else:
            st.button(
                "Record probabilities",
                icon=":material/fiber_manual_record:",
                on_click=session.start_recording,
                disabled=not running,
                key="l_record",
            )
            if status.recorded:
                label = f"CSV, {status.recorded:,} rows"
                offer_download(label, session.recording_csv, "live.csv", "text/csv", "table", "l_csv")
        if FROZEN in st.session_state:
            st.page_link(
                "pages/predict.py",
                label="See why on the Predict page",
                icon=":material/psychology_alt:",
                query_params={"p_source": LIVE},
            )
    if FROZEN_PNG in st.session_state:
        place, _ = st.columns([2, 1])
        place.image(
            st.session_state[FROZEN_PNG],
            width="stretch",
            caption="Frozen, as the camera sees it",
            alt="The frozen frame",
        )


@st.fragment(run_every=1.0)
def _recorded_rows(session: LiveSession) -> None:
    status = session.status()
    st.caption(f"{status.recorded:,} rows" + ("; the recording is full" if status.full else ""))


def _freeze(session: LiveSession) -> None:
    """Keep the latest frame for this page and for Predict."""
    frozen = session.freeze()
    if frozen:
        clean, st.session_state[FROZEN_PNG] = frozen
        st.session_state[FROZEN] = Picture("live.png", uuid.uuid4().hex, io.BytesIO(clean))
