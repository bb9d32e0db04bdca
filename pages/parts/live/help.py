"""Words for the Live camera page: what each way does, and what helps when there is no picture."""

from __future__ import annotations

import streamlit as st

KINDS = {
    "Video": "Press START and allow the camera when the browser asks. Where live video fails, take a **Snapshot**.",
    "Snapshot": "Take a photo: this works wherever the browser has a camera, even where live video cannot connect.",
}
"""Each way of using the camera, and what to do."""

WORDS = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose camera",
    "media_api_not_available": "Browsers give the camera to https addresses and localhost only; this is neither.",
    "device_ask_permission": "Please allow the camera: the browser asks above or beside the address bar.",
    "device_not_available": "No camera can be used. Is one plugged in, and does no other program hold it?",
    "device_access_denied": "The camera is blocked for this page. Allow it beside the address bar, then start again.",
}
"""What the video component says in its own place."""

NO_PICTURES = (
    "The camera runs, but no picture reaches FER Lab. A firewall may block live video between this browser and the "
    "server. **Snapshot**, at the top, works without it; whoever runs the server can name a TURN server (see README)."
)

HELP = """
- **NotAllowedError, or the browser does not ask:** click the camera or lock beside the address, allow the camera, and
  start again. On a phone or a Mac also allow it for the browser in the system's settings.
- **NotFoundError:** no camera is there; plug one in and reload the page.
- **NotReadableError:** another program holds the camera, such as a video call; close it and start again.
- **No camera at an address other than localhost:** browsers give it to `https` addresses only.
- **It connects forever:** a firewall is in the way. Use **Snapshot** at the top, or have a TURN server named
  (README, *Live camera over a network*).
"""


def camera_help() -> None:
    """Show, folded, what to do when there is no picture."""
    with st.expander("No picture, or an error?", icon=":material/help:"):
        st.markdown(HELP)
