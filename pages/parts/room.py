"""The quiz in a room: for a person who joins, and the screens of the lecturer at the projector."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

import streamlit as st
from streamlit import config
from streamlit.delta_generator import DeltaGenerator

from fer_core.columns import counted
from fer_core.figures.bars import answers_and_votes, probability_bars, probability_text, score_bars, vote_bars
from fer_core.labels import EXPRESSIONS
from fer_core.quiz import rounds
from fer_core.quiz.address import open_addresses, qr_code
from fer_core.quiz.rooms import NAME_LENGTH, Room, Rooms, no_room
from fer_core.quiz.rounds import FACES, FER2013, Game, answer_counts, class_says, winners
from fer_core.sections.screens import CLASS
from fer_core.store.datasets import list_datasets
from fer_core.types import FerError
from pages.parts.charts import Space, show_chart, space_here, within
from pages.parts.common import ERROR, attempt, choose, emphasis, plain, warn, whole_number, with_code
from pages.parts.face import in_words, mark
from pages.parts.quiz import HIGHEST_SEED, ask, choose_opponent, colored, first_model, game, show_result
from pages.parts.stage import go
from pages.parts.visitor import browser_key, current_visitor, remember_browser

_LEAD: Final = "lead"  # what the key of a lecturer's browser is for
REFRESH_SECONDS: Final = 2
ENDED: Final = "If it was open before, it has ended, and the names and answers in it are forgotten."


def rooms() -> Rooms:
    """Return the rooms of this server, which all sessions and copies of the app share; end the page without them."""
    try:
        return Rooms()
    except FerError as error:
        st.error(with_code(str(error)), icon=":material/error:")
        st.stop()


def student(code: str) -> None:
    """Let a person join the room of this code and answer face by face, as the lecturer leads.

    The browser, or the login, is the person: a reload goes on where the person was, and a link gives nothing away.
    """
    _remember()
    key = browser_key(f"room {code}")
    room, person = rooms().look(code), rooms().person(code, key)

    def leave() -> None:
        _try(rooms().leave, code, key)
        st.query_params.pop("q_room", None)

    if room is None:
        st.info(f"{plain(no_room(code))} {ENDED}", icon=":material/meeting_room:")
        st.button("Play alone", on_click=leave)
        return
    if person is None:
        take_seat = (lambda: rooms().join(code, st.session_state["quiz_name"] or "", key=key),)
        st.title(f"Join room {code}", anchor=False)
        with st.form("quiz_form", width=420):
            words = "Any name; leave it empty to be a guest. It is kept on this server until the room ends."
            st.text_input("Your name", max_chars=NAME_LENGTH, key="quiz_name", autocomplete="off", help=words)
            st.form_submit_button("Join", type=emphasis(), on_click=attempt, args=take_seat)
        warn(st.session_state.pop(ERROR, []))
        return

    def say(place: int, expression: str) -> None:
        answer = {"turn": room.turn, "face": place, "expression": expression}
        _try(rooms().answer, code, key, **answer)

    _watch(code, _moment(room))
    current = game(room.of, room.seed, first_model(room.of))
    answers = [*person.answers, *[None] * (room.face + 1 - len(person.answers))]
    st.markdown(f"**{plain(person.name)}** in room **{code}**")
    if room.face < 0:
        st.header("You are in. Look at the screen: the first face comes soon.", anchor=False)
    elif room.face >= FACES:
        show_result(current, answers[:FACES])
    else:
        face, said, number = current.faces[room.face], answers[room.face], room.face + 1
        st.image(face.image, width=180, alt=f"Face {number} of {FACES}")
        if room.asking and said is None:
            ask(room.face, say)
        else:
            right = "" if room.asking else mark(said, face.label)
            st.subheader(f"You say {colored(said)} {right}" if said else "No answer.")
            label = "" if room.asking else f"The label is **{colored(face.label)}**. "
            st.markdown(f"{label}Look at the screen.")
    st.button("Leave the room", icon=":material/logout:", on_click=leave, type="tertiary")


def _remember() -> None:
    """Let the browser keep its secret, so that it is the same person after a reload; a shared server has done so."""
    if current_visitor() is None:
        remember_browser()


def _try(action: Callable[..., object], *args: object, **named: object) -> None:
    with suppress(FerError):  # the disk is full; everything stays as it was
        action(*args, **named)


def _moment(room: Room | None) -> object:
    return room and (room.turn, room.face, room.asking)


@st.fragment(run_every=REFRESH_SECONDS)
def _watch(code: str, moment: object) -> None:
    if _moment(rooms().look(code)) != moment:
        st.rerun()


def led_room() -> Room | None:
    """Return the room that this browser leads; None without rooms, of which `class_screen` says why."""
    try:
        found = Rooms().led(browser_key(_LEAD))
        return rooms().look(found[0]) if found else None
    except FerError:
        return None


def class_screen(step: str, room: Room | None, controls: DeltaGenerator) -> str:
    """Draw `class`, `class-3`, `class-3-votes`, `class-3-model` or `class-result`, and return the screen's sentence."""
    with controls:
        _remember()
    if room is None:
        _open_a_room(controls)
        return "Play with your class: everybody answers on a phone."
    with controls:
        model = choose_opponent(room.of, "q_model")
        address = _choose_address()
        key = browser_key(_LEAD)
        with st.popover("Lead on a second device", width="stretch"):
            words = "-".join(re.findall(".{1,4}", (rooms().led(key) or ("", ""))[1]))
            st.markdown(f"Open this screen there, and type the secret word in its controls:\n\n`{words}`")
        with st.container(horizontal=True):
            again = partial(rooms().restart, room.code, key, room.seed % HIGHEST_SEED + 1)
            st.button("Other faces", icon=":material/replay:", on_click=_go_back, args=(again,))
            end = partial(rooms().end, room.code, key)
            st.button("End the room", icon=":material/logout:", on_click=_go_back, args=(end,))
    current = game(room.of, room.seed, model)
    _, _, rest = step.partition("-")
    number, _, part = rest.partition("-")
    face = int(number) - 1 if number.isdigit() else FACES if rest else -1
    if (room.face, room.asking) != (face, part == "" and 0 <= face < FACES):
        _try(rooms().go, room.code, key, face=face, asking=part == "")
    if face < 0:
        return _invitation(room, address)
    if face >= FACES:
        return _class_result(current, room)
    left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
    space = space_here()
    side = min(space.height, round(0.38 * space.width)) if space else 300
    left.image(current.faces[face].image, width=side, alt=f"Face {face + 1} of {FACES}")
    with right, _above_words():
        if part:
            return {"votes": _votes, "model": _model}[part](current, room, face)
        _class_bars(room.code, face, space_here())
    return f"Face {face + 1} of {FACES}: which expression does it show?"


