"""A round of the quiz: ten faces to name, one after the other, each compared with one model; and the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from fer_core.columns import TEST_SPLITS, percent_text
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.figures.bars import probability_bars, probability_text, score_bars
from fer_core.labels import COLORS, EXPRESSIONS
from fer_core.metrics.predictions import Predictions
from fer_core.quiz import rounds
from fer_core.quiz.rooms import tidy_code
from fer_core.quiz.rounds import FACES, FER2013, YOU, Game, Said, agreement
from fer_core.store.datasets import find_dataset
from fer_core.store.folders import list_models
from fer_core.types import FerError
from pages.parts import common
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import emphasis, plain, with_code
from pages.parts.data import faces_of, fer2013, predictions, shared
from pages.parts.face import Tile, face_tiles, fer2013_tile, mark, open_card, show_votes
from pages.parts.stage import SCREEN

HIGHEST_SEED: Final = 9999
FIVE_TILES: Final = 680  # pixels of a row of five faces
_ANSWERS: Final = "quiz_answers"


def faces_for(of: str) -> Fer2013Faces:
    """Return the faces that a round is drawn from; a `FerError` says if they are missing."""
    faces = fer2013() if of == FER2013 else faces_of(of)
    if faces.missing:
        raise FerError(f"The quiz shows faces of FER2013. {faces.missing}")
    return faces


def game(of: str, seed: int, model: str = "") -> Game:
    """Return a round of a data set compared with a model, by name; a `FerError` says if it cannot be drawn."""
    faces = faces_for(of)
    assert faces.dataset is not None
    return rounds.new_game(shared(rounds.draw_round, faces.dataset, seed), _model_tables(of), model)


def first_model(of: str) -> str:
    """Return the name of the first model that has predictions; empty for none."""
    return next((name for table in _model_tables(of) for name in table.names), "")


def choose_opponent(of: str, key: str) -> str:
    """Ask for the model to compare with, by default the first; return its name, or nothing if none has predictions."""
    titles = {name: title for table in _model_tables(of) for name, title in table.titles.items()}
    if not titles:
        st.caption("No model has predictions to compare with.")
        return ""
    return common.choose_named("Model", titles, key)


def _model_tables(of: str) -> list[Predictions]:
    """Return the stored predictions of all models that can predict, for each test split that has any."""
    models = list_models(servable=True)[0]
    splits = TEST_SPLITS if of == FER2013 else (of,)
    tables = [predictions(models, split, "plain", "label")[0] for split in splits]
    return [table for table in tables if table is not None]


def colored(expression: str) -> str:
    """Return an expression with a square in its colour, as Markdown."""
    return f':color[■]{{foreground="{COLORS[expression]}"}} {expression}'


def alone(of: str) -> None:
    """Play the round of the seed in the URL, and offer to play with a class."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        help_text = "The same number gives everybody the same ten test faces: one of each label, the others at random."
        if of == FER2013:
            help_text += " Pictures that are also in Training are left out, since models have seen them."
        seed = common.whole_number("Round", 1, HIGHEST_SEED, 1, "q_seed", width=160, help=help_text)
        if of != FER2013:
            common.offer_to_measure(find_dataset(of), "plain", "q_measure")
        current = game(of, seed, choose_opponent(of, "q_model"))
    visit = f"alone_{of}_{seed}"
    answers: list[str] = st.session_state.setdefault(_ANSWERS, {}).setdefault(visit, [])

    def go_to_room() -> None:
        if code := tidy_code(st.session_state["quiz_code_typed"] or ""):
            st.query_params["q_room"] = code

    if _next_face(current, answers, f"quiz_seen_{visit}"):
        show_result(current, answers)
        words, next_round = "Play again with other faces", {"q_seed": seed % HIGHEST_SEED + 1}
        look: Any = {"type": emphasis(), "icon": ":material/arrow_forward:"}
        st.button(words, on_click=st.session_state.update, args=(next_round,), **look)
    if not current.voted:
        st.caption(f"Without the annotators’ votes. {with_code(faces_for(of).votes_missing)}")
    st.divider()
    st.header("With a class")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Lead a class**: people join with their phones, and all answer the same face at a time.")
        link: Any = {"label": "Play with a class", "icon": ":material/groups:"}
        st.page_link("pages/lecture.py", query_params={SCREEN: "class"}, **link)
    with right, st.form("quiz_code", border=False):
        st.markdown("**Join a class**: type the code that you see on the projector.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Code of the room", max_chars=8, key="quiz_code_typed", width=200)
            st.form_submit_button("Go to the room", on_click=go_to_room)


