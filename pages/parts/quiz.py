"""A round of the quiz: ten faces to name, one after the other, and the result; alone, with the ways into a room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import streamlit as st

from fer_core.columns import TEST_SPLITS
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.figures.bars import vote_bars
from fer_core.labels import COLORS, EXPRESSIONS
from fer_core.metrics.predictions import Predictions
from fer_core.quiz import rounds
from fer_core.quiz.rooms import Rooms, tidy_code
from fer_core.quiz.rounds import ANNOTATORS, FACES, FER2013, LABEL, MODELS, Game, QuizFace, Said, agreement
from fer_core.store.datasets import find_dataset
from fer_core.store.folders import list_models
from fer_core.types import FerError
from pages.parts import common
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import Columns, emphasis, plain, show_table, with_code
from pages.parts.data import predictions, shared

HIGHEST_SEED: Final = 9999
HOST: Final = "quiz_host"  # in the session state: code and secret of the room that this session controls
_ANSWERS: Final = "quiz_answers"
_REFUSED: Final = "quiz_refused"

HELP: Final = {
    ANNOTATORS: common.MOST_ANNOTATORS,
    MODELS: "The most frequent answer of the models. Faces on which two answers are equally frequent do not count.",
}
"""What the main yardsticks are."""


def game(faces: Fer2013Faces, seed: int, names: Iterable[str] | None = None, of: str = FER2013) -> Game:
    """Return a round compared with models of these names, or all; end the page if it cannot be drawn."""
    assert faces.dataset is not None
    try:
        drawn = shared(rounds.draw_round, faces.dataset, seed)
    except FerError as error:
        st.info(with_code(str(error)), icon=":material/info:")
        st.stop()
    tables = model_tables(of)
    if names is not None:
        chosen = set(names)
        tables = [table.only(chosen) for table in tables if chosen & set(table.names)]
    return rounds.new_game(drawn, tables)


def model_tables(of: str) -> list[Predictions]:
    """Return the stored predictions of all models that can predict, for each test split that has any."""
    models = list_models(servable=True)[0]
    splits = TEST_SPLITS if of == FER2013 else (of,)
    tables = [predictions(models, split, "plain", "label")[0] for split in splits]
    return [table for table in tables if table is not None]


def rooms() -> Rooms:
    """Return the rooms of this server, which all sessions and copies of the app share; end the page without them."""
    try:
        return Rooms()
    except FerError as error:
        st.error(with_code(str(error)), icon=":material/error:")
        st.stop()


def colored(expression: str) -> str:
    """Return an expression with a square in its colour, as Markdown."""
    return f':color[■]{{foreground="{COLORS[expression]}"}} {expression}'


def mark(one: str | None, other: str | None) -> str:
    """Return a mark for equal or different answers, as Markdown; empty if one is missing."""
    if one is None or other is None:
        return ""
    return ":green[:material/check:]" if one == other else ":red[:material/close:]"


def same_as(who: str) -> str:
    """Return the title of a column or number that compares answers with a yardstick."""
    return f"Same as {who[:1].lower() + who[1:]}"


def alone(faces: Fer2013Faces, of: str = FER2013) -> None:
    """Play the round of the seed in the URL; with FER2013, offer to open or join a room."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        help_text = (
            "The same number gives everybody the same ten test faces: one of each label and three more at random. "
            "Pictures that are also in Training are left out, since models have seen them."
        )
        seed = common.whole_number("Round", 1, HIGHEST_SEED, 1, "q_seed", width=160, help=help_text)
        if of != FER2013:
            common.offer_to_measure(find_dataset(of), "plain", "q_measure")
        names = _choose_models(of)
    current = game(faces, seed, names, of)
    visit = f"alone_{of}_{seed}"
    answers: list[str] = st.session_state.setdefault(_ANSWERS, {}).setdefault(visit, [])

    def say(place: int, expression: str) -> None:
        if place == len(answers):
            answers.append(expression)

    def repeat() -> None:
        st.session_state[_ANSWERS].pop(visit, None)
        st.session_state.pop(_seen_key(visit), None)

    def next_round() -> None:
        st.session_state["q_seed"] = seed % HIGHEST_SEED + 1

    if next_face(current, answers, visit, say):
        show_result(current, answers)
        with st.container(horizontal=True):
            words, icon = "Play again with other faces", ":material/arrow_forward:"
            st.button(words, type=emphasis(), icon=icon, on_click=next_round)
            st.button("Repeat this round", icon=":material/replay:", on_click=repeat)
        st.markdown("Link to this round:")
        faces_of = "" if of == FER2013 else f"&q_of={of}"
        st.code(f"{st.context.url or ''}?q_seed={seed}{faces_of}", language=None)
    if ANNOTATORS not in current.main:
        st.caption(f"Without the annotators’ votes. {with_code(faces.votes_missing)}")
    if of == FER2013:
        st.divider()
        _ways_into_a_room(seed)


