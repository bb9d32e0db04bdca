"""The quiz for a person in a room."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from fer_core.comparison import Fer2013Faces
from fer_core.quiz import FACES, NAME_LENGTH, Person, Room, no_room, tidy_code
from fer_core.types import FerError
from pages.parts.common import emphasis, plain
from pages.parts.quiz.class_result import show_class
from pages.parts.quiz.game import Game, game, rooms
from pages.parts.quiz.play import play
from pages.parts.quiz.result import show_result

SEAT = "quiz_seat"
"""Session state: code of the room that this session has joined, and the person's key."""

_NAME = "quiz_name"
_REFUSED = "quiz_not_joined"

REFRESH_SECONDS = 2
ENDED = "The room has ended, and the names and answers in it are forgotten."


def room_in_url() -> str:
    """Return the code of the room in the URL, or of the one that this session has joined; empty for none."""
    seat = st.session_state.get(SEAT)
    return tidy_code(st.query_params.get("q_room", "")) or (seat[0] if seat else "")


def student(faces: Fer2013Faces, code: str) -> None:
    """Let a person join the room of this code and play its round.

    The person's key is in the URL too, so that a reload goes on where the person was.
    """
    key = _key(code)
    room, person = rooms().look(code), rooms().person(code, key)
    if room is None:
        st.info(ENDED if key else plain(no_room(code)), icon=":material/meeting_room:")
        st.button("Play alone", on_click=_forget_seat)
        return
    if person is None:
        _join(code)
        return
    st.session_state[SEAT] = (code, key)
    st.query_params["q_room"], st.query_params["q_me"] = code, key
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


def _join(code: str) -> None:
    st.subheader(f"Join room {code}")
    with st.form("quiz_form", width=420):
        st.text_input(
            "Your name",
            max_chars=NAME_LENGTH,
            key=_NAME,
            autocomplete="off",
            help="Any name; leave it empty to be a guest. It is kept on this server until the room ends.",
        )
        st.form_submit_button("Join", type=emphasis(), on_click=_take_seat, args=(code,))
    if refused := st.session_state.pop(_REFUSED, ""):
        st.warning(plain(refused), icon=":material/warning:")


def _take_seat(code: str) -> None:
    try:
        st.session_state[SEAT] = (code, rooms().join(code, st.session_state[_NAME] or ""))
    except FerError as error:
        st.session_state[_REFUSED] = str(error)


def _key(code: str) -> str:
    """Return the key of the person in this room: from the URL, or of this session; empty for none."""
    seat = st.session_state.get(SEAT)
    if seat and seat[0] == code:
        return str(seat[1])
    return str(st.query_params.get("q_me", ""))


def _leave(code: str, key: str) -> None:
    with suppress(FerError):
        rooms().leave(code, key)
    _forget_seat()


def _forget_seat() -> None:
    st.session_state.pop(SEAT, None)
    for name in ("q_room", "q_me"):
        st.query_params.pop(name, None)
