"""A round of the quiz: ten faces to name, one after the other, and the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from fer_core.columns import TEST_SPLITS
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.figures.bars import vote_bars
from fer_core.labels import COLORS, EXPRESSIONS
from fer_core.metrics.predictions import Predictions
from fer_core.quiz.rooms import Rooms
from fer_core.quiz.rounds import FACES, QuizFace, Round, draw_round
from fer_core.quiz.tally import ANNOTATORS, LABEL, MODELS, YOU, Yardsticks, agreement, face_table, own_table, yardsticks
from fer_core.store.folders import list_models
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import MOST_ANNOTATORS, emphasis, plain, show_table, with_code
from pages.parts.data import predictions, shared

HIGHEST_SEED: Final = 9999
INTRODUCTION: Final = (
    "Name the expression on ten faces, alone or with a class. Then see the label, what ten annotators said and what "
    "models say."
)


@dataclass(frozen=True)
class Game:
    """A round with what its answers are compared with."""

    round: Round
    compared: Yardsticks


def game(faces: Fer2013Faces, seed: int, names: Iterable[str] | None = None) -> Game:
    """Return a round; end the page with a sentence if it cannot be drawn.

    Args:
        faces: FER2013's faces, which must be there.
        seed: of the round.
        names: of the models to compare with; None for all that can predict.
    """
    dataset = faces.dataset
    assert dataset is not None
    try:
        drawn = shared(draw_round, dataset, seed)
    except FerError as error:
        st.info(with_code(str(error)), icon=":material/info:")
        st.stop()
    tables = model_tables()
    if names is not None:
        chosen = set(names)
        tables = [table.only(chosen & set(table.names)) for table in tables if chosen & set(table.names)]
    return Game(drawn, yardsticks(drawn, tables))


def model_tables() -> list[Predictions]:
    """Return the stored predictions of all models that can predict, for each test split that has any."""
    models: list[StoredModel] = list_models(servable=True)[0]
    found = [predictions(models, split, "plain", "label")[0] for split in TEST_SPLITS]
    return [table for table in found if table is not None]


def rooms() -> Rooms:
    """Return the rooms of this server, which all sessions and copies of the app share; end the page without them."""
    try:
        return Rooms()
    except FerError as error:
        st.error(with_code(str(error)), icon=":material/error:")
        st.stop()


RIGHT = ":green[:material/check:]"
OTHER = ":red[:material/close:]"


def colored(expression: str) -> str:
    """Return an expression with a square in its colour, as Markdown."""
    return f':color[■]{{foreground="{COLORS[expression]}"}} {expression}'


def mark(one: str | None, other: str | None) -> str:
    """Return a mark for equal or different answers, as Markdown; empty if one is missing."""
    if one is None or other is None:
        return ""
    return RIGHT if one == other else OTHER


def play(game: Game, answers: Sequence[str], visit: str, say: Callable[[int, str], None]) -> bool:
    """Show the next face, or the last answered one until Next is pressed; return whether the round is over.

    Args:
        game: the round.
        answers: to the first faces, in order.
        visit: names the round of this person, so that another one starts at its own place.
        say: keeps an answer, given the place of the face and the expression.
    """
    key = f"quiz_seen_{visit}"
    seen = min(st.session_state.setdefault(key, len(answers)), len(answers))
    if seen >= FACES:
        return True
    st.progress(len(answers) / FACES, text=f"**Face {seen + 1} of {FACES}**")
    narrow = narrow_screen()
    left, right = st.columns([2, 3], gap="small" if narrow else "large")
    face = game.round.faces[seen]
    left.image(face.image, width=200 if narrow else 440, alt=f"Face {seen + 1} of {FACES}")
    with right:
        if seen == len(answers):
            _ask(seen, say)
            return False
        answer = answers[seen]
        st.markdown(f"#### You say: {colored(answer)}")
        st.markdown(f"#### FER2013’s label: {colored(face.label)} {mark(answer, face.label)}")
        words = "See the result" if seen + 1 == FACES else "Next face"
        st.button(
            words,
            type=emphasis(),
            icon=":material/arrow_forward:",
            shortcut="N",
            key=f"q_next_{seen}",
            on_click=_see_next,
            args=(key, seen + 1),
        )
        show_votes(face, answer)
        show_models(game, seen, answer)
    return False


def start_over(visit: str) -> None:
    """Let a round begin with its first face again."""
    st.session_state.pop(f"quiz_seen_{visit}", None)


def _see_next(key: str, seen: int) -> None:
    st.session_state[key] = seen


def _ask(place: int, say: Callable[[int, str], None]) -> None:
    narrow = narrow_screen()
    st.markdown(f"{'' if narrow else '#### '}Which expression does this face show?")
    with st.grid(3 if narrow else 2, min_column_width=100, gap="small"):
        for number, expression in enumerate(EXPRESSIONS, start=1):
            st.button(
                colored(expression),
                key=f"q_say_{place}_{expression}",
                on_click=say,
                args=(place, expression),
                shortcut=None if narrow else str(number),
                width="stretch",
            )
    keys = "" if narrow else " The numbers are keys of the keyboard."
    st.caption(f"The label and the other answers are shown after yours.{keys}")


def show_votes(face: QuizFace, answer: str | None = None) -> None:
    """Show the ten annotators' votes as bars, and whether an answer is the most frequent one."""
    if face.votes is None:
        return
    total = sum(face.votes) + face.other_votes
    most = f"most say {face.majority}" if face.majority else "no clear answer"
    st.markdown(f"**{ANNOTATORS.removeprefix('Most ').capitalize()}**: {most} {mark(answer, face.majority)}")
    said = ", ".join(f"{name} {n}" for name, n in zip(EXPRESSIONS, face.votes, strict=True) if n)
    show_chart(vote_bars(face.votes, total), f"Votes of {total} annotators: {said or 'none for the seven'}")
    note_other_votes(face)


