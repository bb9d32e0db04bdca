"""A room as the lecturer shows it on the projector: the code, who has joined, and the answers counted together."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import streamlit as st

from fer_core.data.fer2013_faces import Fer2013Faces
from fer_core.figures import answers_and_votes, vote_bars
from fer_core.labels import EXPRESSIONS
from fer_core.quiz import FACES, Room, answer_counts, expression_table, people_table, qr_code
from fer_core.types import FerError
from pages.parts.charts import show_chart
from pages.parts.common import emphasis, show_table
from pages.parts.quiz.alone import HOST
from pages.parts.quiz.class_result import show_class, show_class_models
from pages.parts.quiz.game import HIGHEST_SEED, Game, game, rooms
from pages.parts.quiz.play import colored, note_other_votes, show_models
from pages.parts.quiz.result import in_sentence, show_answers
from pages.parts.quiz.student import ENDED, REFRESH_SECONDS

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
            show_chart(answers_and_votes(counts, face.votes, total), alt, key="quiz_class")
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
