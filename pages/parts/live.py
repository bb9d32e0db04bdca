"""The Live camera page: the video of one session per visitor, and what is shown beside it."""

from __future__ import annotations

import io
import logging
import uuid
from typing import Any, Final

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from fer_core.figures.bars import probability_bars
from fer_core.figures.timelines import timeline_chart
from fer_core.inference.live import LiveSession, LiveStatus, release_memory
from fer_core.inference.stream import TrackedFace
from pages.parts.charts import show_chart
from pages.parts.common import offer_download
from pages.parts.pictures import FROZEN, LIVE, Picture
from pages.parts.visitor import server_settings

FOLLOWED: Final = "live_followed"
REFRESHES_WITHOUT_PICTURE: Final = "live_refreshes_without_picture"
FROZEN_PNG: Final = "live_frozen_png"
"""Keys of the session state."""

PANEL: Final = 520  # height in pixels of the readings: what is below them never moves
PATIENCE: Final = 16  # refreshes without a picture, two per second, before help is shown

START: Final = "Press START and allow the camera when the browser asks. If live video fails, take a photo on Predict."

NO_PICTURES: Final = (
    "The camera runs, but no picture reaches FER Lab. A firewall may block live video between this browser and the "
    "server. A photo on the Predict page works without it. The administrator of the server can name a TURN server "
    "(docs/data.md)."
)

TRANSLATIONS: Final = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose camera",
    "media_api_not_available": "Browsers allow the camera only for https addresses and localhost; this is neither.",
    "device_ask_permission": "Please allow the camera: the browser asks above or beside the address bar.",
    "device_not_available": "No camera can be used. Is one plugged in, and does no other program use it?",
    "device_access_denied": "The camera is blocked for this page. Allow it beside the address bar, then start again.",
}


def camera(session: LiveSession) -> bool:
    """Show the video with its start and stop button; return whether it runs or is about to run."""
    try:
        context = webrtc_streamer(
            "live_camera",
            mode=WebRtcMode.SENDRECV,
            rtc_configuration={"iceServers": ice_servers()},
            media_stream_constraints={"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}, "audio": False},
            video_frame_callback=session.video_frame_callback,
            video_html_attrs={"autoPlay": True, "controls": True, "muted": True, "style": {"width": "100%"}},
            media_toggle_controls=False,
            sendback_audio=False,
            translations=TRANSLATIONS,
        )
    except Exception:
        logging.getLogger(__name__).exception("The live video could not be set up.")
        st.warning(NO_PICTURES, icon=":material/videocam_off:")
        return False
    running = bool(context.state.playing or context.state.signalling)
    if st.session_state.get("live_was_running", False) != running:
        release_memory()
    st.session_state["live_was_running"] = running
    return running


def ice_servers() -> list[dict[str, Any]]:
    """Return the STUN and TURN servers under `webrtc.ice_servers` in `.streamlit/secrets.toml`."""
    servers = server_settings("webrtc").get("ice_servers", [])
    return [dict(server) for server in servers if "urls" in server]


@st.fragment(run_every=0.5)
def readings(session: LiveSession) -> None:
    """Show the probabilities of one face and the frame rate, or help, in a place of one height."""
    status = session.status()
    with st.container(height=PANEL, border=False):
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
            st.subheader(f"Face {face.number}: {face.result.answer}")
            # Without numbers in `alt`: Streamlit builds the chart anew whenever `alt` changes.
            alt = f"Probabilities of face {face.number} now"
            show_chart(probability_bars(face.result.probabilities, classes=face.result.classes), alt, key="live_bars")
        if status.result and len(status.result.faces) > 1:  # below, so that the bars stay where they are
            numbers = [tracked.number for tracked in status.result.faces]
            st.pills("Face", numbers, default=st.session_state[FOLLOWED], required=True, key="l_face")
        st.caption(
            f"{status.frames_per_second:.0f} frames per second, {status.milliseconds:.0f} ms each · "
            f"{status.frames:,} analysed" + (f" · {status.failures} failed" if status.failures else "")
        )


def _followed_face(status: LiveStatus) -> TrackedFace | None:
    """Return the face that the charts show: the chosen or previous one while it is in sight, else the largest."""
    if status.result is None or not status.result.faces:
        return None
    faces = {face.number: face for face in status.result.faces}
    number = st.session_state.get("l_face", st.session_state.get(FOLLOWED))
    if number not in faces and status.result.largest:
        number = status.result.largest.number
    st.session_state[FOLLOWED] = number
    return faces.get(int(number or 0))


@st.fragment(run_every=1.0)
def over_time(session: LiveSession) -> None:
    """Show the last minute of the face that the charts show."""
    table, number = session.timeline(), st.session_state.get(FOLLOWED)
    table = table[table["face"] == number]
    st.subheader(f"Face {number} over the last minute" if len(table) else "The last minute")
    chart = timeline_chart(table, start=-60.0, stop=0.0, title="Seconds from now", classes=session.classes)
    alt = f"Probabilities of {len(session.classes)} classes over the last minute"
    show_chart(chart, alt, key="live_timeline")


@st.fragment
def keep(session: LiveSession, running: bool) -> None:
    """Offer to freeze a frame for the Predict page and to record the probabilities."""
    status = session.status()
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Freeze this frame", icon=":material/photo_camera:", disabled=not running, key="l_freeze"):
            frozen = session.freeze()
            if frozen:
                clean, st.session_state[FROZEN_PNG] = frozen
                st.session_state[FROZEN] = Picture("live.png", uuid.uuid4().hex, io.BytesIO(clean))
        if status.recording or status.full:
            st.button("Stop recording", icon=":material/stop_circle:", on_click=session.stop_recording, key="l_stop")
            _recorded_rows(session)
        else:
            icon, start = ":material/fiber_manual_record:", session.start_recording
            st.button("Record probabilities", icon=icon, on_click=start, disabled=not running, key="l_record")
            if status.recorded:
                label = f"CSV, {status.recorded:,} rows"
                offer_download(label, session.recording_csv, "live.csv", "text/csv", "table", "l_csv")
        if FROZEN in st.session_state:
            label, query = "See why on the Predict page", {"p_source": LIVE}
            st.page_link("pages/predict.py", label=label, icon=":material/psychology_alt:", query_params=query)
    if FROZEN_PNG in st.session_state:
        place, _ = st.columns([2, 1])
        caption = "Frozen, as the camera sees it"
        place.image(st.session_state[FROZEN_PNG], width="stretch", caption=caption, alt="The frozen frame")


@st.fragment(run_every=1.0)
def _recorded_rows(session: LiveSession) -> None:
    status = session.status()
    st.caption(f"{status.recorded:,} rows" + ("; the recording is full" if status.full else ""))
