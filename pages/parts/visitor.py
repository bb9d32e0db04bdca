"""Who visits: nobody in particular on one's own computer; on a shared server, the owner of a browser or a login.

A server is shared if `.streamlit/secrets.toml` has a table `[server]` with `shared = true` and, optionally, limits. Its
visitors are told apart by their login, where Streamlit's `[auth]` is set up, and otherwise by a random secret in a
cookie, which no link gives away. The table `[training]` says whether everybody may train, nobody (`enabled = false`),
or who knows a `password`; nobody may where TensorFlow is not installed, as in an image that only serves.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from importlib.util import find_spec
from typing import Any, Final

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fer_core.extras import missing
from fer_core.files import home
from fer_core.guesses import TRAINING
from fer_core.runs.visits import visits
from fer_core.types import FerError
from fer_core.visitors import Limits, Visitor, ask_for_visitor

COOKIE: Final = "fer_lab_visitor"
_SECRET, _KNOWN = "visitor_secret", "access_password"
"""Keys of the session state: the visitor's secret, and the password that this session gave last."""

_REMEMBER: Final = st.components.v2.component(
    "fer_lab_visitor",
    js="""
export default function ({ data }) {
  const secure = window.location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.name}=${data.secret}; Path=/; Max-Age=${data.seconds}; SameSite=Lax${secure}`;
}
""",
)


def current_visitor() -> Visitor | None:
    """Return the visitor whose page is being shown; None if the server is not shared. `FerError`: a bad setting."""
    if get_script_run_ctx(suppress_warning=True) is None:  # not called by a page
        return None
    setting = server_settings("server")
    shared = setting.pop("shared", False)
    if not isinstance(shared, bool):
        raise FerError(f"The server's setting shared must be true or false. Received: {shared!r}")
    return Visitor.of(_login() or _secret(), Limits.from_settings(setting)) if shared else None


def server_settings(table: str) -> dict[str, Any]:
    """Return a table of `.streamlit/secrets.toml`; empty without one."""
    return dict(st.secrets.get(table, {})) if st.secrets.load_if_toml_exists() else {}


def visit() -> None:
    """On a shared server, note that the visitor is here, and let the browser remember who it is."""
    try:
        visitor = current_visitor()
    except FerError as error:
        st.error(f"This server cannot be used: its settings are not valid. {error}", icon=":material/error:")
        st.stop()
    if visitor is None or visitor.limits is None:
        return
    if context := get_script_run_ctx():
        visits(home(), _is_open).come(context.session_id, visitor.name, visitor.limits)
    remember_browser(visitor.limits.keep_hours)


def remember_browser(hours: float = 3) -> None:
    """Let the browser keep its secret in a cookie, if there is no login. `visit` does so on a shared server."""
    if _login():
        return
    with st.container(height=1, width=1, border=False):
        _REMEMBER(key="visitor", data={"name": COOKIE, "secret": _secret(), "seconds": round(3600 * hours)})


def browser_key(purpose: str) -> str:
    """Return a key of the browser, or the login, for one purpose. Whoever knows it does not know the secret."""
    return hashlib.sha256(f"{_login() or _secret()} {purpose}".encode()).hexdigest()


def _login() -> str | None:
    """Return who is logged in, by the provider's own names; None if nobody is."""
    user = st.user.to_dict()
    name = user.get("sub") or user.get("email")
    return f"{user.get('iss', '')} {name}" if user.get("is_logged_in") and name else None


def _secret() -> str:
    """Return the browser's secret: of its cookie, or a new one, which stays the same during the session."""
    if _SECRET not in st.session_state:
        sent = _cookie()
        st.session_state[_SECRET] = sent if re.fullmatch(r"[\w-]{43}", sent) else secrets.token_urlsafe(32)
    return str(st.session_state[_SECRET])


def _cookie() -> str:
    return str(st.context.cookies.get(COOKIE, ""))


def _is_open(session: str) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(session)


def training_allowed() -> bool:
    """Return whether this visitor may train; if not, say why, and ask for the password if there is one.

    Another password on the server ends the access of all who gave the old one.
    """
    setting = server_settings("training")
    installed = find_spec("tensorflow") is not None
    if not installed or not setting.get("enabled", True):
        words = "Training is switched off on this server. To train, run FER Lab on your own computer."
        st.info(words if installed else str(missing("tensorflow")), icon=":material/lock:")
        return False
    password, known = str(setting.get("password", "")), str(st.session_state.get(_KNOWN, ""))
    if not password or hmac.compare_digest(known.encode(), password.encode()):
        return True
    with st.form("access", width=420):
        given = st.text_input("Password for training on this server", type="password", key="access_given")
        sent = st.form_submit_button("Continue")
    if sent:
        try:
            if TRAINING.check(_address(), given, password):
                st.session_state[_KNOWN] = given
                st.rerun()
            words = "This is not the password. Ask whoever runs this server."
        except FerError as error:
            words = str(error)
        st.warning(words, icon=":material/lock:")
    return False


def _address() -> str:
    return st.context.ip_address or "this computer"


ask_for_visitor(current_visitor)
