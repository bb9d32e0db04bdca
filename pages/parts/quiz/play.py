"""The game: a face to name, then the label, the votes and the models' answers, and so on to the last face."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from fer_core.figures.bars import vote_bars
from fer_core.labels import COLORS, EXPRESSIONS
from fer_core.quiz import ANNOTATORS, FACES, QuizFace
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import emphasis, plain
from pages.parts.quiz.game import Game

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
