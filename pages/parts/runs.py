"""All runs, the selected ones live (state, progress, curves, log, actions), and the result of a finished one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.columns import TEST_SPLITS, YARDSTICKS, percent
from fer_core.figures.curves import training_chart
from fer_core.figures.matrices import confusion_chart
from fer_core.figures.scores import class_scores
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions, recommendation, training_curves
from fer_core.metrics.confusion import confusion_cells
from fer_core.metrics.core import METRICS, Measured, f1_table, measure_models
from fer_core.metrics.predictions import Predictions
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
from pages.parts.common import attempt, emphasis, explain, plain, warn
from pages.parts.data import shared
from pages.parts.face import photo_taken
from pages.parts.notice import PHOTO, all_agree

TAB, NEW_TAB, RUNS_TAB = "f_tab", "New run", "Runs"
"""Key and query parameter of the open tab, and the titles of two."""

SELECTED, LAST_SELECTED = "f_run", "f_last_runs"
"""The ids of the selected runs: as query parameter, and in the session state for visitors who come back to the page
without them in the address. The page is about the first of them."""

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

RESULT, OTHER = "this run", "the other"  # keys of the two models that are compared, which may have the same name
FORMATS: Final = {".tflite": "LiteRT", ".keras": "Keras", ".onnx": "ONNX"}


def start(plan: RunPlan, *, leave: bool = False) -> None:
    """Put a run into the queue and select it. It is watched in the third column; with `leave`, among the runs."""

    def submit_and_select() -> None:
        st.query_params[SELECTED] = submit(plan).id
        if leave:
            open_runs()

    attempt(submit_and_select)


def try_newest(runs: list[Run]) -> None:
    """Show how the newest run is doing, and once it has finished, what its model says of the visitor's own face."""
    if not runs:
        st.caption("Once the training has ended, try the model here on your own face.")
        return
    run = runs[0]
    status, model = run.status(), run.result()
    if status.state != "finished" or model is None:
        st.fragment(_progress, run_every=REFRESH_SECONDS if status.active else None)(run, status.state)
    else:
        st.markdown(f"**{plain(run.title)}**")
        if all_agree(PHOTO, "f_agree") and (taken := st.camera_input("Your face", key="f_try")):
            photo_taken(taken, model, key="f_try_faces")
    st.button("Curves and results", icon=":material/monitoring:", on_click=open_runs, key="f_open_runs")


def open_runs() -> None:
    """Open the tab of the runs."""
    st.session_state[TAB] = RUNS_TAB


def _progress(run: Run, state: str) -> None:
    status = run.status()
    if status.state != state:
        st.rerun()
    icon, color = STATE_STYLES[status.state]
    st.markdown(f"**{plain(run.title)}**")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(STATE_LABELS[status.state], icon=icon, color=color)
        _actions(run, status)
    _state(status)


def _state(status: Status) -> None:
    if status.active:
        left = f", {duration_text(status.seconds_left)} left" if status.seconds_left is not None else ""
        step = "Stopping after this step" if status.stopping else status.message.rstrip(".")
        st.progress(status.fraction, f"{plain(step)}{left}")
    elif status.state in ("failed", "interrupted"):
        st.error(plain(status.message), icon=STATE_STYLES[status.state][0])
    else:
        st.caption(plain(status.message))


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
    selected = set(asked) & set(ids) or {ids[0]}
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
        "Best on hold-out, by label": _best_on_holdout(run),
        "Epochs": _epochs(run, status),
        "Network": run.plan.spec.title,
        "Started": run.created.astimezone().replace(tzinfo=None),
    }


def _best_on_holdout(run: Run) -> str:
    history = run.history()
    return percent(history["val_accuracy"].max(), ".1%") if "val_accuracy" in history else "–"


def _epochs(run: Run, status: Status) -> str:
    return f"{status.epoch} of {status.epochs or run.plan.recipe.epochs}"


def live(runs: list[Run]) -> None:
    """Show the first run, and the curves of all runs, refreshed while one of them works."""
    states = [run.status().state for run in runs]
    working = any(run.status().active for run in runs)
    st.fragment(_live, run_every=REFRESH_SECONDS if working else None)(runs, states)


def _live(runs: list[Run], states: list[str]) -> None:
    statuses = [run.status() for run in runs]
    if [status.state for status in statuses] != states:
        st.rerun()  # the list and the result below change, too
    run, status = runs[0], statuses[0]
    icon, color = STATE_STYLES[status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(run.title), width="content")
        st.badge(STATE_LABELS[status.state], icon=icon, color=color)
        _actions(run, status)
    if status.state == "finished":
        _answer(run)
    else:
        _state(status)
    with st.container(horizontal=True):
        st.metric("Epoch", _epochs(run, status), border=True)
        st.metric("Best on hold-out, by label", _best_on_holdout(run), border=True)
        st.metric("Worked for", common.duration(status.seconds), border=True)
        memory = f"{status.peak_memory / 1e9:.1f} GB" if status.peak_memory else "–"
        st.metric("Peak memory", memory, border=True)
    warn(list(status.warnings), "About its faces:")
    _curves(runs, max(status.epochs or run.plan.recipe.epochs for run, status in zip(runs, statuses, strict=True)))
    if status.state != "finished":
        with st.expander("Log", icon=":material/article:"):
            st.code(run.log() or "The log is empty.", language=None, height=260)