def _choose_models(of: str) -> list[str]:
    titles = {name: title for table in model_tables(of) for name, title in table.titles.items()}
    if not titles:
        st.caption("No model has predictions to compare with.")
        return []
    with st.popover("Models", icon=":material/model_training:"):
        names = list(titles)
        settings: Any = {"default": names, "format_func": lambda name: titles.get(name, name), "bind": "query-params"}
        return list(st.multiselect("Compare with", names, key="q_models", **settings))


def _ways_into_a_room(seed: int) -> None:
    def open_room() -> None:
        st.session_state[HOST] = rooms().open(seed)

    def go_to_room() -> None:
        if code := tidy_code(st.session_state["quiz_code_typed"] or ""):
            st.query_params["q_room"] = code

    st.header("With a class")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(
            "**Lead a class**: open a room and show its code on the projector. Everybody plays this round on their own "
            "device, and you see the answers counted together."
        )
        icon = ":material/meeting_room:"
        st.button("Open a room", icon=icon, key="quiz_open", on_click=common.attempt, args=(open_room, _REFUSED))
        common.warn(st.session_state.pop(_REFUSED, []))
    with right, st.form("quiz_code", border=False):
        st.markdown("**Join a class**: type the code that you see on the projector.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Code of the room", max_chars=8, key="quiz_code_typed", width=200)
            st.form_submit_button("Go to the room", on_click=go_to_room)


def next_face(game: Game, answers: Sequence[str], visit: str, say: Callable[[int, str], None]) -> bool:
    """Show the next face, or the last answered one until Next is pressed; return whether the round is over.

    `visit` names the round of this person, so that another one starts at its own place. `say` keeps an answer, given
    the place of the face and the expression.
    """

    def see_next() -> None:
        st.session_state[key] = seen + 1

    key = _seen_key(visit)
    seen = min(st.session_state.setdefault(key, len(answers)), len(answers))
    if seen >= FACES:
        return True
    st.progress(len(answers) / FACES, text=f"**Face {seen + 1} of {FACES}**")
    narrow = narrow_screen()
    left, right = st.columns([2, 3], gap="small" if narrow else "large")
    face = game.faces[seen]
    left.image(face.image, width=200 if narrow else 440, alt=f"Face {seen + 1} of {FACES}")
    with right:
        if seen == len(answers):
            _ask(seen, say)
            return False
        answer = answers[seen]
        st.markdown(f"#### You say: {colored(answer)}")
        st.markdown(f"#### The label: {colored(face.label)} {mark(answer, face.label)}")
        words, icon = "See the result" if seen + 1 == FACES else "Next face", ":material/arrow_forward:"
        st.button(words, type=emphasis(), icon=icon, shortcut="N", key=f"q_next_{seen}", on_click=see_next)
        show_votes(face, answer)
        show_models(game, seen, answer)
    return False


def _seen_key(visit: str) -> str:
    return f"quiz_seen_{visit}"


def _ask(place: int, say: Callable[[int, str], None]) -> None:
    narrow = narrow_screen()
    st.markdown(f"{'' if narrow else '#### '}Which expression does this face show?")
    with st.grid(3 if narrow else 2, min_column_width=100, gap="small"):
        for number, expression in enumerate(EXPRESSIONS, start=1):
            key, shortcut = f"q_say_{place}_{expression}", None if narrow else str(number)
            click: Any = {"on_click": say, "args": (place, expression)}
            st.button(colored(expression), key=key, shortcut=shortcut, width="stretch", **click)
    keys = "" if narrow else " The numbers are keys of the keyboard."
    st.caption(f"The label and the other answers are shown after yours.{keys}")