def _next_face(game: Game, answers: list[str], key: str) -> bool:
    """Show the next face, or the last answered one until Next is pressed; return whether the round is over."""

    def see_next() -> None:
        st.session_state[key] = seen + 1

    def say(place: int, expression: str) -> None:
        if place == len(answers):
            answers.append(expression)

    seen = min(st.session_state.setdefault(key, len(answers)), len(answers))
    if seen >= FACES:
        return True
    st.progress(len(answers) / FACES, text=f"**Face {seen + 1} of {FACES}**")
    narrow, face = narrow_screen(), game.faces[seen]
    left, right = st.columns([2, 3], gap="small" if narrow else "large")
    left.image(face.image, width=200 if narrow else 400, alt=f"Face {seen + 1} of {FACES}")
    with right:
        if seen == len(answers):
            ask(seen, say)
            return False
        said, answer = game.predicted[seen], answers[seen]
        by = "" if said is None else f" The model says **{colored(said)}** {mark(said, face.label)}."
        st.markdown(f"#### You say {colored(answer)} {mark(answer, face.label)}")
        st.markdown(f"The label is **{colored(face.label)}**.{by}")
        words, icon = "See the result" if seen + 1 == FACES else "Next face", ":material/arrow_forward:"
        with st.container(horizontal=True):
            st.button(words, type=emphasis(), icon=icon, shortcut="N", key=f"q_next_{seen}", on_click=see_next)
            tile = _tile(game, seen, "")
            if tile and st.button("Look closer", icon=":material/search:", key=f"q_card_{seen}"):
                open_card(tile)
        charts = st.grid(2, min_column_width=240)
        if face.votes is not None:
            with charts.container():
                show_votes(face.votes, face.other_votes)
        with charts.container():
            if (row := game.probabilities[seen]) is not None:
                st.markdown(f"**{plain(game.model)}**: {said} {percent_text(float(row.max()))}")
                show_chart(probability_bars(row), f"Probabilities by {game.model}: {probability_text(row)}")
    return False


def ask(place: int, say: Callable[[int, str], None]) -> None:
    """Ask for the expression of a face; `say` gets its place and the answer."""
    narrow = narrow_screen()
    st.markdown(f"{'' if narrow else '#### '}Which expression does this face show?")
    with st.grid(2, min_column_width=100, gap="small"):
        for number, expression in enumerate(EXPRESSIONS, start=1):
            key, shortcut = f"q_say_{place}_{expression}", None if narrow else str(number)
            click: Any = {"on_click": say, "args": (place, expression)}
            st.button(colored(expression), key=key, shortcut=shortcut, width="stretch", **click)
    keys = "" if narrow else " The numbers are keys of the keyboard."
    st.caption(f"The label and the other answers are shown after yours.{keys}")


def show_result(game: Game, answers: Said) -> None:
    """Show who names how many labels, and the ten faces."""
    scores = game.scores(YOU, answers)
    words = rounds.in_words(scores)
    st.header(words, anchor=False)
    show_chart(score_bars(scores, FACES), f"Labels named: {words}")
    model = f" The model is {plain(game.model)}." if game.model else ""
    st.caption(
        f"Number of faces to which each gives the label.{model} Ten faces are few: the 95 % interval (Wilson) of your "
        f"share on faces drawn like these is {agreement(answers, game.labels).interval_text}. Every label occurs in a "
        "round, so rare expressions count more here than in a whole test split."
    )
    tiles = [
        _tile(game, place, f"{mark(answer, face.label)} {answer or 'no answer'}")
        for place, (face, answer) in enumerate(zip(game.faces, answers, strict=False))
    ]
    with st.container(width=FIVE_TILES):
        face_tiles([tile for tile in tiles if tile], "quiz_result")


def _tile(game: Game, place: int, words: str) -> Tile | None:
    """Return an answered face, which opens its card, below which stand some words and what others say."""
    face, said = game.faces[place], game.predicted[place]
    lines = [f"Label: {face.label}", f"Model: {said or 'no answer'}"]
    if game.voted:
        lines.append(f"Annotators: {face.majority or 'not clear'}")
    return fer2013_tile(faces_of(face.split), face.row, face.label, words, about=lines)
