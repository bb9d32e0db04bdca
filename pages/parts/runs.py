"""All runs, the selected ones live (state, progress, curves, log, actions), and the answer of a finished one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.columns import percent
from fer_core.figures.curves import training_chart
from fer_core.figures.scores import accuracy_intervals, class_scores
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import measured_by_most, recommendation, training_curves
from fer_core.metrics.core import f1_table
from fer_core.metrics.significance import pair_table
from fer_core.runs.estimate import duration_text
from fer_core.runs.queue import delete, resume, stop, submit
from fer_core.runs.run import ONNX, Run, RunPlan, downloads, file_stem, list_runs, onnx_file, promote, suggested_name
from fer_core.runs.status import STATE_LABELS, Status
from fer_core.store.folders import DEFAULT_MODEL, list_models
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from pages.parts import common
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import ERROR, attempt, emphasis, explain, plain, warn
from pages.parts.data import shared
from pages.parts.face import photo_taken
from pages.parts.notice import PHOTO, all_agree

TAB, NEW_TAB, RUNS_TAB = "f_tab", "New run", "Runs"
"""Key and query parameter of the open tab, and the titles of two."""

SELECTED: Final = "f_run"  # query parameter: the ids of the selected runs; the page is about the first of them

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

FORMATS: Final = {".tflite": "LiteRT", ".keras": "Keras", ".onnx": "ONNX"}


def start(plan: RunPlan, *, leave: bool = False) -> None:
    """Put a run into the queue and select it. It is watched in the third column; with `leave`, among the runs."""

    def submit_and_select() -> None:
        st.query_params[SELECTED] = submit(plan).id
        if leave:
            open_runs()

    attempt(submit_and_select)


def open_runs() -> None:
    """Open the tab of the runs."""
    st.session_state[TAB] = RUNS_TAB


def try_newest(runs: list[Run]) -> None:
    """Show how the newest run is doing, and once it has finished, what its model says of the visitor's own face."""
    if not runs:
        st.caption("Once the training has ended, try the model here on your own face.")
        return
    run = runs[0]
    model = run.result()
    if model is None:
        live([run], whole=False)
    else:
        st.markdown(f"**{plain(run.title)}**")
        if all_agree(PHOTO, "f_agree") and (taken := st.camera_input("Your face", key="f_try")):
            photo_taken(taken, model, key="f_try_faces")
    st.button("Curves and results", icon=":material/monitoring:", on_click=open_runs, key="f_open_runs")


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
    selected = set(st.query_params.get_all(SELECTED)) & set(ids) or {ids[0]}
    key = f"f_list_{hash(tuple(ids))}"  # Streamlit remembers row numbers, which mean other runs in another list

    def remember() -> None:
        st.query_params[SELECTED] = [ids[row] for row in st.session_state[key].selection.rows]

    st.dataframe(
        pd.DataFrame([_row(run) for run in runs]),
        hide_index=True,
        height="content" if len(runs) < 5 else 180,
        key=key,
        on_select=remember,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [row for row, run_id in enumerate(ids) if run_id in selected]}},
        alt=f"{len(runs)} runs and their states",
        column_config={
            "Run": st.column_config.TextColumn(pinned=True),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
        },
    )
    if len(runs) > 1:
        st.caption("Select several to compare their curves.")
    return [run for run in runs if run.id in selected]


def _row(run: Run) -> dict[str, Any]:
    status = run.status()
    return {
        "Run": run.title,
        "State": STATE_LABELS[status.state],
        "Best on hold-out, by label": percent(run.best_accuracy, ".1%"),
        "Epochs": f"{status.epoch} of {_epochs(run, status)}",
        "Network": run.plan.spec.title,
        "Started": run.created.astimezone().replace(tzinfo=None),
    }


def _epochs(run: Run, status: Status) -> int:
    return status.epochs or run.plan.recipe.epochs


