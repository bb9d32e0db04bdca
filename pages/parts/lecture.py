"""The screens of the lecture, and their overview."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeAlias

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.columns import YARDSTICKS, percent_text
from fer_core.fairness.faces import AuditedFaces, stored_faces
from fer_core.fairness.groups import MINIMUM
from fer_core.figures.bars import probability_bars, probability_text
from fer_core.figures.matrices import confusion_chart
from fer_core.figures.scores import accuracy_intervals, group_rates
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.scoreboard import card_intervals, front_models
from fer_core.metrics.confusion import confusion_cells, label_cells
from fer_core.metrics.predictions import Predictions
from fer_core.names import upper_first
from fer_core.quiz.rounds import FACES
from fer_core.sections import answers as says
from fer_core.sections.screens import CLASS, SCREENS, Screen, lecture, save_lecture, screen_at, steps
from fer_core.store.folders import list_models
from fer_core.types import FerError
from pages.parts import common, pictures
from pages.parts.charts import Space, show_chart, space_here, within
from pages.parts.common import ERROR, attempt, choose, note_detector, plain, warn, with_code
from pages.parts.data import computed, predictions
from pages.parts.pictures import EXAMPLE, Picture, opened_model, result_for
from pages.parts.quiz import game
from pages.parts.room import class_screen, led_room
from pages.parts.stage import OF_PAGE, SCREEN, stage
from pages.parts.tour import STEPS

_PHOTO: Final = "lecture_photo"  # in the session state: the picture that the screens of the face and the tour show
_THUMBNAIL: Final = Space(220, 140, 0.5, small=True)
Others: TypeAlias = dict[str, Callable[[DeltaGenerator | None], str]]
ASPECTS: Final = {"detect": 1.5, "activations": 1.6}
"""Width by height of what screens show; others are square or fill the width."""


def show_screen(step: str) -> None:
    """Show the screen of an address."""
    screen = screen_at(step)
    assert screen is not None
    names = [each.name for each in lecture()]
    if screen.name not in names:
        names.append(screen.name)
    room = led_room() if CLASS in names else None
    votes = True
    with suppress(FerError):  # the screens of a room whose faces are gone say so
        votes = room is None or game(room.of, room.seed).voted
    order = steps(names, faces=FACES if room else 0, votes=votes)
    if step not in order:
        step = screen.name
    with stage(step, order) as (sentence, controls):
        of_class: Any = {CLASS: partial(class_screen, step, room)}
        sentence.title(_draw(screen, controls, OTHERS | of_class), anchor=False)
    with controls:
        st.markdown("\n\n".join(f"*{note}*" for note in screen.notes))


def _draw(screen: Screen, controls: DeltaGenerator | None, others: Others) -> str:
    """Draw a screen, one of the tour's or of `others`, and return its sentence."""
    try:
        if (step := screen.name.title()) not in STEPS:
            return others[screen.name](controls) or screen.sentence
        stored = [model for model in common.servable_models(EXPRESSIONS) if model.card.spec is not None]
        model, picture, space = opened_model(stored), _picture(), space_here()
        assert model.card.spec is not None
        width: Any = round(ASPECTS[screen.name] * space.height) if space and screen.name in ASPECTS else "stretch"
        with st.container(width=width, horizontal_alignment="center"):
            STEPS[step](pictures.tour_of(picture, model, model.card.spec), picture)
        return screen.sentence
    except FerError as error:
        st.info(with_code(str(error)), icon=":material/info:")
        return screen.sentence or screen.title


def _picture() -> Picture:
    return st.session_state.get(_PHOTO) or pictures.picture_of_example(_asked(EXAMPLE))


