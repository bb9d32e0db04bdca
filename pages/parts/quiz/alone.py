"""The quiz for one person, and the ways into a room."""

from __future__ import annotations

import streamlit as st

from fer_core.data.fer2013 import Fer2013Faces
from fer_core.quiz.rooms import tidy_code
from fer_core.types import FerError
from pages.parts.common import emphasis, whole_number, with_code
from pages.parts.quiz.play import HIGHEST_SEED, game, model_tables, play, rooms, show_result, start_over

ANSWERS = "quiz_answers"
HOST = "quiz_host"
"""Session state: code and secret of the room that this session controls."""

_REFUSED = "quiz_refused"
_CODE = "quiz_code_typed"


def alone(faces: Fer2013Faces) -> None:
    """Play the round of the seed in the URL, and offer to open or join a room."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = whole_number(
            "Round",
            1,
            HIGHEST_SEED,
            1,
            "q_seed",
            width=160,
            help="The same number gives everybody the same ten test faces: one of each label and three more at "
            "random. Pictures that are also in Training are left out, since models have seen them.",
        )
        names = _choose_models()
    current = game(faces, seed, names)
    answers: list[str] = st.session_state.setdefault(ANSWERS, {}).setdefault(seed, [])

    def say(place: int, expression: str) -> None:
        if place == len(answers):
            answers.append(expression)

    visit = f"alone_{seed}"
    if play(current, answers, visit, say):
        show_result(current, answers)
        with st.container(horizontal=True):
            st.button(
                "Play again with other faces",
                type=emphasis(),
                icon=":material/arrow_forward:",
                on_click=_next_round,
                args=(seed,),
            )
            st.button("Repeat this round", icon=":material/replay:", on_click=_repeat, args=(seed, visit))
        st.markdown("Link to this round:")
        st.code(f"{st.context.url or ''}?q_seed={seed}", language=None)
    if not current.round.has_votes:
        st.caption(f"Without the annotators’ votes. {with_code(faces.votes_missing)}")
    st.divider()
    _ways_into_a_room(seed)


def _choose_models() -> list[str]:
    titles: dict[str, str] = {}
    for table in model_tables():
        titles |= table.titles
    if not titles:
        st.caption("No model has predictions to compare with.")
        return []
    with st.popover("Models", icon=":material/model_training:"):
        return st.multiselect(
            "Compare with",
            list(titles),
            default=list(titles),
            format_func=lambda name: titles.get(name, name),
            key="q_models",
            bind="query-params",
        )


def _next_round(seed: int) -> None:
    st.session_state["q_seed"] = seed % HIGHEST_SEED + 1


def _repeat(seed: int, visit: str) -> None:
    st.session_state[ANSWERS].pop(seed, None)
    start_over(visit)


def _ways_into_a_room(seed: int) -> None:
    st.header("With a class")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(
            "**Lead a class**: open a room and show its code on the projector. Everybody plays this round on their own "
            "device, and you see the answers counted together."
        )
        st.button("Open a room", icon=":material/meeting_room:", key="quiz_open", on_click=_open_room, args=(seed,))
        if refused := st.session_state.pop(_REFUSED, ""):
            st.warning(with_code(refused), icon=":material/warning:")
    with right, st.form("quiz_code", border=False):
        st.markdown("**Join a class**: type the code that you see on the projector.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Code of the room", max_chars=8, key=_CODE, width=200)
            st.form_submit_button("Go to the room", on_click=_go_to_room)


def _open_room(seed: int) -> None:
    try:
        st.session_state[HOST] = rooms().open(seed)
    except FerError as error:
        st.session_state[_REFUSED] = str(error)


def _go_to_room() -> None:
    if code := tidy_code(st.session_state[_CODE] or ""):
        st.query_params["q_room"] = code