def live(runs: list[Run], *, whole: bool = True) -> None:
    """Show the first run, and if `whole` the curves of all runs, refreshed while one of them works."""
    states = [run.status().state for run in runs]
    working = any(run.status().active for run in runs)
    st.fragment(_live, run_every=REFRESH_SECONDS if working else None)(runs, states, whole)


def _live(runs: list[Run], states: list[str], whole: bool) -> None:
    statuses = [run.status() for run in runs]
    if [status.state for status in statuses] != states:
        st.rerun()  # the list changes, too
    run, status = runs[0], statuses[0]
    icon, color = STATE_STYLES[status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(run.title), width="content")
        st.badge(STATE_LABELS[status.state], icon=icon, color=color)
        _actions(run, status)
    warn(st.session_state.pop(ERROR, []))
    if status.active:
        left = f", {duration_text(status.seconds_left)} left" if status.seconds_left is not None else ""
        step = "Stopping after this step" if status.stopping else status.message.rstrip(".")
        st.progress(status.fraction, f"{plain(step)}{left}")
    elif status.state in ("failed", "interrupted"):
        st.error(plain(status.message), icon=icon)
    elif status.state == "stopped":
        st.caption(plain(status.message))
    elif (model := run.result()) is None:
        words = "The result of this run is missing or damaged. Delete the run and train again."
        st.warning(words, icon=":material/warning:")
    else:
        _answer(run, model)
    if whole:
        warn(list(status.warnings), "About its faces:")
        memory = f", {status.peak_memory / 1e9:.1f} GB of memory at most" if status.peak_memory else ""
        summary = (
            f"{status.epoch} of {_epochs(run, status)} epochs in {common.duration(status.seconds)}{memory}. "
            f"Best on the hold-out, by the label: {percent(run.best_accuracy, '.1%')}."
        )
        _curves(runs, max(map(_epochs, runs, statuses)), summary)
        with st.expander("Log", icon=":material/article:"):
            st.code(run.log() or "The log is empty.", language=None, height=260)


def _actions(run: Run, status: Status) -> None:
    """Offer what can be done with a run now, and link to the models that its result was promoted to."""

    def button(label: str, icon: str, key: str, action: Callable[[Run], object], **settings: Any) -> None:
        st.button(label, icon=f":material/{icon}:", key=key, on_click=attempt, args=(partial(action, run),), **settings)

    if status.can_stop:
        button("Stop", "stop_circle", "f_stop", stop)
    if status.can_resume:
        button("Resume", "play_circle", "f_resume", resume, type=emphasis())
    if run.result() is not None:
        titles, name = common.model_titles(stored := list_models()[0]), f"f_name_{run.id}"
        for model in (model for model in stored if model.card.promoted_from == run.id):
            label, query = f"Try {plain(model.title)} on Predict", {"p_models": plain(titles[model.name])}
            st.page_link("pages/predict.py", label=label, icon=":material/verified:", query_params=query)
        promote_now = (lambda: promote(run, st.session_state[name].strip(), title=run.title[:80]),)
        with st.popover("Promote: use it on every page", icon=":material/publish:"), st.form("f_promote", border=False):
            st.text_input("Name", suggested_name(run), max_chars=60, key=name)
            click: Any = {"on_click": attempt, "args": promote_now, "key": "f_promote_now"}
            st.form_submit_button("Promote", type=emphasis(), **click)
    if status.can_delete:
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(f"**{plain(run.title)}** and its result are deleted for good. A promoted model stays.")
            button("Delete for good", "delete", f"f_delete_{run.id}", delete, type=emphasis())


def _curves(runs: list[Run], epochs: int, summary: str) -> None:
    titles = [run.title for run in runs]
    distinct = [  # runs with the same title get their number in the list
        f"{title} ({number})" if titles.count(title) > 1 else title for number, title in enumerate(titles, 1)
    ]
    tables = [training_curves(run.history(), title, run.id) for run, title in zip(runs, distinct, strict=True)]
    history = pd.concat(tables, ignore_index=True).dropna()
    if history.empty:
        st.caption(f"{summary} The curves begin after the first epoch.")
        return
    # Without numbers: Streamlit builds the chart anew whenever `alt` changes.
    alt = f"Accuracy and loss over the epochs of {', '.join(distinct)}"
    show_chart(training_chart(history, epochs=epochs, narrow=narrow_screen()), alt, key="f_curves")
    st.caption(f"{summary} Dotted: training faces, augmented. Solid: hold-out.")
    explain("Training curves", summary)


