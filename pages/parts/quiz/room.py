"""The quiz in a room: for a person who joins, and for the lecturer at the projector."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import streamlit as st

from fer_core.data.fer2013 import Fer2013Faces
from fer_core.figures.bars import answers_and_votes, vote_bars
from fer_core.labels import EXPRESSIONS
from fer_core.quiz.rooms import NAME_LENGTH, Person, Room, no_room, qr_code, tidy_code
from fer_core.quiz.rounds import FACES
from fer_core.quiz.tally import answer_counts, class_table, expression_table, people_table, together
from fer_core.types import FerError
from pages.parts.charts import show_chart
from pages.parts.common import emphasis, plain, show_table, with_code
from pages.parts.quiz.alone import HOST
from pages.parts.quiz.play import (
    HELP,
    HIGHEST_SEED,
    Game,
    colored,
    game,
    in_sentence,
    note_other_votes,
    play,
    rooms,
    show_answers,
    show_models,
    show_result,
)
from pages.parts.visitor import browser_key, current_visitor, remember_browser


def show_class(game: Game, room: Room) -> None:
    """Show how far the answers of all people in a room agree with the label, the annotators and the models."""
    said = [person.answers for person in room.people]
    count = sum(map(len, said))
    st.subheader("The class together")
    with st.grid(len(game.compared.main), min_column_width=180):
        for who, answers in game.compared.main.items():
            found = together(said, answers)
            st.metric(
                f"Same as {in_sentence(who)}",
                found.percent,
                f"{found}; 95 % interval {found.interval_text}" if found.of else "no answer yet",
                delta_color="off",
                delta_arrow="off",
                border=True,
                help=HELP.get(who),
            )
    if count:
        st.caption(
            f"{count} answers of {len(said)} {'person' if len(said) == 1 else 'people'}. Wilson’s interval takes them "
            f"as independent. They share {FACES} faces, so the interval for other faces is wider."
        )


def show_class_models(game: Game, room: Room) -> None:
    """Show how far the class agrees with each model, and each model with FER2013’s label."""
    table = class_table([person.answers for person in room.people], game.compared)
    show_table(
        table,
        "Agreement of the class with the label, the annotators and each model",
        {
            "who": "",
            "share": "Same as the class",
            "count": "Answers",
            "interval": "95 % interval",
            "label": "Same as the label",
        },
        height="content",
    )


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


THIS_COMPUTER = {"localhost", "127.0.0.1", "::1"}


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
        st.button(
            "Start again with other faces", icon=":material/arrow_forward:", on_click=_restart, args=(room, secret)
        )
        st.button("End the room", type=emphasis(), icon=":material/logout:", on_click=_end, args=(code, secret))
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
        if urlsplit(link).hostname in THIS_COMPUTER:
            st.caption(
                "This link works on this computer only. For others, start FER Lab with `make run HOST=0.0.0.0`, and "
                "open this page by the computer’s name or address in the network."
            )
    right.image(qr_code(link), width=220, alt=f"QR code of the link to room {code}")


@st.fragment(run_every=REFRESH_SECONDS)
def _live(current: Game, code: str, turn: int) -> None:
    room = rooms().look(code)
    if room is None or room.turn != turn:
        st.rerun()
    with st.grid(3, min_column_width=130):
        st.metric("Joined", len(room.people), border=True)
        st.metric("Answers", sum(len(person.answers) for person in room.people), border=True)
        st.metric("Finished", sum(len(person.answers) == FACES for person in room.people), border=True)
    show_class(current, room)
    with st.container(horizontal=True):
        hidden = st.toggle("Hide names", key="q_hide", bind="query-params")
        shown = st.toggle(
            "Show faces and answers",
            key=f"q_show_{turn}",
            help="Turn this on when all have finished: whoever sees the projector sees the labels.",
        )
    _people(current, room, hidden)
    if shown:
        _one_face(current, room)
        _tables(current, room)


def _people(current: Game, room: Room, hidden: bool) -> None:
    if not room.people:
        st.caption("Nobody has joined yet.")
        return
    people = enumerate(room.people, start=1)
    said = {f"Person {number}" if hidden else person.name: person.answers for number, person in people}
    table = people_table(said, current.compared)
    columns: dict[str, str | tuple[str, str]] = {"name": "Name", "answers": (f"Answers of {FACES}", "%d")}
    columns |= {who: f"Same as {in_sentence(who)}" for who in current.compared.main}
    show_table(table, "Agreement of each person with the label, the annotators and the models", columns)


def _one_face(current: Game, room: Room) -> None:
    st.subheader("The answers, face by face")
    number = st.segmented_control("Face", range(1, FACES + 1), default=1, required=True, key=f"q_face_{room.turn}")
    place = int(number or 1) - 1
    face = current.round.faces[place]
    counts = answer_counts([person.answers for person in room.people], place).tolist()
    said = ", ".join(f"{name} {n}" for name, n in zip(EXPRESSIONS, counts, strict=True) if n) or "no answer yet"
    left, middle, right = st.columns([2, 3, 3], gap="medium")
    left.image(face.image, width="stretch", alt=f"Face {place + 1}, labelled {face.label}")
    left.markdown(f"FER2013’s label: **{colored(face.label)}**")
    with middle:
        st.markdown(f"**The class**: {sum(counts)} answers")
        alt = f"Answers of the class to face {place + 1}: {said}"
        if face.votes is None:
            show_chart(vote_bars(counts, sum(counts)), alt, key="quiz_class")
        else:
            total = sum(face.votes) + face.other_votes
            show_chart(answers_and_votes(counts, face.votes, total=total), alt, key="quiz_class")
            most = f"Most say {face.majority}." if face.majority else "No clear answer."
            st.caption(f"Coloured: the class. Gray: the share of the ten annotators. {most}")
            note_other_votes(face)
    with right:
        show_models(current, place)


def _tables(current: Game, room: Room) -> None:
    st.subheader("Each model")
    show_class_models(current, room)
    st.subheader("By FER2013’s label")
    table = expression_table([person.answers for person in room.people], current.compared)
    columns: dict[str, str | tuple[str, str]] = {"expression": "Label", "faces": ("Faces", "%d")}
    columns |= {who: f"Same as {in_sentence(who)}" for who in current.compared.main}
    show_table(table, "Agreement of the class by expression", columns, height="content")
    with st.expander("Every model’s answer to every face"):
        show_answers(current, {})


def _restart(room: Room, secret: str) -> None:
    with suppress(FerError):  # the disk is full; the round stays
        rooms().restart(room.code, secret, room.seed % HIGHEST_SEED + 1)


def _end(code: str, secret: str) -> None:
    with suppress(FerError):
        rooms().end(code, secret)  # the page then says that the room has ended