def _above_words() -> AbstractContextManager[None]:
    """Return a block whose charts leave room for a line of words below."""
    space = space_here()
    return within(space and replace(space, height=round(space.height - 64 * space.times)))


def _open_a_room(controls: DeltaGenerator) -> None:
    added = [dataset.name for dataset in list_datasets(EXPRESSIONS)]
    with st.container(width=480, border=True):
        st.markdown("Everybody joins with a phone. All see the same face at a time, when you show it.")
        of = choose("Faces", (FER2013, *added), "q_of") if added else FER2013
        seed = whole_number("Round", 1, HIGHEST_SEED, 1, "q_seed", help="Each number is another ten faces.")
        game(of, seed)  # ends the page, with a sentence, without faces
        open_room = partial(rooms().open, browser_key(_LEAD), seed=seed, of=of)
        look: Any = {"icon": ":material/meeting_room:", "type": emphasis(), "width": "stretch"}
        st.button("Open a room", key="quiz_open", on_click=attempt, args=(open_room,), **look)
        warn(st.session_state.pop(ERROR, []))
        st.caption("Names and answers stay on this server until the room ends, or for three hours without an answer.")
    with controls, st.form("quiz_lead", border=False):
        word = st.text_input("Secret word of a room that you lead on another device", autocomplete="off")
        if st.form_submit_button("Lead it here, too"):
            attempt(lambda: rooms().lead(word, browser_key(_LEAD)))
            st.rerun()


