"""The video on the Live camera page: one session a visitor, and the component that streams it."""

from __future__ import annotations

import logging
from typing import Any

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from fer_core.inference.live import LiveSession, give_memory_back
from pages.parts.analysis import How
from pages.parts.live.help import NO_PICTURES, WORDS

SESSION, HOW, RAN = "live_session", "live_how", "live_ran"
"""Names in the session's state."""

_LOG = logging.getLogger(__name__)


def session_for(how: How) -> LiveSession:
    """Return the visitor's own session, which reads with this model from now on."""
    if SESSION not in st.session_state:
        st.session_state[SESSION] = LiveSession(how.classifier(), how.model)
    elif st.session_state.get(HOW) != how:
        st.session_state[SESSION].use(how.classifier(), how.model)
    st.session_state[HOW] = how
    return st.session_state[SESSION]


def camera(session: LiveSession) -> bool:
    """Show the video with its start and stop button.

    Returns:
        Whether it runs or is about to.
    """
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
            translations=WORDS,
        )
    except Exception:
        _LOG.exception("The live video could not be set up.")
        st.warning(NO_PICTURES, icon=":material/videocam_off:")
        return False
    running = bool(context.state.playing or context.state.signalling)
    if st.session_state.get(RAN, False) != running:
        give_memory_back()
    st.session_state[RAN] = running
    return running


def ice_servers() -> list[dict[str, Any]]:
    """Return the STUN and TURN servers under `webrtc.ice_servers` in `.streamlit/secrets.toml`; without it none."""
    if not st.secrets.load_if_toml_exists():
        return []
    servers = st.secrets.get("webrtc", {}).get("ice_servers", [])
    return [dict(server) for server in servers if "urls" in server]
