"""The video of the Live camera page: one live session per visitor, and the component that streams it."""

from __future__ import annotations

import logging
from typing import Any, Final

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from fer_core.inference.live import LiveSession, release_memory
from fer_core.store.stored_model import StoredModel
from pages.parts.data import classifier

SESSION: Final = "live_session"
MODEL: Final = "live_model"
WAS_RUNNING: Final = "live_was_running"
"""Keys of the session state."""

KINDS: Final = {
    "Video": "Press START and allow the camera when the browser asks. Where live video fails, take a **Snapshot**.",
    "Snapshot": "Take a photo. This works in every browser with a camera, even where live video cannot connect.",
}
"""The ways to use the camera, and what to do."""

NO_PICTURES: Final = (
    "The camera runs, but no picture reaches FER Lab. A firewall may block live video between this browser and the "
    "server. **Snapshot**, at the top, works without it. The administrator of the server can name a TURN server "
    "(README, *Data and settings*)."
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
"""The words of the video component."""

HELP: Final = """
- **NotAllowedError, or the browser does not ask:** click the camera or lock beside the address, allow the camera, and
  start again. On a phone or a Mac also allow it for the browser in the system's settings.
- **NotFoundError:** no camera is there; plug one in and reload the page.
- **NotReadableError:** another program uses the camera, such as a video call; close it and start again.
- **No camera at an address other than localhost:** browsers allow it only for `https` addresses.
- **It keeps connecting:** a firewall blocks it. Use **Snapshot** at the top, or have a TURN server named
  (README, *Data and settings*).
"""

_LOG = logging.getLogger(__name__)


def session_for(model: StoredModel) -> LiveSession:
    """Return the visitor's live session, which uses this model from now on."""
    if SESSION not in st.session_state:
        st.session_state[SESSION] = LiveSession(classifier(model), model.name)
    elif st.session_state.get(MODEL) != model:
        st.session_state[SESSION].use(classifier(model), model.name)
    st.session_state[MODEL] = model
    return st.session_state[SESSION]


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
        _LOG.exception("The live video could not be set up.")
        st.warning(NO_PICTURES, icon=":material/videocam_off:")
        return False
    running = bool(context.state.playing or context.state.signalling)
    if st.session_state.get(WAS_RUNNING, False) != running:
        release_memory()
    st.session_state[WAS_RUNNING] = running
    return running


def ice_servers() -> list[dict[str, Any]]:
    """Return the STUN and TURN servers under `webrtc.ice_servers` in `.streamlit/secrets.toml`."""
    if not st.secrets.load_if_toml_exists():
        return []
    servers = st.secrets.get("webrtc", {}).get("ice_servers", [])
    return [dict(server) for server in servers if "urls" in server]


def camera_help() -> None:
    """Show a folded list of causes and remedies for a missing picture."""
    with st.expander("No picture, or an error?", icon=":material/help:"):
        st.markdown(HELP)