def _answer(run: Run, model: StoredModel) -> None:
    """Say how good the model of a finished run is, beside the one where it started, or the default one."""
    card = model.card
    if not card.tested:
        share = percent((card.served or {}).get("holdout_accuracy", {}).get((card.served or {}).get("storage")), ".1%")
        st.markdown(f"#### {plain(run.title)} is right on {share} of the faces that were held out of its training.")
        why = "FER2013’s test faces were not available when it was trained: `fer-lab data download` gets them."
        if card.classes != EXPRESSIONS:
            why = f"FER2013 does not have its classes: {plain(', '.join(card.classes))}."
        st.info(
            f"Measured only on its hold-out of {card.training.get('holdout_faces', 'some')} faces, which show the same "
            f"people and places as the training faces: expect a lower accuracy elsewhere. {why}",
            icon=":material/info:",
        )
        _downloads(run)
        return
    stored = {model.name: model for model in list_models()[0]}
    origin = run.plan.spec.weights_from
    other = stored.get(origin) or stored.get(DEFAULT_MODEL)
    mine = replace(model, card=replace(card, title=run.title))
    named = {"this run": mine, **({} if other is None else {"the other": other})}  # both may have the same name
    answers, numbers, complaints = shared(measured_by_most, [replace(each, name=name) for name, each in named.items()])
    warn(complaints, "Some predictions cannot be used:")
    if answers is None:
        return
    rows: list[dict[str, Any]] = [
        {"model": answers.titles[name], "split": answers.split, "accuracy": metrics.accuracy, **vars(ends["accuracy"])}
        for name, (metrics, ends) in numbers.items()
    ]
    reached = ", ".join(f"{row['model']} {percent(row['accuracy'], '.1%')}" for row in rows)
    pairs = pair_table(answers)
    verdict = f"judged by {answers.judge}" if pairs.empty else pairs.iloc[0]["verdict"]
    st.markdown(f"#### {plain(f'{reached}: {verdict}.')}")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        show_chart(accuracy_intervals(pd.DataFrame(rows)), f"Accuracy: {reached}", key="f_accuracy")
        started = f" {plain(other.title)} is where it started." if other and other.name == origin else ""
        score = "" if other is None else f" {plain(recommendation(mine, other))}"
        st.caption(f"{answers.where}, {len(answers.labels):,} faces, with 95 % intervals.{started}{score}")
        explain("Accuracy", f"{reached}.")
    with right:
        scores = class_scores(f1_table(answers, numbers), narrow=narrow_screen())
        show_chart(scores, "F1 by expression with 95 % intervals", key="f_classes")
    _downloads(run)


def _downloads(run: Run) -> None:
    """Offer the files of the result; the ONNX file is written on demand, in another process."""
    files, name = downloads(run), file_stem(run)
    if (run.folder / ONNX).is_file():
        files[ONNX] = run.folder / ONNX
    with st.container(horizontal=True):
        for path in files.values():
            label = f"{FORMATS[path.suffix]}, {path.stat().st_size / 1e6:.1f} MB"
            mime, key = "application/octet-stream", f"f_download_{path.suffix}"
            common.offer_download(label, path.read_bytes, f"{name}{path.suffix}", mime, "download", key)
        words = "LiteRT is used here and on phones, Keras in notebooks, ONNX elsewhere."
        write = ONNX not in files and st.button("Write as ONNX", icon=":material/transform:", key="f_onnx", help=words)
    if write:
        with st.spinner("Writing ONNX in another process: about twenty seconds"):
            attempt(lambda: onnx_file(run))
        st.rerun()
