"""What people should know before a model sees their face, and the consent that is asked before a camera starts."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.runs.run import KEPT_DAYS
from fer_core.runs.visits import AWAY_MINUTES
from fer_core.visitors import limits
from pages.parts.common import emphasis

AGREED: Final = "everyone_agrees"  # key of the session state; not in the URL, as a link must not agree for others

SHOWN_NOT_FELT: Final = (
    "Models name the expression that people would say a face **shows**. That is not what somebody **feels** "
    "([Barrett et al. 2019](https://doi.org/10.1177/1529100619832930))."
)
VOLUNTEERS: Final = "For **volunteers** only, and never for grading, hiring or monitoring people."
LAW: Final = (
    "To check with those responsible where you are; this is not legal advice: the EU’s AI Act "
    "([Regulation (EU) 2024/1689](https://eur-lex.europa.eu/eli/reg/2024/1689/oj)) prohibits AI systems that infer "
    "emotions of people at work and in education, except for medical or safety reasons (Art. 5(1)(f), applies since "
    "2 February 2025). Those who use emotion recognition must inform the people exposed to it (Art. 50(3), applies "
    "from 2 August 2026). FER Lab is made to teach how the method works and fails, with volunteers’ own pictures."
)
ANYWHERE: Final = (
    "Pictures and videos stay on the **computer that runs FER Lab**, and only until your visit ends. Pictures for "
    f"Fine-tune stay longer: snapshots until somebody deletes them, zips for {KEPT_DAYS} days or as long as a run "
    "uses them."
)
PHOTO: Final = (
    "Photos go to the **computer that runs FER Lab**. They are kept in its memory, and are gone soon after you close "
    "or reload this page."
)
VIDEO: Final = (
    "The video goes to the **computer that runs FER Lab** and is not stored. The latest frame, a frozen frame and the "
    "recorded probabilities are in its memory, and are gone soon after you close or reload this page."
)
RELAYED: Final = " On the way, the encrypted video may pass through a server that the administrator has named."
_SHARED_ANYWHERE: Final = (
    "Pictures and videos stay on the **computer that runs FER Lab**, and only until your visit ends. No other visitor "
    f"can see them. Pictures for Fine-tune go {AWAY_MINUTES} minutes later, or when your training has ended. Your "
    "trainings and models go {hours:g} hours after your last visit."
)
_SHARED_SNAPSHOTS: Final = (
    "Of each photo, the face is stored on the **computer that runs FER Lab**, as 48 × 48 gray pixels. No other visitor "
    f"can see it. It is deleted {AWAY_MINUTES} minutes after you close this page, or when your training has ended, "
    "{hours:g} hours after your last visit at the latest."
)
SNAPSHOTS: Final = (
    "Of each photo, the face is stored on the **computer that runs FER Lab**, as 48 × 48 gray pixels, until somebody "
    "deletes it here. Everybody who uses this FER Lab can see it. A training keeps a copy until that training is "
    "deleted."
)


def notice(pictures: str = ANYWHERE) -> None:
    """Show what the models do not know, where pictures go (one of this module's texts), and whom to ask first."""
    st.markdown(f"- {SHOWN_NOT_FELT}\n- {_here(pictures)}\n- {VOLUNTEERS}")
    with st.expander("Check the law first: the EU restricts this at work and in education", icon=":material/gavel:"):
        st.markdown(LAW)


def all_agree(pictures: str, key: str = "n_agree", note: DeltaGenerator | None = None) -> bool:
    """Ask once per visit whether everyone in view agrees; return whether that is confirmed, so the camera may start.

    Afterwards only `pictures` is shown, in `note` if given: it differs from page to page. `key` is that of the button.
    """
    if st.session_state.get(AGREED):
        (note or st.container()).caption(_here(pictures))
        return True
    with st.container(border=True):
        st.markdown("**Before the camera starts**")
        notice(pictures)
        agree = partial(st.session_state.update, {AGREED: True})
        st.button("Everyone in view agrees", icon=":material/check:", type=emphasis(), on_click=agree, key=key)
    return False


def _here(pictures: str) -> str:
    """Return the text on where pictures go as it is true on this server."""
    given = limits()
    shared = {ANYWHERE: _SHARED_ANYWHERE, SNAPSHOTS: _SHARED_SNAPSHOTS}
    return shared[pictures].format(hours=given.keep_hours) if given and pictures in shared else pictures
