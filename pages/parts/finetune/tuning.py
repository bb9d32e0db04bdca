"""Tuning on the Fine-tune page: start a study, watch its trials, train with the best settings that it found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import streamlit as st

from fer_core.models import model_spec, network_names
from fer_core.runs.choice import ALL_FACES, MIN_FACES, DataChoice
from fer_core.runs.estimate import words_for
from fer_core.runs.names import name_from
from fer_core.runs.plan import RunPlan
from fer_core.runs.queue import submit
from fer_core.training.recipes import recipe_for
from fer_core.tuning import process
from fer_core.tuning.estimate import study_estimate
from fer_core.tuning.plan import TuningPlan
from fer_core.tuning.space import WORDS, SearchSpace, variable
from fer_core.tuning.storage import anything_stored, default_storage, open_storage
from fer_core.types import FerError
from pages.parts.analysis import plain
from pages.parts.finetune.trials import show

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

STUDY: Final = "t_study"
ERROR: Final = "t_error"
"""Where a callback leaves the sentence that says what went wrong."""

EVERY: Final = 2.0
"""Seconds between two looks at a study that works."""


def _queue(plan: RunPlan) -> None:
    """Put a run into the queue and say so."""
    try:
        st.toast(f"In the queue: {plain(submit(plan).title)}", icon=":material/model_training:")
    except FerError as error:
        st.session_state[ERROR] = str(error)


def tuning_panel(start: Callable[[RunPlan], None] = _queue) -> None:
    """Show everything about tuning.

    Args:
        start: a callback that puts the run with the best settings into the queue.
    """
    st.markdown(
        "A study tries many settings, each briefly on a few faces, and ranks them by their accuracy on the hold-out. "
        "The test splits are never looked at."
    )
    if ERROR in st.session_state:
        st.error(plain(st.session_state.pop(ERROR)), icon=":material/error:")
    try:
        names = _names()
    except FerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    with st.expander("New study", icon=":material/add:", expanded=not names):
        _new_study(names)
    if not names:
        return
    name = st.selectbox("Study", names, key=STUDY, bind="query-params", width=400)
    _live(str(name), start)


def _live(name: str, start: Callable[[RunPlan], None]) -> None:
    """Show a study, renewing itself while somebody works on it."""
    works = process.working(name)

    def look() -> None:
        if process.working(name) != works:
            st.rerun()  # from now on it need not renew itself, or has to
        try:
            from fer_core.tuning.study import open_study

            show(open_study(name, _storage(default_storage())), works, start, _go_on)
        except FerError as error:
            st.error(plain(str(error)), icon=":material/error:")

    st.fragment(look, run_every=EVERY if works else None)()


def _new_study(names: list[str]) -> None:
    networks = network_names()
    with st.grid(4, min_column_width=150):
        model = st.selectbox("Network", networks, key="t_model", bind="query-params")
        faces = st.number_input("Faces a trial", MIN_FACES, ALL_FACES, 3000, 500, key="t_faces", bind="query-params")
        epochs = st.number_input("Epochs a trial", 1, 50, 6, key="t_epochs", bind="query-params")
        trials = st.number_input("Trials", 1, 500, 20, key="t_trials", bind="query-params")
    spec = model_spec(str(model))
    recipe = recipe_for(spec)
    choices = variable(spec)
    vary = st.pills(
        "Settings to try", choices, selection_mode="multi", default=choices, key=f"t_vary_{len(choices)}",
        format_func=WORDS.__getitem__,
    )  # fmt: skip
    suggestion = next(
        name for number in range(1, 1000) if (name := f"{name_from(spec.name)}_{number}") not in names
    )  # fmt: skip
    given = st.text_input("Name of the study", placeholder=suggestion, max_chars=60, key="t_name")
    try:
        space = SearchSpace.around(spec, recipe, vary)
        data = DataChoice("fer2013", int(faces))
        plan = TuningPlan(name_from(given) if given.strip() else suggestion, spec, recipe, data, int(epochs), space)
    except FerError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return
    st.button(
        "Start the study", type="primary", icon=":material/play_arrow:", key="t_go", on_click=_begin,
        args=(plan, int(trials)),
    )  # fmt: skip
    time = study_estimate(plan, int(trials))
    st.caption(
        f"Takes at most {words_for(time.seconds)}: poor trials stop early. {time.basis} For own "
        "pictures, other ranges, or several machines at once: `python -m fer_core tune --help`."
    )


def _begin(plan: TuningPlan, trials: int) -> None:
    """Make a study and let a process work on it."""
    try:
        from fer_core.tuning.study import create_study

        create_study(plan, _storage(default_storage())).want(trials)
        process.start(plan.name, trials)
        st.session_state[STUDY] = plan.name
    except FerError as error:
        st.session_state[ERROR] = str(error)


def _go_on(name: str, trials: int) -> None:
    """Let a process work on an existing study until it has so many trials."""
    try:
        process.start(name, trials)
    except FerError as error:
        st.session_state[ERROR] = str(error)


def _names() -> list[str]:
    """Return the studies' names; Optuna is not even imported before there is one."""
    if not anything_stored():
        return []
    from fer_core.tuning.study import study_names

    return study_names(_storage(default_storage()))


@st.cache_resource(max_entries=2, show_spinner=False)
def _storage(address: str) -> RDBStorage:
    return open_storage(address)
