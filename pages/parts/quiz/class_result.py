"""What a whole class in a room answered: the same numbers on the projector and on each device."""

from __future__ import annotations

import streamlit as st

from fer_core.quiz import FACES, Room, class_table, together
from pages.parts.common import show_table
from pages.parts.quiz.game import Game
from pages.parts.quiz.result import HELP, in_sentence


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
