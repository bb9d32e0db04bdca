"""What stands around the live video: bars, the last minute, and what can be kept. Each part renews itself."""

from __future__ import annotations

import io
import uuid

import streamlit as st

from fer_core.data import SAMPLE_CREDIT
from fer_core.figures import probability_bars, probability_text, timeline_chart
from fer_core.inference.live import LiveSession, LiveStatus
from fer_core.inference.stream import TrackedFace
from pages.parts.analysis import SAMPLE, How, Picture, answers_for
from pages.parts.live.help import NO_PICTURES
from pages.parts.pictures import annotated
from pages.parts.sources import FROZEN, LIVE

FOLLOWED, WAITS, FROZEN_PNG = "live_followed", "live_waits", "live_frozen_png"
PATIENCE = 16
"""Renewals without a picture, two a second, before help is shown."""


def sample_picture(how: How) -> None:
    """Show, until the camera runs, what its picture will look like: the built-in sample."""
    (given,) = answers_for([SAMPLE], [how])[how]
    place, _ = st.columns([2, 1])
    place.image(
        annotated(SAMPLE, how),
        width="stretch",
        caption=f"Until then: {SAMPLE_CREDIT}",
        alt="Portrait with a box around the face"
        + (f", labelled {given.faces[0].expression}" if given.faces else ", which was not found"),
    )


def sample_reading(how: How) -> None:
    """Show, until the camera runs, the bars of the built-in sample."""
    (given,) = answers_for([SAMPLE], [how])[how]
    if given.faces:
        face = given.faces[0]
        st.subheader(f"The built-in sample: {face.expression}")
        st.altair_chart(
            probability_bars(face.probabilities), alt=f"Probabilities: {probability_text(face.probabilities, 7)}"
        )


@st.fragment(run_every=0.5)
def readings(session: LiveSession) -> None:
    """Show the bars of one face, how fast it goes, and help when no picture comes."""
    status = session.status()
    st.session_state[WAITS] = 0 if status.frames_per_second else st.session_state.get(WAITS, 0) + 1
    if st.session_state[WAITS] > PATIENCE:
        st.warning(NO_PICTURES, icon=":material/videocam_off:")
        return
    if not status.frames_per_second:
        st.subheader("Waiting for the camera")
        return
    face = followed_face(status)
    if face is None:
        st.subheader("No face in sight")
        st.caption("Come nearer, look into the camera, let light fall on your face.")
    else:
        result = face.result
        st.subheader(f"Face {face.number}: {result.expression}")
        # the alt has no numbers: whenever it changed, Streamlit would build the chart anew
        st.altair_chart(
            probability_bars(result.probabilities), key="live_bars", alt=f"Probabilities of face {face.number} now"
        )
    st.caption(
        f"{status.frames_per_second:.0f} frames a second, {status.milliseconds:.0f} ms each · "
        f"{status.frames:,} analysed" + (f" · {status.failures} failed" if status.failures else "")
    )


def followed_face(status: LiveStatus) -> TrackedFace | None:
    """Return the face that the charts are about: the chosen or latest one while it is in sight, else the largest."""
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
    """Show the last minute of the face that the bars are about."""
    table = session.timeline()
    number = st.session_state.get(FOLLOWED)
    one = table[table["face"] == number]
    st.subheader(f"Face {number} over the last minute" if len(one) else "The last minute")
    st.altair_chart(
        timeline_chart(one, start=-60.0, stop=0.0, title="Seconds from now"),
        key="live_timeline",
        alt="Probabilities of the seven expressions over the last minute",
    )


@st.fragment
def keep(session: LiveSession, running: bool) -> None:
    """Offer to freeze a frame and to record the numbers."""
    status = session.status()
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Freeze this frame", icon=":material/photo_camera:", disabled=not running, key="l_freeze"):
            freeze(session)
        if status.recording or status.full:
            st.button("Stop recording", icon=":material/stop_circle:", on_click=session.stop_recording, key="l_stop")
            recorded(session)
        else:
            st.button(
                "Record numbers",
                icon=":material/fiber_manual_record:",
                on_click=session.start_recording,
                disabled=not running,
                key="l_record",
            )
            if status.recorded:
                st.download_button(
                    f"CSV, {status.recorded:,} rows",
                    session.recording_csv,
                    "live.csv",
                    "text/csv",
                    icon=":material/table:",
                    on_click="ignore",
                    key="l_csv",
                )
        if FROZEN in st.session_state:
            st.page_link(
                "pages/predict.py",
                label="Ask why on the Predict page",
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
def recorded(session: LiveSession) -> None:
    """Tell how much is recorded."""
    status = session.status()
    st.caption(f"{status.recorded:,} rows" + ("; that is all it holds" if status.full else ""))


def freeze(session: LiveSession) -> None:
    """Keep the latest frame for this page and for Predict."""
    frozen = session.freeze()
    if frozen:
        st.session_state[FROZEN] = Picture("live.png", uuid.uuid4().hex, io.BytesIO(frozen.png))
        st.session_state[FROZEN_PNG] = frozen.annotated_png
