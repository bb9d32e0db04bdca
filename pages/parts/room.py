"""The quiz in a room: for a person who joins, and for the lecturer at the projector."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import streamlit as st

from fer_core.data.fer2013 import Fer2013Faces
from fer_core.figures.bars import answers_and_votes, vote_bars
from fer_core.quiz.rooms import NAME_LENGTH, Room, no_room, qr_code, tidy_code
from fer_core.quiz.rounds import FACES, Game, answer_counts, class_table, expression_table, people_table, together
from fer_core.types import FerError
from pages.parts import quiz
from pages.parts.charts import show_chart
from pages.parts.common import LOCAL, Columns, attempt, emphasis, plain, show_table, warn
from pages.parts.quiz import HOST, colored, game, in_words, rooms, same_as
from pages.parts.visitor import browser_key, current_visitor, remember_browser

_REFUSED = "quiz_not_joined"
_LAST_ROOM = "quiz_last_room"  # in the session state: code of the person's room, for a way back without it in the URL
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

    def say(place: int, expression: str) -> None:
        _try(rooms().answer, code, key, room.turn, place, expression)

    def leave() -> None:
        _try(rooms().leave, code, key)
        _forget_seat()

    st.session_state[_LAST_ROOM] = st.query_params["q_room"] = code
    st.markdown(f"You are **{plain(person.name)}** in room **{code}**.")
    _watch(code, room.turn)
    current = game(faces, room.seed)
    if quiz.next_face(current, person.answers, f"{room.code}_{room.turn}_{key}", say):
        _class_so_far(current, code, room.turn)
        quiz.show_result(current, person.answers)
    st.divider()
    st.button("Leave the room", icon=":material/logout:", on_click=leave)


def _try(action: Callable[..., object], *args: object) -> None:
    with suppress(FerError):  # the disk is full; everything stays as it was
        action(*args)


def _now(code: str, turn: int) -> Room | None:
    """Return a room as it is now; None if it has ended or started another round."""
    room = rooms().look(code)
    return room if room and room.turn == turn else None


@st.fragment(run_every=REFRESH_SECONDS)
def _watch(code: str, turn: int) -> None:
    if _now(code, turn) is None:
        st.rerun()


@st.fragment(run_every=REFRESH_SECONDS)
def _class_so_far(current: Game, code: str, turn: int) -> None:
    if room := _now(code, turn):  # otherwise `_watch` runs the page again
        _show_class(current, room)
        st.caption(f"{room.finished} of {len(room.people)} have answered all {FACES} faces.")


def _join(code: str, key: str) -> None:
    def take_seat() -> None:
        rooms().join(code, st.session_state["quiz_name"] or "", key=key)

    st.subheader(f"Join room {code}")
    with st.form("quiz_form", width=420):
        words = "Any name; leave it empty to be a guest. It is kept on this server until the room ends."
        st.text_input("Your name", max_chars=NAME_LENGTH, key="quiz_name", autocomplete="off", help=words)
        st.form_submit_button("Join", type=emphasis(), on_click=attempt, args=(take_seat, _REFUSED))
    warn(st.session_state.pop(_REFUSED, []))


def _forget_seat() -> None:
    st.session_state.pop(_LAST_ROOM, None)
    st.query_params.pop("q_room", None)


def lecturer(faces: Fer2013Faces) -> bool:
    """Show the room that this session controls; return whether there is one."""
    if HOST not in st.session_state:
        return False
    code, secret = st.session_state[HOST]
    room = rooms().look(code)
    if room is None:
        del st.session_state[HOST]
        st.info(ENDED, icon=":material/meeting_room:")
        return False
    _invitation(code)
    _live(game(faces, room.seed), code, room.turn)
    st.divider()
    with st.container(horizontal=True):
        restart = (rooms().restart, code, secret, room.seed % quiz.HIGHEST_SEED + 1)
        st.button("Start again with other faces", icon=":material/arrow_forward:", on_click=_try, args=restart)
        end = (rooms().end, code, secret)  # the page then says that the room has ended
        st.button("End the room", type=emphasis(), icon=":material/logout:", on_click=_try, args=end)
    st.caption(
        f"Round {room.seed}. Names and answers are kept on this server. Ending the room deletes them, as do three "
        "hours without an answer. Keep this window open: after a reload it no longer controls the room."
    )
    return True


def _invitation(code: str) -> None:
    link = f"{st.context.url or ''}?q_room={code}"
    left, right = st.columns([3, 1], gap="medium", vertical_alignment="center")
    with left:
        st.markdown("Open this link, or choose **You against the model** and type the code:")
        st.title(code, anchor=False)
        st.code(link, language=None, wrap_lines=True)
        if urlsplit(link).hostname in LOCAL:
            st.caption(
                "This link works on this computer only. For others, start FER Lab with `make run HOST=0.0.0.0`, and "
                "open this page by the computer’s name or address in the network."
            )
    right.image(qr_code(link), width=220, alt=f"QR code of the link to room {code}")


@st.fragment(run_every=REFRESH_SECONDS)
def _live(current: Game, code: str, turn: int) -> None:
    room = _now(code, turn)
    if room is None:
        st.rerun()
    with st.grid(3, min_column_width=130):
        st.metric("Joined", len(room.people), border=True)
        st.metric("Answers", sum(map(len, room.answers)), border=True)
        st.metric("Finished", room.finished, border=True)
    _show_class(current, room)
    with st.container(horizontal=True):
        hidden = st.toggle("Hide names", key="q_hide", bind="query-params")
        words = "Turn this on when all have finished: whoever sees the projector sees the labels."
        shown = st.toggle("Show faces and answers", key=f"q_show_{turn}", help=words)
    _people(current, room, hidden)
    if shown:
        _one_face(current, room)
        _tables(current, room)


def _show_class(current: Game, room: Room) -> None:
    """Show how far the answers of all people in a room agree with the label, the annotators and the models."""
    count, people = sum(map(len, room.answers)), "person" if len(room.people) == 1 else "people"
    st.subheader("The class together")
    with st.grid(len(current.main), min_column_width=180):
        for who, answers in current.main.items():
            same = together(room.answers, answers)
            st.metric(
                same_as(who),
                same.percent,
                f"{same}; 95 % interval {same.interval_text}" if same.of else "no answer yet",
                delta_color="off",
                delta_arrow="off",
                border=True,
                help=quiz.HELP.get(who),
            )
    if count:
        st.caption(
            f"{count} answers of {len(room.people)} {people}. Wilson’s interval takes them as independent. They share "
            f"{FACES} faces, so the interval for other faces is wider."
        )


def _people(current: Game, room: Room, hidden: bool) -> None:
    if not room.people:
        st.caption("Nobody has joined yet.")
        return
    people = enumerate(room.people, start=1)
    said = {f"Person {number}" if hidden else person.name: person.answers for number, person in people}
    columns: Columns = {"name": "Name", "answers": (f"Answers of {FACES}", "%d")}
    columns |= {who: same_as(who) for who in current.main}
    title = "Agreement of each person with the label, the annotators and the models"
    show_table(people_table(said, current), title, columns)


def _one_face(current: Game, room: Room) -> None:
    st.subheader("The answers, face by face")
    number = st.segmented_control("Face", range(1, FACES + 1), default=1, required=True, key=f"q_face_{room.turn}")
    place = int(number or 1) - 1
    face = current.faces[place]
    counts = answer_counts(room.answers, place)
    left, middle, right = st.columns([2, 3, 3], gap="medium")
    left.image(face.image, width="stretch", alt=f"Face {place + 1}, labelled {face.label}")
    left.markdown(f"The label: **{colored(face.label)}**")
    with middle:
        st.markdown(f"**The class**: {sum(counts)} answers")
        alt = f"Answers of the class to face {place + 1}: {in_words(counts) or 'no answer yet'}"
        if face.votes is None:
            show_chart(vote_bars(counts, sum(counts)), alt, key="quiz_class")
        else:
            total = sum(face.votes) + face.other_votes
            show_chart(answers_and_votes(counts, face.votes, total=total), alt, key="quiz_class")
            most = f"Most say {face.majority}." if face.majority else "No clear answer."
            st.caption(f"Coloured: the class. Gray: the share of the ten annotators. {most}")
            quiz.note_other_votes(face)
    with right:
        quiz.show_models(current, place)


def _tables(current: Game, room: Room) -> None:
    st.subheader("Each model")
    columns: Columns = {
        "who": "",
        "share": "Same as the class",
        "count": "Answers",
        "interval": "95 % interval",
        "label": "Same as the label",
    }
    title = "Agreement of the class with the label, the annotators and each model"
    show_table(class_table(room.answers, current), title, columns, height="content")
    st.subheader("By the label")
    columns = {"expression": "Label", "faces": ("Faces", "%d")}
    columns |= {who: same_as(who) for who in current.main}
    table = expression_table(room.answers, current)
    show_table(table, "Agreement of the class by expression", columns, height="content")
    quiz.show_answers(current, {})