def _face(controls: DeltaGenerator | None) -> str:
    """Show what the model says about a photo, or about the example; the controls take a photo."""
    if controls is not None:
        with controls:
            source = choose("Picture", ("Example", "Camera"), "lecture_source")
            if source == "Example":
                st.session_state.pop(_PHOTO, None)
            elif _PHOTO in st.session_state:
                st.button("Another photo", on_click=st.session_state.pop, args=(_PHOTO, None))
        if source == "Camera" and _PHOTO not in st.session_state:
            if photos := pictures.pictures_from("Camera", prefix="lecture"):
                st.session_state[_PHOTO] = photos[0]
                st.rerun()
            return "Look into the camera."
    model = opened_model(common.servable_models(EXPRESSIONS))
    result = result_for(_picture(), model)
    if not result.faces:
        st.info(plain(result.error or "No face was found. Come closer, and look into the camera."))
        return "No face was found."
    face, space = result.faces[0], space_here()
    left, right = st.columns(2, gap="large", vertical_alignment="center")
    width: Any = min(space.height, space.width // 2 - 40) if space else "stretch"
    left.image(pictures.annotated(_picture(), model), width=width, alt=f"A face with a box, labelled {face.answer}")
    with right:
        show_chart(probability_bars(face.probabilities), f"Probabilities: {probability_text(face.probabilities)}")
    if not face.sure:
        return f"{plain(model.title)} is not sure what this face shows."
    return f"{plain(model.title)} says: {face.answer}, {percent_text(face.confidence)}."


def _asked(name: str) -> str | None:
    """Return the value of a query parameter of the page that led here."""
    return st.query_params.get(f"{OF_PAGE}{name}")


def _yardstick(page: str) -> str:
    return "label" if _asked(f"{page}_by") == upper_first(YARDSTICKS["label"]) else "plurality"


def _judged(page: str) -> tuple[Predictions, str]:
    """Return predictions and the name of a model: those that a page shows whose query parameters begin with `page`."""
    split = "PrivateTest" if _asked(f"{page}_split") == "PrivateTest" else "PublicTest"
    answers = predictions(list_models(classes=EXPRESSIONS)[0], split, "plain", _yardstick(page))[0]
    if answers is None:
        raise FerError("No model has predictions of FER2013's test faces. Train one, or reinstall FER Lab.")
    chosen = (name for name, title in answers.titles.items() if title == _asked(f"{page}_model"))
    return answers, next(chosen, answers.names[0])


def _first_sentence(words: str) -> str:
    return f"{words.partition('. ')[0].rstrip('.')}."


def _votes(_: DeltaGenerator | None) -> str:
    answers = _judged("d")[0]
    cells = label_cells(answers.given, answers.labels)
    words = says.labels(cells)
    show_chart(confusion_chart(cells, "rates", titles=("FER2013’s label", "Most annotators")), words)
    return words


def _models(_: DeltaGenerator | None) -> str:
    stored, by = [model for model in list_models(classes=EXPRESSIONS)[0] if model.card.tested], _yardstick("c")
    front = [model for model in stored if model.name in front_models(stored)]
    measured = card_intervals(front, by)
    if measured.empty:
        raise FerError(
            "No model here was measured on FER2013's test faces. Measure one with `fer-lab evaluate NAME --save`."
        )
    board = measured[measured["split"] == "PublicTest"].rename(columns={"low": "accuracy_low", "high": "accuracy_high"})
    words = _first_sentence(says.best_model(board, judge=YARDSTICKS[by]))
    show_chart(accuracy_intervals(measured), words)
    return plain(words)


def _confusion(_: DeltaGenerator | None) -> str:
    answers, name = _judged("m")
    cells = confusion_cells(answers, name)
    words, _cell = says.confusion(cells, answers.titles[name])
    show_chart(confusion_chart(cells, "rates"), words)
    return plain(_first_sentence(words))


def _fails(_: DeltaGenerator | None) -> str:
    faces = stored_faces(*_judged("a"))
    by = next((name for name, title in faces.divisions.items() if title == _asked("a_groups")), "brightness")
    audit = computed(AuditedFaces.compare, faces, by, "", MINIMUM)
    recall, gaps = (table[table["rate"] == "recall"] for table in (audit.rates, audit.gaps))
    words = says.gap(gaps, faces.divisions[by])
    show_chart(group_rates(recall, "Recall"), words)
    return plain(_first_sentence(words))


def _home(_: DeltaGenerator | None) -> str:
    points = (
        "Models name what a face **shows**, not what a person **feels**.",
        "They fail some faces more often than others.",
        "For **volunteers** only: never for grading, hiring or monitoring.",
    )
    space = space_here()
    for point in points:
        st.markdown(f"{'#####' if space and space.small else '##'} {point}")
    return ""


def _class_card(_: DeltaGenerator | None) -> str:
    st.markdown("# :material/qr_code_2: :material/smartphone: :material/groups:")
    return "Everybody names the expression on ten faces, with a phone."


OTHERS: Final[Others] = {
    CLASS: _class_card,
    "face": _face,
    "votes": _votes,
    "models": _models,
    "confusion": _confusion,
    "fails": _fails,
    "home": _home,
}
"""Draws each screen that is no step of the tour, and returns its sentence; controls are missing in the overview."""


def overview() -> None:
    """Show a card for each screen, which opens it, and ask which screens are shown, in which order."""
    warn(st.session_state.pop(ERROR, []))
    shown = [screen.name for screen in lecture()]
    start: Any = {"icon": ":material/slideshow:", "query_params": {SCREEN: shown[0]}}
    st.page_link("pages/lecture.py", label="**Start**", **start)
    with st.expander("Choose screens and their order", icon=":material/tune:"):
        words = "A screen that you add comes last. Without any, all are shown in their first order."
        save = (lambda: save_lecture(st.session_state["lecture_order"]),)
        order: Any = {"key": "lecture_order", "on_change": attempt, "args": save, "help": words}
        title_of = {name: screen.title for name, screen in SCREENS.items()}.__getitem__
        st.multiselect("Screens in their order", SCREENS, default=shown, format_func=title_of, **order)
    with st.grid("auto", min_column_width=240, gap="small"):
        for place, screen in enumerate(lecture(), 1):
            with st.container(border=True, height="stretch"):
                frame: Any = {"border": False, "horizontal_alignment": "center"}
                with st.container(height=_THUMBNAIL.height + 16, **frame), within(_THUMBNAIL):
                    sentence = _draw(screen, None, OTHERS)
                link: Any = {"query_params": {SCREEN: screen.name}}
                st.page_link("pages/lecture.py", label=f"**{place}. {screen.title}**", **link)
                st.caption(f"{sentence}  \n{screen.minutes:g} min")
                with st.popover("Notes", type="tertiary"):
                    st.markdown("\n".join(f"- {note}" for note in screen.notes))
    note_detector()
