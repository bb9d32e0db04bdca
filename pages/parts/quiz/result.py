"""The result of a person's round: agreement with the label, the annotators and the models, and the ten faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from fer_core.quiz import ANNOTATORS, FACES, LABEL, MODELS, YOU, agreement, face_table, own_table
from pages.parts.common import MOST_ANNOTATORS, show_table
from pages.parts.quiz.game import Game
from pages.parts.quiz.play import mark

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
