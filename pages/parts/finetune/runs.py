"""All runs, and one of them live: state, progress, growing curves, log, and what can be done with it."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.comparison import training_curves
from fer_core.figures import training_chart
from fer_core.runs.estimate import words_for
from fer_core.runs.folder import Run, list_runs
from fer_core.runs.queue import delete, resume, stop
from fer_core.runs.status import STATE_WORDS, Status
from fer_core.types import FerError
from pages.parts.analysis import plain, warn

CHOSEN: Final = "f_run"
"""Query parameter: the ids of the runs on show; the first is the one that the page is about."""

LAST: Final = "f_last_runs"
"""The same, for who leaves the page and comes back without them in the address."""

ERROR: Final = "f_error"
"""Where a callback leaves the sentence that says what went wrong."""

EVERY: Final = 1.0
"""Seconds between two looks at runs that work."""

LOOKS: Final[dict[str, tuple[str, Any]]] = {
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


def all_runs() -> list[Run]:
    """Return all runs, newest first; say which folders are damaged."""
    try:
        runs, complaints = list_runs()
    except FerError as error:
        runs, complaints = [], [str(error)]
    warn(complaints, "Some runs are skipped:")
    return runs


def choose(runs: list[Run]) -> list[Run]:
    """List all runs with their states and let some be chosen; without a choice, the newest is.

    Returns:
        The chosen ones, in the order of the list.
    """
    ids = [run.id for run in runs]
    asked = st.query_params.get_all(CHOSEN) or st.session_state.get(LAST, [])
    wanted = set(asked) & set(ids) or {ids[0]}
    st.session_state[LAST] = asked
    key = f"f_list_{hash(tuple(ids))}"  # another list forgets which rows were chosen: they are counted by place

    def remember() -> None:
        rows = st.session_state[key].selection.rows
        st.query_params[CHOSEN] = st.session_state[LAST] = [ids[row] for row in rows]

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
        st.caption("Tick several to lay their curves over each other.")
    return [run for run in runs if run.id in wanted]


def live(runs: list[Run]) -> None:
    """Show the first run, and the curves of all, renewing itself while one of them works."""
    seen = {run.id: run.status().state for run in runs}
    working = any(run.status().active for run in runs)
    st.fragment(_live, run_every=EVERY if working else None)(runs, seen)


def _live(runs: list[Run], seen: dict[str, str]) -> None:
    statuses = [run.status() for run in runs]
    if any(status.state != seen[run.id] for run, status in zip(runs, statuses, strict=True)):
        st.rerun()  # the list and the result below change too
    run, status = runs[0], statuses[0]
    icon, color = LOOKS[status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(run.title), width="content")
        st.badge(STATE_WORDS[status.state], icon=icon, color=color)
        _actions(run, status)
    _progress(status)
    _numbers(run, status)
    warn(list(status.warnings), "About its faces:")
    _curves(runs, statuses)
    with st.expander("Log", icon=":material/article:"):
        st.code(run.log() or "Nothing was written yet.", language=None, height=260)


def _progress(status: Status) -> None:
    """Say how far it is, or what became of it."""
    if status.active:
        left = f", {words_for(status.seconds_left)} left" if status.seconds_left is not None else ""
        what = "Stopping after this step" if status.stopping else status.message.rstrip(".")
        st.progress(status.fraction, f"{plain(what)}{left}")
    elif status.state in ("failed", "interrupted"):
        st.error(plain(status.message), icon=LOOKS[status.state][0])
    else:
        st.caption(plain(status.message))


def _numbers(run: Run, status: Status) -> None:
    best = best_on_holdout(run)
    epochs = status.epochs or run.plan.recipe.epochs
    with st.container(horizontal=True):
        st.metric("Epoch", f"{status.epoch} of {epochs}", border=True)
        st.metric("Best on hold-out", "–" if best is None else f"{best:.1%}", border=True)
        st.metric("Worked for", _clock(status.seconds), border=True)
        memory = f"{status.peak_memory / 1e9:.1f} GB" if status.peak_memory else "–"
        st.metric("Peak memory", memory, border=True)


def _curves(runs: list[Run], statuses: list[Status]) -> None:
    titles = _told_apart(runs)
    tables = [training_curves(run.history(), titles[run.id], run.id) for run in runs]
    history = pd.concat(tables, ignore_index=True).dropna()
    if history.empty:
        st.caption("The curves begin after the first epoch.")
        return
    epochs = max(status.epochs or run.plan.recipe.epochs for run, status in zip(runs, statuses, strict=True))
    with st.grid(2, min_column_width=330):
        for what in ("accuracy", "loss"):
            st.altair_chart(
                training_chart(history, what, epochs),
                key=f"f_curve_{what}",
                alt=f"{what.title()} over the epochs of {', '.join(titles.values())}",  # another alt draws it anew
            )
    st.caption("Solid: on the faces it learns from, as they are varied. Dashed: on the hold-out.")


def _actions(run: Run, status: Status) -> None:
    """Offer what can be done with a run now."""
    if status.can_stop and st.button("Stop", icon=":material/stop_circle:", key="f_stop"):
        _do(lambda: stop(run))
    if status.can_resume and st.button("Resume", icon=":material/play_circle:", type="primary", key="f_resume"):
        _do(lambda: resume(run))
    if status.can_delete:
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(f"**{plain(run.title)}** and its result are deleted for good. A model that you promoted stays.")
            if st.button("Delete for good", type="primary", key=f"f_delete_{run.id}"):
                _do(lambda: delete(run))


def _do(act: Any) -> None:
    """Act, keep what went wrong for the page to say, and show the page anew."""
    try:
        act()
    except FerError as error:
        st.session_state[ERROR] = str(error)
    st.rerun()


def best_on_holdout(run: Run) -> float | None:
    """Return a run's best accuracy on its hold-out so far."""
    history = run.history()
    return float(history["val_accuracy"].max()) if "val_accuracy" in history else None


def _row(run: Run) -> dict[str, Any]:
    status, best = run.status(), best_on_holdout(run)
    return {
        "Run": run.title,
        "State": STATE_WORDS[status.state],
        "Best on hold-out": "–" if best is None else f"{best:.1%}",
        "Epochs": f"{status.epoch} of {status.epochs or run.plan.recipe.epochs}",
        "Network": run.plan.spec.name,
        "Started": run.created.astimezone().replace(tzinfo=None),
    }


def _told_apart(runs: list[Run]) -> dict[str, str]:
    """Return a title for each run; those that share one get their place in the list too."""
    titles = [run.title for run in runs]
    return {
        run.id: f"{run.title} ({place})" if titles.count(run.title) > 1 else run.title
        for place, run in enumerate(runs, 1)
    }


def _clock(seconds: float) -> str:
    """Return a time that people read: "8 s", "3:05 min"."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02d} min"
