"""The quiz for a person in a room."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from fer_core.data.fer2013_faces import Fer2013Faces
from fer_core.quiz import FACES, NAME_LENGTH, Person, Room, no_room, tidy_code
from fer_core.types import FerError
from pages.parts.common import emphasis, plain, with_code
from pages.parts.quiz.class_result import show_class
from pages.parts.quiz.game import Game, game, rooms
from pages.parts.quiz.play import play
from pages.parts.quiz.result import show_result
from pages.parts.visitor import browser_key, current_visitor, remember_browser

_NAME = "quiz_name"
_REFUSED = "quiz_not_joined"
_LAST_ROOM = "quiz_last_room"
"""Session state: code of the room in which the person is, for a way back without it in the address."""

REFRESH_SECONDS = 2
ENDED = "The room has ended, and the names and answers in it are forgotten."


def room_in_url() -> str:
    """Return the code of the room in the URL, or of the one that this session was in; empty for none."""
    return tidy_code(st.query_params.get("q_room", "") or st.session_state.get(_LAST_ROOM, ""))


def student(faces: Fer2013Faces, code: str) -> None:
    """Let a person join the room of this code and play its round.

    The browser, or the login, is the person: a reload goes on where the person was, and a link gives nothing away.
    """
    if current_visitor() is None:
        remember_browser()
    key = browser_key(f"room {code}")
    room, person = rooms().look(code), rooms().person(code, key)
    if room is None:
        ended = st.session_state.get(_LAST_ROOM) == code
        st.info(ENDED if ended else plain(no_room(code)), icon=":material/meeting_room:")
        st.button("Play alone", on_click=_forget_seat)
        return
    if person is None:
        _join(code, key)
        return
    st.session_state[_LAST_ROOM] = st.query_params["q_room"] = code
    st.markdown(f"You are **{plain(person.name)}** in room **{code}**.")
    _watch(code, room.turn)
    _play(game(faces, room.seed), room, person, key)
    st.divider()
    st.button("Leave the room", icon=":material/logout:", on_click=_leave, args=(code, key))


def _play(current: Game, room: Room, person: Person, key: str) -> None:
    def say(place: int, expression: str) -> None:
        with suppress(FerError):  # the disk is full; the face stays
            rooms().answer(room.code, key, room.turn, place, expression)

    if play(current, person.answers, f"{room.code}_{room.turn}_{key}", say):
        _class_so_far(current, room.code, room.turn)
        show_result(current, person.answers)


@st.fragment(run_every=REFRESH_SECONDS)
def _watch(code: str, turn: int) -> None:
    """Run the page again when the room ends or starts another round."""
    room = rooms().look(code)
    if room is None or room.turn != turn:
        st.rerun()


@st.fragment(run_every=REFRESH_SECONDS)
def _class_so_far(current: Game, code: str, turn: int) -> None:
    room = rooms().look(code)
    if room is None or room.turn != turn:
        return  # `_watch` runs the page again
    show_class(current, room)
    done = sum(len(person.answers) == FACES for person in room.people)
    st.caption(f"{done} of {len(room.people)} have answered all {FACES} faces.")


def _join(code: str, key: str) -> None:
    st.subheader(f"Join room {code}")
    with st.form("quiz_form", width=420):
        st.text_input(
            "Your name",
            max_chars=NAME_LENGTH,
            key=_NAME,
            autocomplete="off",
            help="Any name; leave it empty to be a guest. It is kept on this server until the room ends.",
        )
        st.form_submit_button("Join", type=emphasis(), on_click=_take_seat, args=(code, key))
    if refused := st.session_state.pop(_REFUSED, ""):
        st.warning(with_code(refused), icon=":material/warning:")


def _take_seat(code: str, key: str) -> None:
    try:
        rooms().join(code, st.session_state[_NAME] or "", key=key)
    except FerError as error:
        st.session_state[_REFUSED] = str(error)


def _leave(code: str, key: str) -> None:
    with suppress(FerError):
        rooms().leave(code, key)
    _forget_seat()


def _forget_seat() -> None:
    st.session_state.pop(_LAST_ROOM, None)
    st.query_params.pop("q_room", None)