def _actions(run: Run, status: Status) -> None:
    def act(action: Callable[[Run], object]) -> None:
        attempt(lambda: action(run))
        st.rerun()

    if status.can_stop and st.button("Stop", icon=":material/stop_circle:", key="f_stop"):
        act(stop)
    if status.can_resume and st.button("Resume", icon=":material/play_circle:", type=emphasis(), key="f_resume"):
        act(resume)
    if status.can_delete:
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(f"**{plain(run.title)}** and its result are deleted for good. A promoted model stays.")
            if st.button("Delete for good", type=emphasis(), key=f"f_delete_{run.id}"):
                act(delete)


def _curves(runs: list[Run], epochs: int) -> None:
    titles = [run.title for run in runs]
    distinct = [  # runs with the same title get their number in the list
        f"{title} ({number})" if titles.count(title) > 1 else title for number, title in enumerate(titles, 1)
    ]
    tables = [training_curves(run.history(), title, run.id) for run, title in zip(runs, distinct, strict=True)]
    history = pd.concat(tables, ignore_index=True).dropna()
    if history.empty:
        st.caption("The curves begin after the first epoch.")
        return
    show_chart(
        training_chart(history, epochs=epochs, narrow=narrow_screen()),
        key="f_curves",
        # Without numbers: Streamlit builds the chart anew whenever `alt` changes.
        alt=f"Accuracy and loss over the epochs of {', '.join(distinct)}",
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


def _answer(run: Run) -> None:
    """Begin a finished run with how good its model is, in one sentence, and with what can be done with it."""
    model = run.result()
    if model is None:
        return
    card = model.card
    if card.tested:
        verdict = _judged(run, model, "PublicTest")[0]["label"][2]
        st.markdown(f"#### By {plain(verdict)}")
    elif card.holdout_accuracy is not None:
        share = percent(card.holdout_accuracy, ".1%")
        st.markdown(f"#### {plain(run.title)} is right on {share} of the faces that were held out of its training.")
    with st.container(horizontal=True, vertical_alignment="center"):
        _promotion(run)
        _downloads(run)


def result(run: Run) -> None:
    """Show the result of a finished run: its metrics beside those of another model, its promotion, and its files."""
    model = run.result()
    if model is None:
        words = "The result of this run is missing or damaged. Delete the run and train again."
        st.warning(words, icon=":material/warning:")
        return
    st.header("On unseen faces")
    card = model.card
    if card.tested:
        _test_metrics(run, model)
    else:
        if card.holdout_accuracy is not None:
            st.metric("Accuracy on the hold-out", f"{card.holdout_accuracy:.1%}", border=True, width="content")
        why = "FER2013’s test faces were not available when it was trained (python -m fer\\_core data download)."
        if card.classes != EXPRESSIONS:
            why = f"FER2013 does not have its classes: {plain(', '.join(card.classes))}."
        st.info(
            f"Measured only on its hold-out of {card.training.get('holdout_faces', 'some')} faces, which show the same "
            f"people and places as the training faces: expect a lower accuracy elsewhere. {why}",
            icon=":material/info:",
        )
    with st.expander("Log", icon=":material/article:"):
        st.code(run.log() or "The log is empty.", language=None, height=260)


def _test_metrics(run: Run, model: StoredModel) -> None:
    """Show accuracy, F1 and confusion matrix beside those of the model that it started from, or the default one.

    Both are judged by both yardsticks, without FER+'s votes by FER2013's label alone. Which of them to use is
    recommended by the hold-out, not by the test faces.
    """
    with st.container(horizontal=True):
        split = common.choose("Test split", TEST_SPLITS, "f_split")
        judged, mine, other, why = _judged(run, model, split)
        by = common.choose_yardstick("f_by") if judged["plurality"][0] else "label"
    st.markdown("\n".join(f"- {plain(verdict)}" for _, _, verdict, _ in judged.values()))
    if other is not None:
        st.info(plain(recommendation(mine, other)), icon=":material/recommend:")
    answers, numbers, _, complaints = judged[by]
    warn(complaints, "Some predictions cannot be used:")
    if answers is None:
        return
    cells = {name: confusion_cells(answers, name) for name in answers.names}
    with st.grid(2, min_column_width=300):
        for name in answers.names:
            metrics, intervals = numbers[name]
            with st.container(border=True):
                st.markdown(f"**{plain(answers.titles[name])}**" + (f" {why}" if name == OTHER else ""))
                with st.container(horizontal=True):
                    for key in ("accuracy", "macro_f1"):
                        interval = f"{percent(intervals[key].low, '.1%')} – {percent(intervals[key].high, '.1%')}"
                        value = percent(metrics[key], ".1%")
                        st.metric(METRICS[key].title, value, interval, delta_color="off", delta_arrow="off")
    st.caption(
        f"{answers.where}, {len(answers.labels):,} faces; small: 95 % intervals. In the matrix: of 100 faces of the "
        "row’s expression, how many are predicted as the column’s. Verdicts: McNemar’s test, which covers the test "
        "faces drawn, not training with another seed."
    )
    first = answers.names[0]
    title, (metrics, _) = answers.titles[first], numbers[first]
    mistakes = cells[first][cells[first]["actual"] != cells[first]["predicted"]]
    wrong = mistakes.sort_values("count").iloc[-1]
    table = f1_table(answers, numbers)
    low = table[table["name"] == first].sort_values("f1").iloc[0]
    mistake = (
        f"The most frequent mistake of {title}: {wrong['count']:,} {wrong['actual']} faces are predicted as "
        f"{wrong['predicted']}, {wrong['rate']:.0%} of them."
    )
    lowest = (
        f"{title} has its lowest F1 for {low['expression']}: precision {low['precision']:.2f} and recall "
        f"{low['recall']:.2f} give {low['f1']:.2f}, on {low['faces']} faces."
    )
    with st.container(horizontal=True):
        for key, question in (("accuracy", "What is accuracy?"), ("macro_f1", "What is macro F1?")):
            explain(METRICS[key].title, f"{title}: {METRICS[key].example(metrics)}", question)
        explain("Confusion matrix", mistake, "What is a confusion matrix?")
        explain("F1", lowest, "What is F1?")
    by_expression, confusion = st.tabs(["F1 by expression", "Confusion"])
    with by_expression:
        scores = class_scores(table, narrow=narrow_screen())
        show_chart(scores, key="f_classes", alt="F1 by expression with 95 % intervals")
    with confusion, st.grid(2, min_column_width=300):
        for name in answers.names:
            with st.container(border=True):
                st.markdown(f"**{plain(answers.titles[name])}**")
                alt = f"Confusion of {answers.titles[name]} on {answers.where}"
                show_chart(confusion_chart(cells[name], "rates"), alt, key=f"f_confusion_{name}")


def _judged(run: Run, model: StoredModel, split: str) -> tuple[dict[str, Any], StoredModel, StoredModel | None, str]:
    """Return what `_compared` returns by yardstick, the run's model, the one it is compared with, and why that one."""
    stored = {model.name: model for model in list_models()[0]}
    origin = run.plan.spec.weights_from
    other = stored.get(origin) or stored.get(DEFAULT_MODEL)
    why = "(where it started)" if origin in stored else "(the default, for comparison)"
    mine = replace(model, card=replace(model.card, title=run.title))
    models = [replace(mine, name=RESULT), *([] if other is None else [replace(other, name=OTHER)])]
    return {name: shared(_compared, models, split, name) for name in YARDSTICKS}, mine, other, why


def _compared(models: list[StoredModel], split: str, by: str) -> tuple[Predictions | None, Measured, str, list[str]]:
    """Return the predictions of one or two models, their metrics, a verdict by a yardstick, and what is left out."""
    answers, complaints = load_predictions(models, split, "plain", by)
    if answers is None:
        return None, {}, f"Not judged by {YARDSTICKS[by]}: no model has predictions with these answers.", complaints
    numbers, table = measure_models(answers), pair_table(answers)
    reached = ", ".join(f"{answers.titles[name]} {percent(numbers[name][0].accuracy, '.1%')}" for name in answers.names)
    verdict = "" if table.empty else f": {table.iloc[0]['verdict']}"
    return answers, numbers, f"{common.upper_first(YARDSTICKS[by])}: {reached}{verdict}.", complaints


def _promotion(run: Run) -> None:
    """Offer to make the result available on every page; link to it if it is."""
    stored = list_models()[0]
    titles = common.model_titles(stored)
    for model in (model for model in stored if model.card.promoted_from == run.id):
        st.success(f"{plain(model.title)} is on every page now.", icon=":material/verified:")
        label = f"Try {plain(model.title)} on the Predict page"
        query = {"p_models": plain(titles[model.name])}
        st.page_link("pages/predict.py", label=label, icon=":material/ar_on_you:", query_params=query)

    name, title, again = (f"f_{what}_{run.id}" for what in ("name", "promoted_title", "replace"))

    def promote_now() -> None:
        state = st.session_state
        attempt(lambda: promote(run, state[name].strip(), title=state[title], replace=state[again]))

    with st.popover("Promote: use it on every page", icon=":material/publish:"), st.form("f_promote", border=False):
        st.text_input("Name", suggested_name(run), max_chars=60, key=name)
        st.text_input("Title", run.title[:80], max_chars=80, key=title)
        st.checkbox("Replace a model of that name", key=again)
        st.form_submit_button("Promote", type=emphasis(), on_click=promote_now, key="f_promote_now")


def _downloads(run: Run) -> None:
    """Offer the files of the result; the ONNX file is written on demand, in another process."""
    files, name = downloads(run), file_stem(run)
    if (run.folder / ONNX).is_file():
        files[ONNX] = run.folder / ONNX
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