def show_votes(face: QuizFace, answer: str) -> None:
    """Show the ten annotators' votes as bars, and whether an answer is the most frequent one."""
    if face.votes is None:
        return
    total = sum(face.votes) + face.other_votes
    most = f"most say {face.majority}" if face.majority else "no clear answer"
    st.markdown(f"**Annotators**: {most} {mark(answer, face.majority)}")
    alt = f"Votes of {total} annotators: {in_words(face.votes) or 'none for the seven'}"
    show_chart(vote_bars(face.votes, total), alt)
    note_other_votes(face)


def in_words(counts: Iterable[int]) -> str:
    """Return how often each expression was said, without those that were not."""
    return ", ".join(f"{name} {count}" for name, count in zip(EXPRESSIONS, counts, strict=True) if count)


def note_other_votes(face: QuizFace) -> None:
    """Say how many annotators gave another answer than the seven, if any."""
    if face.other_votes:
        st.caption(f"{face.other_votes} more said contempt, unknown or not a face.")


def show_models(game: Game, place: int, answer: str | None = None) -> None:
    """Show which models give which answer to a face, the most frequent answer first."""
    by_answer: dict[str, list[str]] = {}
    for title, said in game.models.items():
        if (models_answer := said[place]) is not None:
            by_answer.setdefault(models_answer, []).append(title)
    if not by_answer:
        return
    count = sum(map(len, by_answer.values()))
    st.markdown(f"**Models** ({count})" if count > 1 else "**Model**")
    lines = [
        f"- **{colored(expression)}** {mark(answer, expression)} {len(titles)}: {plain(' · '.join(titles))}"
        for expression, titles in sorted(by_answer.items(), key=lambda item: -len(item[1]))
    ]
    st.markdown("\n".join(lines))


def show_result(game: Game, answers: Sequence[str]) -> None:
    """Show how far the answers agree with those of the label, the annotators and the models."""
    st.header("Your result")
    with st.grid(len(game.main), min_column_width=180):
        for who, said in game.main.items():
            st.metric(same_as(who), str(agreement(answers, said)), border=True, help=HELP.get(who))
    label = agreement(answers, game.main[LABEL])
    st.markdown(
        f"Ten faces are few: with {label} for the label, the 95 % interval of your agreement on faces drawn like these "
        f"is **{label.interval_text}**. A difference of two or three faces between you and a model says little."
    )
    voted = ANNOTATORS in game.main
    columns: Columns = {"who": "", "you": "Same as you", "interval": "95 % interval", "label": "Same as the label"}
    if voted:
        columns["annotators"] = "Same as most annotators"
    title = "Agreement of you, the label, the annotators and the models on these ten faces"
    show_table(rounds.own_table(answers, game), title, columns, height="content")
    st.caption(
        "Wilson’s interval of “same as you”. Every label occurs in a round, so rare expressions count more here than "
        "in a whole test split, and models may score lower than under Compare models."
        + (f" {ANNOTATORS}: only faces with one clear answer count." if voted else "")
    )
    st.header("The ten faces")
    with st.grid("auto", min_column_width=150, gap="small"):
        for place, (face, answer) in enumerate(zip(game.faces, answers, strict=False)):
            with st.container(gap=None):
                st.image(face.image, width="stretch", alt=f"Face {place + 1}: label {face.label}, you said {answer}")
                st.markdown(f"{mark(answer, face.label)} **You: {answer}**")
                lines = [f"Label: {face.label}"]
                if voted:
                    lines.append(f"Annotators: {face.majority or 'no clear answer'}")
                if MODELS in game.main:
                    lines.append(f"Most models: {game.main[MODELS][place] or 'no clear answer'}")
                st.caption("  \n".join([*lines, f"Row {face.row}, {face.split}"]))
    show_answers(game, {rounds.YOU: tuple(answers)})


def show_answers(game: Game, said: dict[str, Said]) -> None:
    """Show a table of all answers to all faces, with columns for `said` before the others."""
    with st.expander("Every model’s answer to every face"):
        table = rounds.face_table(said, game)
        columns: Columns = {"face": ("Face", "%d"), **{str(name): str(name) for name in table.columns[1:]}}
        show_table(table, f"Answers to the {FACES} faces", columns, height="content")
