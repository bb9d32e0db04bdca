"""One study: how far it is, which settings did best, what mattered, and all its trials."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import streamlit as st

from fer_core.figures import importance_bars, setting_chart, tuning_history
from fer_core.runs.plan import RunPlan
from fer_core.tuning import process
from fer_core.tuning.space import WORDS
from fer_core.tuning.storage import default_storage
from fer_core.types import FerError
from pages.parts.analysis import plain

if TYPE_CHECKING:
    from fer_core.tuning.study import TuningStudy

MORE: Final = 10
"""Trials that are added to a study that has all it was asked for."""


def show(study: TuningStudy, works: bool, start: Callable[[RunPlan], None], go_on: Callable[[str, int], None]) -> None:
    """Show a study.

    Args:
        study: which.
        works: whether a process of this computer works on it.
        start: callback that puts a run into the queue.
        go_on: callback that lets a process work on it until it has so many trials.
    """
    trials = study.trials()
    ended = study.ended()
    plan = study.plan
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(study.name), width="content")
        st.badge("Working" if works else "At rest", icon=":material/tune:", color="blue" if works else "gray")
        if works:
            stopped = st.button(
                "Stop", icon=":material/stop_circle:", key="t_stop", on_click=process.stop, args=(study.name,),
                help="The trials that have ended are kept.",
            )  # fmt: skip
            if stopped:
                st.toast("It ends after the step at hand.", icon=":material/stop_circle:")
        else:
            goal = study.wanted if ended < study.wanted else ended + MORE
            again = st.button(
                f"Go on to {goal} trials", icon=":material/play_circle:", key="t_more", on_click=go_on,
                args=(study.name, goal),
            )  # fmt: skip
            if again:
                st.rerun()  # the whole page: this part of it alone would not renew itself
    varied = ", ".join(map(_words, plan.space.varied))
    st.caption(f"{plain(plan.spec.title)}, {plan.epochs} epochs a trial, varying {varied}.")
    _progress(study, trials, ended, works)
    counts = trials["state"].value_counts()
    try:
        best = study.best()
        reached = f"{best.value:.1%}"
    except FerError:
        best, reached = None, "–"
    with st.container(horizontal=True):
        st.metric("Best on hold-out", reached, border=True)
        for state in ("finished", "stopped early", "failed"):
            st.metric(state.capitalize(), int(counts.get(state, 0)), border=True)
    if best is not None:
        _best(study, best, start)
    if ended:
        _charts(study, trials)
        _table(trials, plan.space.varied)
    with st.expander("Log", icon=":material/article:"):
        st.code(process.log(study.name, 200) or "Nothing was written on this computer.", language=None, height=260)


def _progress(study: TuningStudy, trials: pd.DataFrame, ended: int, works: bool) -> None:
    goal = max(study.wanted, 1)
    if works:
        now = trials[trials["state"] == "working"]
        what = ", ".join(
            f"trial {row.trial} after epoch {row.epochs} of {study.plan.epochs}" for row in now.itertuples()
        )
        st.progress(min(1.0, ended / goal), f"{ended} of {goal} trials: {what or 'getting ready'}")
        return
    last = process.log(study.name, 1)
    if last.startswith("Error:"):
        st.error(plain(last.removeprefix("Error:").strip()), icon=":material/error:")


def _best(study: TuningStudy, best: Any, start: Callable[[RunPlan], None]) -> None:
    values = ", ".join(f"{_words(name)} {_shown(value)}" for name, value in best.params.items())
    st.markdown(f"**Best: trial {best.number + 1}** with {values}.")
    queued = st.button(
        "Train the best on all data as a run", type="primary", icon=":material/model_training:", key="t_train",
        on_click=start, args=(study.best_plan(),),
    )  # fmt: skip
    if queued:
        st.rerun()  # the whole page: it may turn to its runs
    st.caption(
        f"The run takes {study.plan.recipe.epochs} epochs over all faces. What did best briefly on few faces usually "
        "does well there too, but not always. Being the best of many, its accuracy here flatters it a little; the "
        "run's own test splits do not."
    )


def _charts(study: TuningStudy, trials: pd.DataFrame) -> None:
    with st.grid(2, min_column_width=330):
        with st.container():
            st.markdown("**Accuracy of each trial**; the line is the best so far")
            st.altair_chart(tuning_history(trials), key="t_history", alt=f"Hold-out accuracy of {len(trials)} trials")
        with st.container():
            st.markdown("**Which settings matter**")
            try:
                shares = {
                    WORDS[name]: share
                    for name, share in _importances(study, default_storage(), study.name, study.ended()).items()
                }
                st.altair_chart(
                    importance_bars(shares), key="t_importance", alt=f"Most important: {next(iter(shares))}"
                )
            except FerError as error:
                st.info(plain(str(error)), icon=":material/info:")
    setting = st.segmented_control(
        "Accuracy by", study.plan.space.varied, default=study.plan.space.varied[0], required=True,
        format_func=WORDS.__getitem__, key=f"t_by_{'_'.join(study.plan.space.varied)}",
    )  # fmt: skip
    chart = setting_chart(trials, str(setting), WORDS[str(setting)])
    st.altair_chart(
        chart, key=f"t_by_chart_{setting}", alt=f"Hold-out accuracy of each trial by {_words(str(setting))}"
    )


def _table(trials: pd.DataFrame, varied: tuple[str, ...]) -> None:
    formats: dict[str, Any] = {
        "trial": st.column_config.NumberColumn("Trial", pinned=True),
        "state": "Outcome",
        "accuracy": st.column_config.NumberColumn("Hold-out accuracy", format="%.1f %%"),
        "epochs": "Epochs",
        "seconds": st.column_config.NumberColumn("Seconds", format="%.0f"),
        "note": st.column_config.TextColumn("Note", width="large"),
        **{name: WORDS[name] for name in varied},
    }
    formats |= {
        name: st.column_config.NumberColumn(WORDS[name], format="%.2g")
        for name in ("learning_rate", "strength", "label_smoothing")
    }
    shown = trials.assign(accuracy=100 * trials["accuracy"])
    if not trials["note"].any():
        shown = shown.drop(columns="note")
    st.dataframe(
        shown, hide_index=True, column_config=formats, height="content" if len(trials) < 10 else 380,
        alt=f"{len(trials)} trials with their settings and outcomes", key="t_table",
    )  # fmt: skip


@st.cache_data(max_entries=20, show_spinner=False)
def _importances(_study: TuningStudy, *key: object) -> dict[str, float]:  # noqa: ARG001 (what names the study)
    return _study.importances()


def _words(name: str) -> str:
    return WORDS[name].lower()


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("_", " ")
