"""The Tuning tab of the Fine-tune page: start a study, and choose one to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from fer_core.files import name_from
from fer_core.models import model_spec, network_names
from fer_core.runs.data import ALL_FACES, MIN_FACES, DataSettings
from fer_core.runs.estimate import duration_text
from fer_core.threads import kept
from fer_core.training.recipe import recipe_for
from fer_core.tuning import process
from fer_core.tuning.plan import SETTING_LABELS, SearchSpace, TuningPlan, study_estimate, tunable
from fer_core.tuning.storage import default_storage, may_have_studies, open_storage
from fer_core.types import FerError
from pages.parts.common import emphasis, whole_number, with_code
from pages.parts.finetune.runs import attempt
from pages.parts.finetune.trials import show_study

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

STUDY: Final = "t_study"
"""Key and query parameter of the selected study."""

REFRESH_SECONDS: Final = 2.0


def tuning() -> None:
    """Show the form for a new study, and the selected study."""
    st.markdown(
        "A study tries many settings, each briefly on few faces, and ranks them by their accuracy on the hold-out. "
        "It does not use the test splits."
    )
    try:
        names = _study_names()
    except FerError as error:
        st.error(with_code(str(error)), icon=":material/error:")
        return
    with st.expander("New study", icon=":material/add:", expanded=not names):
        _new_study(names)
    if names:
        name = st.selectbox("Study", names, key=STUDY, bind="query-params", width=400)
        _live(str(name))


def _live(name: str) -> None:
    """Show a study, refreshed while a process works on it."""
    working = process.working(name)

    def refresh() -> None:
        if process.working(name) != working:
            st.rerun()  # refreshing has to start or to end
        try:
            from fer_core.tuning.study import open_study

            show_study(open_study(name, _storage(default_storage())), working)
        except FerError as error:
            st.error(with_code(str(error)), icon=":material/error:")

    st.fragment(refresh, run_every=REFRESH_SECONDS if working else None)()


def _new_study(names: list[str]) -> None:
    with st.grid(4, min_column_width=150):
        titles = {name: model_spec(name).title for name in network_names()}
        model = st.selectbox("Network", titles, format_func=titles.__getitem__, key="t_model", bind="query-params")
        faces = whole_number("Faces per trial", MIN_FACES, ALL_FACES, 3000, "t_faces", step=500)
        epochs = whole_number("Epochs per trial", 1, 50, 6, "t_epochs")
        trials = whole_number("Trials", 1, 500, 20, "t_trials")
    spec = model_spec(str(model))
    recipe = recipe_for(spec)
    choices = tunable(spec)
    vary = st.pills(
        "Settings to vary",
        choices,
        selection_mode="multi",
        default=choices,
        key=f"t_vary_{len(choices)}",
        format_func=SETTING_LABELS.__getitem__,
    )
    suggestion = next(name for number in range(1, 1000) if (name := f"{name_from(spec.name)}_{number}") not in names)
    given = st.text_input("Name of the study", placeholder=suggestion, max_chars=60, key="t_name")
    try:
        space = SearchSpace.around(spec, recipe, vary)
        data = DataSettings("fer2013", faces)
        plan = TuningPlan(name_from(given) if given.strip() else suggestion, spec, recipe, data, epochs, space)
    except FerError as error:
        st.warning(with_code(str(error)), icon=":material/warning:")
        return
    st.button(
        "Start the study",
        type=emphasis(),
        icon=":material/play_arrow:",
        key="t_go",
        on_click=attempt,
        args=(lambda: _begin(plan, trials),),
    )
    time = study_estimate(plan, trials)
    st.caption(
        f"Takes at most {duration_text(time.seconds)}, less if poor trials stop early. {time.basis} For own pictures, "
        "other ranges, or several computers at once: `fer-lab tune --help`."
    )


def _begin(plan: TuningPlan, trials: int) -> None:
    """Store a new study, start a process that works on it, and select it."""
    from fer_core.tuning.study import create_study

    create_study(plan, _storage(default_storage())).request(trials)
    process.start(plan.name, trials)
    st.session_state[STUDY] = plan.name


def _study_names() -> list[str]:
    """Return the names of the studies. Optuna is not imported before there is one."""
    if not may_have_studies():
        return []
    with st.spinner("Reading the studies"):
        from fer_core.tuning.study import study_names

        return study_names(_storage(default_storage()))


@kept(2)
def _storage(address: str) -> RDBStorage:
    return open_storage(address)
