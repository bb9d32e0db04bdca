"""All runs, and the selected ones live: state, progress, training curves, log, and the actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.figures.curves import training_chart
from fer_core.measuring.results import training_curves
from fer_core.runs.estimate import duration_text
from fer_core.runs.queue import delete, resume, stop, submit
from fer_core.runs.run import Run, RunPlan, list_runs
from fer_core.runs.status import STATE_LABELS, Status
from fer_core.types import FerError
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import duration, emphasis, plain, warn, with_code
from pages.parts.explanations import explain

TAB: Final = "f_tab"
"""Key and query parameter of the open tab."""

RUNS_TAB: Final = "Runs"

SELECTED: Final = "f_run"
"""Query parameter: the ids of the selected runs. The page is about the first of them."""

LAST_SELECTED: Final = "f_last_runs"
"""Key of the same ids in the session state, for visitors who come back to the page without them in the address."""

ERROR: Final = "f_error"
"""Key of the error of the last action in the session state."""

REFRESH_SECONDS: Final = 1.0

STATE_STYLES: Final[dict[str, tuple[str, Any]]] = {
    "waiting": (":material/hourglass_empty:", "gray"),
    "preparing": (":material/settings:", "blue"),
    "fitting": (":material/model_training:", "blue"),
    "measuring": (":material/straighten:", "blue"),
    "finished": (":material/check_circle:", "green"),
    "stopped": (":material/pause_circle:", "orange"),
    "failed": (":material/error:", "red"),
    "interrupted": (":material/power_off:", "red"),
}
"""Icon and colour of each state."""


def attempt(action: Callable[[], Any]) -> None:
    """Run an action; if it fails, keep the error for `show_error` in the next run of the page."""
    try:
        action()
    except FerError as error:
        st.session_state[ERROR] = str(error)


def show_error() -> None:
    """Show the error of the last action, once."""
    if ERROR in st.session_state:
        st.error(with_code(st.session_state.pop(ERROR)), icon=":material/error:")


def start(plan: RunPlan) -> None:
    """Put a run into the queue, then select it and open the tab of the runs."""

    def submit_and_select() -> None:
        run = submit(plan)
        st.session_state[TAB] = RUNS_TAB
        st.query_params[SELECTED] = run.id

    attempt(submit_and_select)


def all_runs() -> list[Run]:
    """Return all runs, newest first, and warn of damaged folders."""
    try:
        runs, complaints = list_runs()
    except FerError as error:
        runs, complaints = [], [str(error)]
    warn(complaints, "Some runs are skipped:")
    return runs


def select_runs(runs: list[Run]) -> list[Run]:
    """Show the list of runs and return the selected ones in its order; without a selection, the newest."""
    ids = [run.id for run in runs]
    asked = st.query_params.get_all(SELECTED) or st.session_state.get(LAST_SELECTED, [])
    wanted = set(asked) & set(ids) or {ids[0]}
    st.session_state[LAST_SELECTED] = asked
    key = f"f_list_{hash(tuple(ids))}"  # Streamlit remembers row numbers, which mean other runs in another list

    def remember() -> None:
        rows = st.session_state[key].selection.rows
        st.query_params[SELECTED] = st.session_state[LAST_SELECTED] = [ids[row] for row in rows]

    st.dataframe(
        pd.DataFrame([_row(run) for run in runs]),
        hide_index=True,
        height="content" if len(runs) < 6 else 250,
        key=key,
        on_select=remember,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [k for k, one in enumerate(ids) if one in wanted]}},
        alt=f"{len(runs)} runs and their states",
        column_config={
            "Run": st.column_config.TextColumn(pinned=True),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
        },
    )
    if len(runs) > 1:
        st.caption("Select several to compare their curves.")
    return [run for run in runs if run.id in wanted]


def live(runs: list[Run]) -> None:
    """Show the first run, and the curves of all runs, refreshed while one of them works."""
    states = {run.id: run.status().state for run in runs}
    working = any(run.status().active for run in runs)
    st.fragment(_live, run_every=REFRESH_SECONDS if working else None)(runs, states)


def _live(runs: list[Run], states: dict[str, str]) -> None:
    statuses = [run.status() for run in runs]
    if any(status.state != states[run.id] for run, status in zip(runs, statuses, strict=True)):
        st.rerun()  # the list and the result below change, too
    run, status = runs[0], statuses[0]
    icon, color = STATE_STYLES[status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(run.title), width="content")
        st.badge(STATE_LABELS[status.state], icon=icon, color=color)
        _actions(run, status)
    _progress(status)
    _numbers(run, status)
    warn(list(status.warnings), "About its faces:")
    _curves(runs, statuses)
    with st.expander("Log", icon=":material/article:"):
        st.code(run.log() or "The log is empty.", language=None, height=260)


def _actions(run: Run, status: Status) -> None:
    if status.can_stop and st.button("Stop", icon=":material/stop_circle:", key="f_stop"):
        attempt(lambda: stop(run))
        st.rerun()
    if status.can_resume and st.button("Resume", icon=":material/play_circle:", type=emphasis(), key="f_resume"):
        attempt(lambda: resume(run))
        st.rerun()
    if status.can_delete:
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(f"**{plain(run.title)}** and its result are deleted for good. A promoted model stays.")
            if st.button("Delete for good", type=emphasis(), key=f"f_delete_{run.id}"):
                attempt(lambda: delete(run))
                st.rerun()


def _progress(status: Status) -> None:
    """Show the progress of a working run, or how a run ended."""
    if status.active:
        left = f", {duration_text(status.seconds_left)} left" if status.seconds_left is not None else ""
        step = "Stopping after this step" if status.stopping else status.message.rstrip(".")
        st.progress(status.fraction, f"{plain(step)}{left}")
    elif status.state in ("failed", "interrupted"):
        st.error(plain(status.message), icon=STATE_STYLES[status.state][0])
    else:
        st.caption(plain(status.message))


def _numbers(run: Run, status: Status) -> None:
    memory = f"{status.peak_memory / 1e9:.1f} GB" if status.peak_memory else "–"
    with st.container(horizontal=True):
        st.metric("Epoch", _epochs(run, status), border=True)
        st.metric("Best on hold-out, by label", _best_on_holdout(run), border=True)
        st.metric("Worked for", duration(status.seconds), border=True)
        st.metric("Peak memory", memory, border=True)


def _curves(runs: list[Run], statuses: list[Status]) -> None:
    titles = _distinct_titles(runs)
    tables = [training_curves(run.history(), titles[run.id], run.id) for run in runs]
    history = pd.concat(tables, ignore_index=True).dropna()
    if history.empty:
        st.caption("The curves begin after the first epoch.")
        return
    epochs = max(status.epochs or run.plan.recipe.epochs for run, status in zip(runs, statuses, strict=True))
    show_chart(
        training_chart(history, epochs=epochs, narrow=narrow_screen()),
        key="f_curves",
        # Without numbers: Streamlit builds the chart anew whenever `alt` changes.
        alt=f"Accuracy and loss over the epochs of {', '.join(titles.values())}",
    )
    st.caption("Dotted: training faces, augmented. Solid: hold-out.")
    held = history[(history["faces"] == "hold-out") & (history["what"] == "accuracy")].sort_values("value")
    words = ""
    if not held.empty:
        best = held.iloc[-1]
        words = (
            f"{best['model']} reaches {best['value']:.1%} on the hold-out after epoch {best['epoch']:.0f}, its highest "
            "accuracy by the label so far."
        )
    explain("Training curves", words)


def _row(run: Run) -> dict[str, Any]:
    status = run.status()
    return {
        "Run": run.title,
        "State": STATE_LABELS[status.state],
        "Best on hold-out, by label": _best_on_holdout(run),
        "Epochs": _epochs(run, status),
        "Network": run.plan.spec.title,
        "Started": run.created.astimezone().replace(tzinfo=None),
    }


def _best_on_holdout(run: Run) -> str:
    history = run.history()
    return f"{history['val_accuracy'].max():.1%}" if "val_accuracy" in history else "–"


def _epochs(run: Run, status: Status) -> str:
    return f"{status.epoch} of {status.epochs or run.plan.recipe.epochs}"


def _distinct_titles(runs: list[Run]) -> dict[str, str]:
    """Return a title for each run; runs with the same title get their number in the list."""
    titles = [run.title for run in runs]
    return {
        run.id: f"{run.title} ({number})" if titles.count(run.title) > 1 else run.title
        for number, run in enumerate(runs, 1)
    }