def _choose_address() -> str:
    """Ask for the address for phones where there are several; return the first one's, or nothing if none can work."""
    public = config.get_option("browser.serverAddress") if config.is_manually_set("browser.serverAddress") else None
    known = open_addresses(_quiz_here(), listening=st.get_option("server.address"), public=public)
    if len(known) < 2:
        return "".join(known)
    return str(st.selectbox("Address for phones", known, key="q_address", bind="query-params"))


def _quiz_here() -> str:
    """Return the address of the quiz in this browser."""
    return f"{(st.context.url or '').partition('?')[0].rsplit('/', 1)[0]}/quiz"


def _go_back(action: Callable[[], object]) -> None:
    _try(action)
    go(CLASS)


def _invitation(room: Room, address: str) -> str:
    space = space_here()
    if not address:
        st.warning(
            "FER Lab listens on this computer only, so no phone can join. Start it with "
            "`fer-lab app --host 0.0.0.0`, and open this page again.",
            icon=":material/wifi_off:",
        )
        address = _quiz_here()
    link = f"{address}?q_room={room.code}"
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    side = min(space.height, round(0.55 * space.width)) if space else 300
    left.image(qr_code(link), width=side, alt=f"QR code of {link}")
    with right:
        st.title(room.code, anchor=False)
        st.subheader(f"or open {plain(address.partition('://')[2])} and type the code", anchor=False)
        _joined(room.code)
    return "Scan the code with your phone, and choose a name."


@st.fragment(run_every=REFRESH_SECONDS)
def _joined(code: str) -> None:
    room = rooms().look(code)
    if room is None:
        st.rerun()
    st.metric("People here", len(room.people))


@st.fragment(run_every=REFRESH_SECONDS)
def _class_bars(code: str, face: int, space: Space | None) -> None:
    room = rooms().look(code)
    if room is None:
        st.rerun()
    counts = answer_counts(room.answers, face)
    alt = f"Answers of the class to face {face + 1}: {in_words(counts) or 'none yet'}"
    with within(space):
        show_chart(vote_bars(counts, max(1, *counts)), alt)
    st.subheader(f"{sum(counts)} of {len(room.people)} have answered", anchor=False)


def _votes(current: Game, room: Room, face: int) -> str:
    shown, counts = current.faces[face], answer_counts(room.answers, face)
    votes, total = shown.votes or (0,) * 7, sum(shown.votes or ()) + shown.other_votes
    show_chart(answers_and_votes(counts, votes, total=total), f"Class and annotators: {in_words(votes)}")
    st.subheader("Coloured: the class. Gray: the ten annotators.", anchor=False)
    said = class_says(room.answers)[face]
    ours = f"The class says {said}" if said else "The class is divided" if sum(counts) else "Nobody has answered"
    return f"{ours}; {f'most annotators say {shown.majority}' if shown.majority else 'the annotators are divided'}."


def _model(current: Game, _: Room, face: int) -> str:
    row, label = current.probabilities[face], current.labels[face]
    if row is None:
        return f"The label is {label}."
    show_chart(probability_bars(row), f"Probabilities by {current.model}: {probability_text(row)}")
    st.subheader(plain(current.model), anchor=False)
    return f"The model says {current.predicted[face]}. The label in the data is {label}."


def _class_result(current: Game, room: Room) -> str:
    scores = current.scores(rounds.CLASS, class_says(room.answers))
    words = rounds.in_words(scores)
    with _above_words():
        show_chart(score_bars(scores, FACES), f"Labels named: {words}")
    names, most = winners({person.name: person.answers for person in room.people}, current)
    if names:
        others = f" and {counted(len(names) - 3, 'other')}" if len(names) > 3 else ""
        st.subheader(f"Most labels: {plain(', '.join(names[:3]))}{others}, {most} of {FACES}", anchor=False)
    return words
