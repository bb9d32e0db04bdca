"""The Tuning tab of the Fine-tune page: start a study, and see its progress, best settings and trials."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from fer_core.columns import PERCENT, Columns
from fer_core.files import name_from
from fer_core.models import model_spec, network_names
from fer_core.runs.data import ALL_FACES, MIN_FACES, DataSettings
from fer_core.runs.estimate import duration_text
from fer_core.threads import kept
from fer_core.training.recipe import recipe_for
from fer_core.tuning import worker
from fer_core.tuning.plan import (
    SETTING_LABELS,
    STORED,
    USUAL,
    SearchSpace,
    TuningPlan,
    default_storage,
    may_have_studies,
    study_estimate,
    tunable,
)
from fer_core.types import FerError
from fer_core.visitors import limits
from pages.parts.charts import show_chart
from pages.parts.common import attempt, choose, emphasis, explain, plain, show_table, warn, whole_number, with_code
from pages.parts.data import computed
from pages.parts.runs import start

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

    from fer_core.tuning.study import TuningStudy

PAPERS: Final = "The paper’s final model"
STUDY: Final = "t_study"  # key and query parameter of the selected study
MORE_TRIALS: Final = 10  # to add to a study that has as many as were asked for
REFRESH_SECONDS: Final = 2.0
FRACTIONS: Final = ("learning_rate", "strength", "label_smoothing")


def tuning() -> None:
    """Show the form for a new study, and the selected study."""
    st.markdown(
        "A study tries many settings, each briefly on few faces, and ranks them by their accuracy on the hold-out. "
        "It does not use the test splits."
    )
    names: list[str] = []
    try:
        if may_have_studies():
            with st.spinner("Reading the studies"):
                names = _studies().study_names(_storage(default_storage()))
    except FerError as error:
        st.error(with_code(str(error)), icon=":material/error:")
        return
    with st.expander("New study", icon=":material/add:", expanded=not names):
        _new_study(names)
    if STORED.is_file():
        names.append(PAPERS)
    if names:
        name = st.selectbox("Study", names, key=STUDY, bind="query-params", width=400)
        if name == PAPERS:
            _outcome(_studies().read_study(STORED))
        else:
            _live(str(name))


def _studies() -> ModuleType:
    """Return the module of studies. Optuna is not imported before there is one."""
    from fer_core.tuning import study

    return study


@kept(2)
def _storage(address: str) -> RDBStorage:
    return _studies().open_storage(address)


def _new_study(names: list[str]) -> None:
    with st.grid(4, min_column_width=150):
        titles = {name: model_spec(name).title for name in network_names()}
        model = st.selectbox("Network", titles, format_func=titles.__getitem__, key="t_model", bind="query-params")
        faces = whole_number("Faces per trial", MIN_FACES, ALL_FACES, 3000, "t_faces", step=500)
        epochs = whole_number("Epochs per trial", 1, 50, 6, "t_epochs")
        trials = whole_number("Trials", 1, 500, 20, "t_trials")
    spec = model_spec(str(model))
    recipe, choices = recipe_for(spec), tunable(spec)
    usual = [name for name in choices if name in USUAL]
    settings: Any = {"default": usual, "key": f"t_vary_{len(choices)}", "format_func": SETTING_LABELS.__getitem__}
    vary = st.pills("Settings to vary", choices, selection_mode="multi", **settings)
    name = next(name for number in range(1, 1000) if (name := f"{name_from(spec.name)}_{number}") not in names)
    try:
        space = SearchSpace.around(spec, recipe, vary)
        plan = TuningPlan(name, spec, recipe, DataSettings("fer2013", faces), epochs, space)
    except FerError as error:
        warn([str(error)])
        return

    def begin() -> None:
        _studies().create_study(plan, _storage(default_storage())).request(trials)
        worker.start(plan.name, trials)
        st.session_state[STUDY] = plan.name

    icon = ":material/play_arrow:"
    st.button("Start the study", type=emphasis(), icon=icon, key="t_go", on_click=attempt, args=(begin,))
    time = study_estimate(plan, trials)
    st.caption(
        f"Takes at most {duration_text(time.seconds)}, less if poor trials stop early. {time.basis} For own pictures, "
        "other ranges, or several computers at once: `fer-lab tune --help`."
    )


def _live(name: str) -> None:
    """Show a study, refreshed while a process works on it."""
    working = worker.working(name)

    def refresh() -> None:
        if worker.working(name) != working:
            st.rerun()  # refreshing has to start or to end
        try:
            _study(_studies().open_study(name, _storage(default_storage())), working)
        except FerError as error:
            st.error(with_code(str(error)), icon=":material/error:")

    st.fragment(refresh, run_every=REFRESH_SECONDS if working else None)()


def _study(study: TuningStudy, working: bool) -> None:
    """Show a study; `working` says whether a process of this computer works on it."""
    trials, ended, plan = study.trials(), study.ended(), study.plan
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(study.name), width="content")
        st.badge("Working" if working else "Not running", icon=":material/tune:", color="blue" if working else "gray")
        if working:
            icon, words = ":material/stop_circle:", "The trials that have ended are kept."
            if st.button("Stop", icon=icon, key="t_stop", on_click=worker.stop, args=(study.name,), help=words):
                st.toast("It stops after the current step.", icon=icon)
        else:
            icon, goal = ":material/play_circle:", study.requested if ended < study.requested else ended + MORE_TRIALS
            more = (lambda: worker.start(study.name, goal),)
            if st.button(f"Continue to {goal} trials", icon=icon, key="t_more", on_click=attempt, args=more):
                st.rerun()  # the whole page, because this fragment does not refresh itself yet
    if working:
        current = ", ".join(
            f"trial {row.trial} after epoch {row.epochs} of {plan.epochs}"
            for row in trials[trials["state"] == "working"].itertuples()
        )
        share = min(1.0, ended / max(study.requested, 1))
        st.progress(share, f"{ended} of {study.requested} trials: {current or 'getting ready'}")
    elif (last := worker.log(study.name, 1)).startswith("Error:"):
        st.error(plain(last.removeprefix("Error:").strip()), icon=":material/error:")
    _outcome(study)
    with st.expander("Log", icon=":material/article:"):
        st.code(worker.log(study.name, 200) or "There is no log on this computer.", language=None, height=260)


def _outcome(study: TuningStudy) -> None:
    """Show what the trials of a study have found so far."""
    plan = study.plan
    varied = {name: SETTING_LABELS[name] for name in plan.space.varied}
    words = ", ".join(varied.values()).lower()
    st.caption(f"{plain(plan.spec.title)}, {plan.epochs} epochs per trial, varying {words}.")
    with suppress(FerError):  # no trial has ended well
        st.markdown(f"#### {study.best_in_words()}")
        words, icon = "Train the best on all data as a run", ":material/model_training:"
        click: Any = {"on_click": start, "args": (study.best_plan(),), "kwargs": {"leave": True}}
        if st.button(words, type=emphasis(), icon=icon, key="t_train", **click):
            st.rerun()  # the whole page, because another tab opens
        st.caption(
            f"The run takes {plan.recipe.epochs} epochs on all faces. Settings that are best after few epochs on few "
            "faces are usually good there too, but not always. The best accuracy of many trials is slightly too high "
            "as an estimate; the test splits of the run are not affected."
        )
    if study.ended():
        _charts(study)
        trials = study.trials()
        columns: Columns = {
            "trial": "Trial",
            "state": "Outcome",
            "accuracy": ("Hold-out accuracy", PERCENT),
            "epochs": "Epochs",
            "seconds": ("Seconds", "%.0f"),
            **({"note": "Note"} if trials["note"].any() else {}),
            **{name: (title, "%.2g") if name in FRACTIONS else title for name, title in varied.items()},
        }
        alt, height = f"{len(trials)} trials with their settings and outcomes", "content" if len(trials) < 10 else 380
        show_table(trials, alt, columns, height=height, key="t_table")


def papers_study() -> None:
    """Show what was tried and chosen for the paper's final model, where such a study is stored and can be read."""
    if STORED.is_file() and find_spec("optuna"):
        study = _studies().read_study(STORED)
        st.markdown("**Learning rate and patience, tuned on validation**")
        st.markdown(
            f"{study.best_in_words()} {study.ended()} trials of {study.plan.spec.title}, each at "
            f"most {study.plan.epochs} epochs on {study.plan.data.faces:,} faces."
            f"{'' if limits() else ' All trials: Fine-tune, Tuning.'}"
        )
        _by_setting(study, study.plan.space.varied[0], "t_papers_study")


def _charts(study: TuningStudy) -> None:
    with st.grid(2, min_column_width=330):
        with st.container():
            st.markdown("**Accuracy of each trial by the label**; the line is the best so far")
            show_chart(study.history_chart(), "Hold-out accuracy of the trials", key="t_history")
        with st.container():
            st.markdown("**Importance of each setting**")
            try:
                chart = computed(type(study).importance_chart, study)
                show_chart(chart, "Importance of each setting", key="t_importance")
                explain("Importance of a setting", "")
            except FerError as error:
                st.info(with_code(str(error)), icon=":material/info:")
    varied = study.plan.space.varied
    setting = choose("Accuracy by", varied, f"t_by_{'_'.join(varied)}", format_func=SETTING_LABELS.__getitem__)
    _by_setting(study, setting, f"t_by_chart_{setting}")


def _by_setting(study: TuningStudy, setting: str, key: str) -> None:
    alt = f"Hold-out accuracy of each trial by {SETTING_LABELS[setting].lower()}"
    show_chart(study.setting_chart(setting), alt, key=key)
