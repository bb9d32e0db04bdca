"""The result of a finished run: its metrics beside those of another model, its promotion, and its files."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import streamlit as st

from fer_core.columns import TEST_SPLITS, YARDSTICKS
from fer_core.figures.matrices import confusion_chart
from fer_core.figures.scores import class_scores
from fer_core.measuring.results import load_predictions, recommendation
from fer_core.metrics.confusion import confusion_cells
from fer_core.metrics.core import METRICS, Measured, f1_table, measure_models
from fer_core.metrics.predictions import Predictions
from fer_core.metrics.significance import pair_table
from fer_core.runs.run import ONNX, Run, downloads, onnx_file, promote, suggested_name
from fer_core.store.folders import DEFAULT_MODEL, list_models
from fer_core.store.stored_model import StoredModel
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import (
    choose,
    choose_yardstick,
    emphasis,
    model_titles,
    offer_download,
    plain,
    upper_first,
    warn,
)
from pages.parts.data import shared
from pages.parts.explanations import explain
from pages.parts.finetune.runs import attempt

RESULT, OTHER = "this run", "the other"
"""Keys of the two models that are compared, which may have the same name."""

FORMATS: Final = {".tflite": "LiteRT", ".keras": "Keras", ".onnx": "ONNX"}


def result(run: Run) -> None:
    """Show the result of a finished run."""
    model = run.result()
    if model is None:
        st.warning(
            "The result of this run is missing or damaged. Delete the run and train again.", icon=":material/warning:"
        )
        return
    st.header("On unseen faces")
    if model.card.tested:
        _test_metrics(run, model)
    else:
        _holdout_accuracy(model)
    st.header("Use it")
    _promotion(run)
    _downloads(run)


def _holdout_accuracy(model: StoredModel) -> None:
    card = model.card
    if card.holdout_accuracy is not None:
        st.metric("Accuracy on the hold-out", f"{card.holdout_accuracy:.1%}", border=True, width="content")
    st.info(
        f"Measured only on its hold-out of {card.training.get('holdout_faces', 'some')} faces, which show the same "
        "people and places as the training faces: expect a lower accuracy elsewhere. FER2013’s test faces were not "
        "available when it was trained (python -m fer\\_core data download).",
        icon=":material/info:",
    )


def _test_metrics(run: Run, model: StoredModel) -> None:
    """Show accuracy, F1 and confusion matrix beside those of the model that it started from, or the default one.

    Both are judged by both yardsticks. Which of them to use is recommended by the hold-out, not by the test faces.
    """
    with st.container(horizontal=True):
        split, by = choose("Test split", TEST_SPLITS, "f_split"), choose_yardstick("f_by")
    other, why = _other(run)
    mine = replace(model, card=replace(model.card, title=run.title))
    models = [replace(mine, name=RESULT), *([] if other is None else [replace(other, name=OTHER)])]
    judged = {name: shared(_compared, models, split, name) for name in YARDSTICKS}
    st.markdown("\n".join(f"- {plain(verdict)}" for _, _, verdict, _ in judged.values()))
    if other is not None:
        st.info(plain(recommendation(mine, other)), icon=":material/recommend:")
    answers, numbers, _, complaints = judged[by]
    warn(complaints, "Some predictions cannot be used:")
    if answers is None:
        return
    with st.grid(2, min_column_width=300):
        for name in answers.names:
            metrics, intervals = numbers[name]
            with st.container(border=True):
                st.markdown(f"**{plain(answers.titles[name])}**" + (f" {why}" if name == OTHER else ""))
                with st.container(horizontal=True):
                    for key in ("accuracy", "macro_f1"):
                        words, interval = METRICS[key].title, intervals[key]
                        shown = f"{interval.low:.1%} – {interval.high:.1%}"
                        st.metric(words, f"{metrics[key]:.1%}", shown, delta_color="off", delta_arrow="off")
                show_chart(
                    confusion_chart(confusion_cells(answers, name), "rates"),
                    key=f"f_confusion_{name}",
                    alt=f"Confusion of {answers.titles[name]} on {answers.where}",
                )
    st.caption(
        f"{answers.where}, {len(answers.labels):,} faces; small: 95 % intervals. In the matrix: of 100 faces of the "
        "row’s expression, how many are predicted as the column’s. Verdicts: McNemar’s test, which covers the test "
        "faces drawn, not training with another seed."
    )
    first = answers.names[0]
    title, (metrics, _) = answers.titles[first], numbers[first]
    cells = confusion_cells(answers, first)
    wrong = cells[cells["actual"] != cells["predicted"]].sort_values("count").iloc[-1]
    table = f1_table(answers, numbers)
    low = table[table["name"] == first].sort_values("f1").iloc[0]
    with st.container(horizontal=True):
        for key, question in (("accuracy", "What is accuracy?"), ("macro_f1", "What is macro F1?")):
            explain(METRICS[key].title, f"{title}: {METRICS[key].example(metrics)}", question)
        explain(
            "Confusion matrix",
            f"The most frequent mistake of {title}: {wrong['count']:,} {wrong['actual']} faces are predicted as "
            f"{wrong['predicted']}, {wrong['rate']:.0%} of them.",
            "What is a confusion matrix?",
        )
        explain(
            "F1",
            f"{title} has its lowest F1 for {low['expression']}: precision {low['precision']:.2f} and recall "
            f"{low['recall']:.2f} give {low['f1']:.2f}, on {low['faces']} faces.",
            "What is F1?",
        )
    show_chart(class_scores(table, narrow=narrow_screen()), key="f_classes", alt="F1 by expression with 95 % intervals")


def _other(run: Run) -> tuple[StoredModel | None, str]:
    """Return the model to compare the result with, and why it is this one."""
    start = run.plan.spec.weights_from
    stored = {model.name: model for model in list_models()[0]}
    if start in stored:
        return stored[start], "(where it started)"
    return stored.get(DEFAULT_MODEL), "(the default, for comparison)"


def _compared(models: list[StoredModel], split: str, by: str) -> tuple[Predictions | None, Measured, str, list[str]]:
    """Return the predictions of one or two models, their metrics, a verdict by a yardstick, and what is left out."""
    answers, complaints = load_predictions(models, split, "plain", by)
    if answers is None:
        return None, {}, f"Not judged by {YARDSTICKS[by]}: no model has predictions with these answers.", complaints
    numbers, table = measure_models(answers), pair_table(answers)
    reached = ", ".join(f"{answers.titles[name]} {numbers[name][0].accuracy:.1%}" for name in answers.names)
    verdict = "" if table.empty else f": {table.iloc[0]['verdict']}"
    return answers, numbers, f"{upper_first(YARDSTICKS[by])}: {reached}{verdict}.", complaints


def _promotion(run: Run) -> None:
    """Offer to make the result available on every page; link to it if it is."""
    stored = list_models()[0]
    titles = model_titles(stored)
    for model in (model for model in stored if model.card.promoted_from == run.id):
        st.success(f"{plain(model.title)} is on every page now.", icon=":material/verified:")
        st.page_link(
            "pages/predict.py",
            label=f"Try {plain(model.title)} on the Predict page",
            icon=":material/ar_on_you:",
            query_params={"p_models": plain(titles[model.name])},
        )

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
    files = downloads(run)
    if (run.folder / ONNX).is_file():
        files[ONNX] = run.folder / ONNX
    with st.container(horizontal=True):
        for path in files.values():
            offer_download(
                f"{FORMATS[path.suffix]}, {path.stat().st_size / 1e6:.1f} MB",
                path.read_bytes,
                f"{suggested_name(run)}{path.suffix}",
                "application/octet-stream",
                "download",
                f"f_download_{path.suffix}",
            )
        wanted = ONNX not in files and st.button("Write as ONNX", icon=":material/transform:", key="f_onnx")
    st.caption("LiteRT is used here and on phones, Keras in notebooks, ONNX elsewhere.")
    if wanted:
        with st.spinner("Writing ONNX in another process: about twenty seconds"):
            attempt(lambda: onnx_file(run))
        st.rerun()