def note_other_votes(face: QuizFace) -> None:
    """Say how many annotators gave another answer than the seven, if any."""
    if face.other_votes:
        st.caption(f"{face.other_votes} more said contempt, unknown or not a face.")


def show_models(game: Game, place: int, answer: str | None = None) -> None:
    """Show which models give which answer to a face, the most frequent answer first."""
    models = game.compared.models
    by_answer: dict[str, list[str]] = {}
    for title, said in models.items():
        if (one := said[place]) is not None:
            by_answer.setdefault(one, []).append(title)
    if not by_answer:
        return
    count = sum(map(len, by_answer.values()))
    st.markdown(f"**Models** ({count})" if count > 1 else "**Model**")
    st.markdown(
        "\n".join(
            f"- **{colored(one)}** {mark(answer, one)} {len(titles)}: {plain(' · '.join(titles))}"
            for one, titles in sorted(by_answer.items(), key=lambda item: -len(item[1]))
        )
    )


HELP: Final = {
    ANNOTATORS: MOST_ANNOTATORS,
    MODELS: "The most frequent answer of the models. Faces on which two answers are equally frequent do not count.",
}
"""What the main yardsticks are."""


def show_result(game: Game, answers: Sequence[str]) -> None:
    """Show how far the answers agree with those of the label, the annotators and the models."""
    compared = game.compared
    st.header("Your result")
    with st.grid(len(compared.main), min_column_width=180):
        for who, said in compared.main.items():
            found = agreement(answers, said)
            st.metric(f"Same as {in_sentence(who)}", str(found), border=True, help=HELP.get(who))
    label = agreement(answers, compared.main[LABEL])
    st.markdown(
        f"Ten faces are few: with {label} for the label, the 95 % interval of your agreement on faces drawn like these "
        f"is **{label.interval_text}**. A difference of two or three faces between you and a model says little."
    )
    columns: dict[str, str | tuple[str, str]] = {
        "who": "",
        "you": "Same as you",
        "interval": "95 % interval",
        "label": "Same as the label",
        "annotators": "Same as most annotators",
    }
    if ANNOTATORS not in compared.main:
        del columns["annotators"]
    show_table(
        own_table(answers, compared),
        "Agreement of you, the label, the annotators and the models on these ten faces",
        columns,
        height="content",
    )
    st.caption(
        "Wilson’s interval of “same as you”. Every label occurs in a round, so rare expressions count more here than "
        "in a whole test split, and models may score lower than under Compare models."
        + (f" {ANNOTATORS}: only faces with one clear answer count." if ANNOTATORS in compared.main else "")
    )
    st.header("The ten faces")
    with st.grid("auto", min_column_width=150, gap="small"):
        for place, (face, answer) in enumerate(zip(game.round.faces, answers, strict=False)):
            with st.container(gap=None):
                st.image(face.image, width="stretch", alt=f"Face {place + 1}: label {face.label}, you said {answer}")
                st.markdown(f"{mark(answer, face.label)} **You: {answer}**")
                lines = [f"Label: {face.label}"]
                if ANNOTATORS in compared.main:
                    lines.append(f"Annotators: {face.majority or 'no clear answer'}")
                if MODELS in compared.main:
                    lines.append(f"Most models: {compared.main[MODELS][place] or 'no clear answer'}")
                st.caption("  \n".join([*lines, f"Row {face.row}, {face.split}"]))
    with st.expander("Every model’s answer to every face"):
        show_answers(game, {YOU: tuple(answers)})


def show_answers(game: Game, said: dict[str, tuple[str | None, ...]]) -> None:
    """Show a table of all answers to all faces, with columns for `said` before the others."""
    table = face_table(said, game.compared)
    columns: dict[str, str | tuple[str, str]] = {"face": ("Face", "%d")}
    columns |= {str(name): str(name) for name in table.columns[1:]}
    show_table(table, f"Answers to the {FACES} faces", columns, height="content")


def in_sentence(who: str) -> str:
    """Return the name of a yardstick as it stands within a sentence."""
    return who if who == LABEL else who[:1].lower() + who[1:]
