"""Who may train on a shared server: everybody, nobody, or those who know a password, as `secrets.toml` says.

Nobody may where TensorFlow is not installed, as in an image that only serves.
"""

from __future__ import annotations

import hmac
from importlib.util import find_spec
from typing import Final

import streamlit as st

from fer_core.guesses import TRAINING
from fer_core.types import FerError

SETTING: Final = "training"
"""Table of `.streamlit/secrets.toml` with `enabled = false` or `password = "…"`."""

_KNOWN: Final = "access_password"
"""Key of the password that this session gave last; another one on the server ends its access."""


def training_allowed() -> bool:
    """Return whether this visitor may train; if not, say why, and ask for the password if there is one."""
    setting = st.secrets.get(SETTING, {}) if st.secrets.load_if_toml_exists() else {}
    if not setting.get("enabled", True) or find_spec("tensorflow") is None:
        st.info(
            "Training is switched off on this server. To train, run FER Lab on your own computer: `make run`",
            icon=":material/lock:",
        )
        return False
    password = str(setting.get("password", ""))
    if not password or _same(st.session_state.get(_KNOWN, ""), password):
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


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
