"""One tuning study: its progress, the best settings, the importance of each setting, and all trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import streamlit as st

from fer_core.figures.tuning import importance_bars, setting_chart, tuning_history
from fer_core.tuning import process
from fer_core.tuning.plan import SETTING_LABELS
from fer_core.tuning.storage import default_storage
from fer_core.types import FerError
from pages.parts.charts import show_chart
from pages.parts.common import emphasis, plain, with_code
from pages.parts.explanations import explain
from pages.parts.finetune.runs import attempt, start

if TYPE_CHECKING:
    from fer_core.tuning.study import TuningStudy

MORE_TRIALS: Final = 10
"""Trials to add to a study that has as many as were asked for."""


def show_study(study: TuningStudy, working: bool) -> None:
    """Show a study; `working` says whether a process of this computer works on it."""
    trials = study.trials()
    ended = study.ended()
    plan = study.plan
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(study.name), width="content")
        st.badge("Working" if working else "Not running", icon=":material/tune:", color="blue" if working else "gray")
        if working:
            _stop_button(study)
        else:
            _continue_button(study, study.requested if ended < study.requested else ended + MORE_TRIALS)
    varied = ", ".join(map(_label, plan.space.varied))
    st.caption(f"{plain(plan.spec.title)}, {plan.epochs} epochs per trial, varying {varied}.")
    _progress(study, trials, ended, working)
    counts = trials["state"].value_counts()
    try:
        best = study.best()
        reached = f"{best.value:.1%}"
    except FerError:
        best, reached = None, "–"
    with st.container(horizontal=True):
        st.metric("Best on hold-out, by label", reached, border=True)
        for state in ("finished", "stopped early", "failed"):
            st.metric(state.capitalize(), int(counts.get(state, 0)), border=True)
    if best is not None:
        _best(study, best)
    if ended:
        _charts(study, trials)
        _table(trials, plan.space.varied)
    with st.expander("Log", icon=":material/article:"):
        st.code(process.log(study.name, 200) or "There is no log on this computer.", language=None, height=260)


def _stop_button(study: TuningStudy) -> None:
    stopped = st.button(
        "Stop",
        icon=":material/stop_circle:",
        key="t_stop",
        on_click=process.stop,
        args=(study.name,),
        help="The trials that have ended are kept.",
    )
    if stopped:
        st.toast("It stops after the current step.", icon=":material/stop_circle:")


def _continue_button(study: TuningStudy, goal: int) -> None:
    started = st.button(
        f"Continue to {goal} trials",
        icon=":material/play_circle:",
        key="t_more",
        on_click=attempt,
        args=(lambda: process.start(study.name, goal),),
    )
    if started:
        st.rerun()  # the whole page, because this fragment does not refresh itself yet


def _progress(study: TuningStudy, trials: pd.DataFrame, ended: int, working: bool) -> None:
    if working:
        goal = max(study.requested, 1)
        current = ", ".join(
            f"trial {row.trial} after epoch {row.epochs} of {study.plan.epochs}"
            for row in trials[trials["state"] == "working"].itertuples()
        )
        st.progress(min(1.0, ended / goal), f"{ended} of {goal} trials: {current or 'getting ready'}")
        return
    last = process.log(study.name, 1)
    if last.startswith("Error:"):
        st.error(plain(last.removeprefix("Error:").strip()), icon=":material/error:")


def _best(study: TuningStudy, best: Any) -> None:
    values = ", ".join(f"{_label(name)} {_value(value)}" for name, value in best.params.items())
    st.markdown(f"**Best: trial {best.number + 1}** with {values}.")
    queued = st.button(
        "Train the best on all data as a run",
        type=emphasis(),
        icon=":material/model_training:",
        key="t_train",
        on_click=start,
        args=(study.best_plan(),),
    )
    if queued:
        st.rerun()  # the whole page, because another tab opens
    st.caption(
        f"The run takes {study.plan.recipe.epochs} epochs on all faces. Settings that are best after few epochs on few "
        "faces are usually good there too, but not always. The best accuracy of many trials is slightly too high as an "
        "estimate; the test splits of the run are not affected."
    )


def _charts(study: TuningStudy, trials: pd.DataFrame) -> None:
    with st.grid(2, min_column_width=330):
        with st.container():
            st.markdown("**Accuracy of each trial by the label**; the line is the best so far")
            show_chart(tuning_history(trials), key="t_history", alt=f"Hold-out accuracy of {len(trials)} trials")
        with st.container():
            st.markdown("**Importance of each setting**")
            try:
                importances = _importances(study, default_storage(), study.name, study.ended())
                shares = {SETTING_LABELS[name]: share for name, share in importances.items()}
                show_chart(importance_bars(shares), key="t_importance", alt=f"Most important: {next(iter(shares))}")
                most, share = next(iter(shares.items()))
                explain("Importance of a setting", f"{most} explains {share:.0%} of the variance in accuracy.")
            except FerError as error:
                st.info(with_code(str(error)), icon=":material/info:")
    varied = study.plan.space.varied
    setting = str(
        st.segmented_control(
            "Accuracy by",
            varied,
            default=varied[0],
            required=True,
            format_func=SETTING_LABELS.__getitem__,
            key=f"t_by_{'_'.join(varied)}",
        )
    )
    show_chart(
        setting_chart(trials, setting, title=SETTING_LABELS[setting]),
        key=f"t_by_chart_{setting}",
        alt=f"Hold-out accuracy of each trial by {_label(setting)}",
    )


def _table(trials: pd.DataFrame, varied: tuple[str, ...]) -> None:
    columns: dict[str, Any] = {
        "trial": st.column_config.NumberColumn("Trial", pinned=True),
        "state": "Outcome",
        "accuracy": st.column_config.NumberColumn("Hold-out accuracy", format="%.1f %%"),
        "epochs": "Epochs",
        "seconds": st.column_config.NumberColumn("Seconds", format="%.0f"),
        "note": st.column_config.TextColumn("Note", width="large"),
        **{name: SETTING_LABELS[name] for name in varied},
    }
    for name in ("learning_rate", "strength", "label_smoothing"):
        columns[name] = st.column_config.NumberColumn(SETTING_LABELS[name], format="%.2g")
    shown = trials.assign(accuracy=100 * trials["accuracy"])
    if not trials["note"].any():
        shown = shown.drop(columns="note")
    st.dataframe(
        shown,
        hide_index=True,
        column_config=columns,
        height="content" if len(trials) < 10 else 380,
        alt=f"{len(trials)} trials with their settings and outcomes",
        key="t_table",
    )


@st.cache_data(max_entries=20, show_spinner="Estimating the importance of each setting …")
def _importances(_study: TuningStudy, *key: object) -> dict[str, float]:  # noqa: ARG001 (identifies the study)
    return _study.importances()


def _label(name: str) -> str:
    return SETTING_LABELS[name].lower()


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("_", " ")
