"""The sections of the Compare page, each one view of the models on show."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import unescape
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.columns import YARDSTICKS, percent
from fer_core.figures.curves import confidence_bars
from fer_core.figures.scores import class_scores, gains
from fer_core.measuring.scoreboard import face_milliseconds, front_models
from fer_core.metrics.calibration import faces_in_bins
from fer_core.metrics.core import metric_titles
from fer_core.metrics.ensembles import FUSIONS, HIGHEST_EXPONENT, LOWEST_EXPONENT, Ensemble
from fer_core.metrics.paper import PAPER_VARIANTS, PLAIN_MEANS, paper_metrics, paper_notes, paper_report
from fer_core.metrics.paper_changes import CHANGES_CAPTION, changes_in_prose, changes_table
from fer_core.metrics.paper_claims import CLAIMS_CAPTION, NOT_TRAINED, in_prose
from fer_core.names import upper_first
from fer_core.runs.estimate import together
from fer_core.sections import sections, worked
from fer_core.sections.cards import model_readme, model_text
from fer_core.sections.section import Section
from fer_core.store.folders import DEFAULT_MODEL
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from pages.parts import common
from pages.parts.charts import narrow_screen, show_chart, show_network
from pages.parts.common import choose, choose_model, explain, offer_download, plain, show_table, warn
from pages.parts.data import Selection, computed, results, shared
from pages.parts.head import finding
from pages.parts.tuning import papers_study

LEGEND: Final = "A click on a name in the legend shows or hides a model, a double click shows it alone."


def _made(
    make: Callable[..., Section], selection: Selection, choices: Mapping[str, Any], narrow: bool
) -> tuple[Section, go.Figure | None]:
    section = make(results(selection), **choices)
    if not section.charts:
        return section, None
    (chart,) = section.charts
    return section, chart.draw(narrow=narrow) if chart.adapts else chart.draw()


def _show(
    make: Callable[..., Section],
    selection: Selection,
    top: DeltaGenerator,
    *,
    words: str = LEGEND,
    select: bool = False,
    **choices: Any,
) -> tuple[Section, Any]:
    """Show the chart of a section of `fer_core.sections.sections`; return the section and what is selected on it.

    `make` takes the `choices`; nobody may change what it returns, because sessions share it. `words` follow the
    caption. With `select`, a click on a point selects it.
    """
    section, figure = shared(_made, make, selection, choices, narrow_screen())
    if figure is None:
        return section, None
    settings: Any = {"on_select": "rerun", "selection_mode": "points"} if select else {}
    settings |= {"key": f"c_{section.title}", "explained": (section.explained, section.example)}
    with top:
        return section, finding(section.answer, figure, section.charts[0].alt, f"{section.caption} {words}", **settings)


def _show_table(section: Section, **settings: Any) -> None:
    show_table(section.table, section.alt, section.columns or {}, **settings)


def choose_models(choices: str, drawer: DeltaGenerator) -> Selection:
    """Ask in the drawer for faces, models and an ensemble, as far as they change the section; return the choice.

    At first, the models in front are chosen. The page ends if no model has predictions of the faces.
    """
    stored, answers = common.choose_answers("c", drawer, choices, classes=None)
    front = front_models([model for model in stored if model.name in answers.names])
    chosen: list[str] = front
    with drawer, st.container(horizontal=True, vertical_alignment="bottom"):
        if "models" in choices:
            more = len(front) < len(answers.names) and st.toggle("More models", key="c_more", bind="query-params")
            url: Any = {"key": "c_models", "bind": "query-params", "format_func": answers.titles.__getitem__}
            url["placeholder"] = f"{len(answers.names) if more else len(front)} models"
            chosen = st.multiselect("Only these models", answers.names, **url) or ([] if more else front)
    members, fusion, exponent = [], "mean", 10
    if "ensemble" in choices:
        with drawer:
            members = common.choose_several("Combine models into an ensemble", answers.titles, "c_fuse")
            if len(members) > 1:
                fusion = choose("How to combine", FUSIONS, "c_fusion")
            if fusion == "exponential":
                ends = (LOWEST_EXPONENT, HIGHEST_EXPONENT, 10)
                exponent = st.slider("Exponent q", *ends, key="c_exponent", bind="query-params")
    of = (answers.split, answers.view, answers.by)
    selection = Selection(tuple(stored), *of, tuple(chosen), tuple(members), fusion, exponent)
    with drawer:
        combined = results(selection).ensemble if members else None
        if isinstance(combined, Ensemble):
            st.caption(plain(combined.description))
        elif isinstance(combined, str):
            st.warning(plain(combined), icon=":material/warning:")
        if "split" in choices:
            st.caption(answers.yardstick)
    return selection


def _scoreboard(selection: Selection, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    titles = metric_titles()
    with drawer:
        metric = choose("Rank by", titles, "c_metric", format_func=titles.__getitem__)
    words = "Click a model to see its confusions and faces."
    section, chosen = _show(sections.scoreboard, selection, top, words=words, select=True, metric=metric)
    if chosen.selection.points and (title := chosen.selection.points[0].get("customdata")):
        judge = upper_first(YARDSTICKS[selection.by])
        faces = {"m_split": selection.split, "m_view": selection.view, "m_by": judge}
        st.switch_page("pages/confusion.py", query_params={"m_model": unescape(str(title[0])), **faces})
    words = "One face on this computer, a second per model."
    if st.button("Measure latency here", icon=":material/timer:", help=words):
        with st.spinner("Measuring each model for a second", show_time=True):
            st.session_state["c_latency"] = {model.name: computed(_milliseconds, model) for model in selection.chosen}
    measured = pd.Series(st.session_state.get("c_latency", {}), dtype=float)
    _show_table(replace(section, table=section.table.assign(latency_ms=section.table["name"].map(measured))))


def _milliseconds(model: StoredModel) -> float | None:
    try:
        return face_milliseconds(model)
    except FerError:
        return None


def _by_expression(selection: Selection, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    with drawer:
        focus = _highlighted(results(selection).answers.titles, "c_report_of", "Classification report of")
    _show_table(_show(sections.by_expression, selection, top)[0])
    section, _ = _show(sections.classification, selection, top, focus=focus)
    with st.grid(2, min_column_width=480):
        with st.container():
            st.markdown(f"**{plain(focus)}**")
            _show_table(section)
        if not results(selection).answers.own:
            with st.container():
                st.markdown("**VGG16_modified, as the paper prints it in section 4.5**")
                words = "Classification report of VGG16_modified, as the paper prints it"
                show_table(paper_report(), words, section.columns or {}, placeholder="–")
    st.caption(section.caption)


def _highlighted(titles: Mapping[str, str], key: str, label: str = "Model to highlight") -> str:
    """Ask for the model to highlight, given titles by name; return its title."""
    return titles[common.choose_named(label, titles, key)]


def _with_probabilities(selection: Selection) -> dict[str, str]:
    """Return the titles of the models that answer with probabilities by name, and say which do not."""
    answers, graded = results(selection).answers, results(selection).graded
    names = graded.names if graded else []
    if others := [plain(answers.titles[name]) for name in answers.names if name not in names]:
        st.info(f"Left out, because the answers have no probabilities: {', '.join(others)}.", icon=":material/info:")
    return {name: answers.titles[name] for name in names}


def _roc_and_pr(selection: Selection, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    if not (titles := _with_probabilities(selection)):
        return
    label, classes = "Expression against the rest", results(selection).answers.classes
    with drawer, st.grid(2, min_column_width=250):
        expression = st.selectbox(label, classes, min(3, len(classes) - 1), key="c_expression", bind="query-params")
        focus = _highlighted(titles, "c_focus")
    with top:
        curves = st.container()
        label = f"Probability from which “{expression}” is predicted"
        threshold = st.slider(label, 0.0, 1.0, 0.5, 0.01, key="c_threshold", bind="query-params")
    choices: Any = {"expressions": [expression], "threshold": threshold, "focus": focus}
    section, _ = _show(sections.roc_and_pr, selection, curves, **choices)
    if not section.charts:
        curves.info(f"There are no curves of {expression} for these faces.")
    _explained(worked.at_threshold(section.table[section.table["model"] == focus].iloc[0], expression))
    _show_table(section, placeholder="–")


def _explained(numbers: Mapping[str, tuple[str, str]]) -> None:
    """Show numbers by title, each with the calculation that it comes from."""
    with st.grid(4, min_column_width=150):
        for name, (value, example) in numbers.items():
            with st.container(border=True, gap="xxsmall"):
                st.metric(name, value)
                explain(name, example)


def _calibration(selection: Selection, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    if not (titles := _with_probabilities(selection)):
        return
    with drawer:
        focus = _highlighted(titles, "c_calibrated")
    section, _ = _show(sections.calibration, selection, top, focus=focus)
    row = section.table.query("model == @focus").iloc[0]
    bins = results(selection).reliability.query("model == @focus")
    _explained(worked.calibration(row, bins, len(results(selection).answers.classes)))
    st.markdown(f"{worked.against_floor(row)}  \n{worked.with_temperature(row)}")
    alt = f"How often each confidence of {focus} occurs"
    picked = show_chart(confidence_bars(bins), alt, key="c_confidence", on_select="rerun")
    chosen = bins.iloc[sorted(place for place in picked.selection.point_indices if place < len(bins))]
    if chosen.empty:
        st.caption("Click a bar, or drag over several, to see how often such predictions are correct.")
    else:
        faces = faces_in_bins(chosen)
        st.markdown(
            f"**{len(chosen)} selected bins**: {faces['faces']:,} faces ({percent(faces['share'])} of all) with a mean "
            f"confidence of {percent(faces['confidence'], '.1%')}; {percent(faces['accuracy'], '.1%')} of these "
            f"predictions are correct (95 % interval {100 * faces['low']:.1f} to {percent(faces['high'], '.1%')})."
        )
    _show_table(section)


def _robustness(selection: Selection, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    table, without, complaints = results(selection).degraded
    warn(complaints, "Some results on degraded faces are left out:")
    if not table.empty:
        with drawer:
            focus = _highlighted(dict(zip(table["name"], table["model"], strict=True)), "c_robust")
        _show_table(_show(sections.robustness, selection, top, focus=focus)[0])
    if without:
        own = results(selection).answers.own
        how = f"`fer-lab evaluate NAME --degraded {f'--on {selection.split}' if own else '--save'}`"
        at_once = "" if own else "at the end of their training, or "
        st.caption(
            f"Not measured: {plain(', '.join(without))}. Models that can predict are measured {at_once}with {how}. "
            "An ensemble is not measured."
        )


def _significance(selection: Selection, top: DeltaGenerator, drawer: DeltaGenerator) -> None:  # noqa: ARG001
    section, _ = _show(sections.significance, selection, top, words="")
    if not section.charts:
        st.info("Two models are needed to compare. Choose more above.", icon=":material/info:")
        return
    _show_table(section, height="auto")


def _training(selection: Selection, top: DeltaGenerator, drawer: DeltaGenerator) -> None:  # noqa: ARG001
    _, without, complaints = results(selection).histories
    warn(complaints, "Some training curves are left out:")
    _show(sections.training, selection, top)
    if without:
        top.caption(f"Without curves: {plain(', '.join(without))}.")


def _paper(selection: Selection, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    titles = paper_metrics()
    with drawer:
        metric = choose("Metric", titles, "c_paper_metric", format_func=titles.__getitem__)
    words = "The paper’s contradictions stand as it prints them."
    section, _ = _show(sections.paper, selection, top, words=words, metric=metric)
    st.caption(
        "Ours learn from at most 26,040 of the 28,709 faces of Training, and everything is chosen on the others; the "
        "paper learns from all and chooses on PrivateTest. `fer-lab train NAME --papers-split --recipe paper` does so."
    )
    specs = {model.title: model.card.spec for model in selection.models if model.card.spec}
    if early := [title for title, spec in specs.items() if spec.frozen and spec.batch_normalization != "none"]:
        st.caption(f"With the batch norm that the paper adds in its second stage only: {plain(', '.join(early))}.")
    _show_table(section, placeholder="–", height="auto")
    st.markdown("**Did it help?**")
    _changes(results(selection).changes)
    st.markdown("**The paper’s conclusions, judged**")
    st.markdown("\n".join(f"- {sentence}" for sentence in in_prose(results(selection).claims)))
    st.caption(CLAIMS_CAPTION)
    papers_study()
    variant = common.choose_named("Variant", PAPER_VARIANTS, "c_variant", index=5)
    title, f1 = PAPER_VARIANTS[variant], results(selection).paper[1][variant]
    lowest = f1.dropna(subset=["f1"]).sort_values("f1").drop_duplicates("model").to_dict("records")
    words = "; ".join(f"{row['expression']} {percent(row['f1'], '.1%')} ({row['model']})" for row in lowest)
    explain("F1", f"{title} has its lowest F1: {words}")
    show_chart(class_scores(f1, narrow=narrow_screen()), alt=f"F1 by expression of {title}, reported and measured")
    st.markdown("**Where the paper contradicts itself**")
    st.table(
        {plain(topic): plain(note) for topic, note in paper_notes(variant).items()},
        border="horizontal",
        alt=f"Where the paper contradicts itself about {title}",
    )
    st.caption(f"Names such as VGG16_modified are the paper’s. {PLAIN_MEANS}")


def _changes(changes: pd.DataFrame) -> None:
    """Show what each change that the paper names gains, and what is not trained."""
    missing = changes["verdict"] == NOT_TRAINED
    trained = changes[~missing]
    if not trained.empty:
        counts = ", ".join(f"{number} {verdict}" for verdict, number in trained["verdict"].value_counts().items())
        show_chart(gains(trained), alt=f"Gain of {len(trained)} changes: {counts}")
        st.markdown("\n".join(f"- {sentence}" for sentence in changes_in_prose(changes)))
        st.table(changes_table(trained), border="horizontal", alt="Accuracy and gain of each change")
        st.caption(CHANGES_CAPTION)
    lacking = [
        f"{group}: {', '.join(part['change'])} ({together(part['first']) or '`python -m tests.paper_trials`'})"
        for group, part in changes[missing].groupby("group", sort=False)
    ]
    if lacking:
        st.caption(f"Not trained here: {'; '.join(lacking)}.")


def _model_card(selection: Selection, top: DeltaGenerator, _: DeltaGenerator) -> None:
    models = list(selection.models)
    first = next((place for place, model in enumerate(models) if model.name == DEFAULT_MODEL), 0)
    with top:
        (model,) = choose_model(models, "c_card", "Model card of", index=first, width=420)
        show_network(model)
        st.markdown(computed(_card_text, model))
    file_name, readme = f"{model.name}-README.md", lambda: model_readme(model)
    offer_download("In Hugging Face’s form", readme, file_name, "text/markdown", "download", "c_card_file")


def _card_text(model: StoredModel) -> str:
    """Return the card with headings that fit into a page; names that people gave are shown as they are."""
    training = {name: plain(str(told)) if name == "data" else told for name, told in model.card.training.items()}
    model = replace(model, card=replace(model.card, title=plain(model.title), training=training))
    return re.sub(r"^#+ ", "#### ", model_text(model), flags=re.MULTILINE)


FACES: Final = "split, by, models, ensemble"
SECTIONS: Final[dict[str, tuple[Callable[[Selection, DeltaGenerator, DeltaGenerator], None], str]]] = {
    "Scoreboard": (_scoreboard, FACES),
    "F1 by expression": (_by_expression, FACES),
    "ROC and PR": (_roc_and_pr, FACES),
    "Calibration": (_calibration, FACES),
    "Robustness": (_robustness, "own, by, models"),
    "Significance": (_significance, FACES),
    "Training": (_training, "own, models"),
    "Paper": (_paper, ""),
    "Model cards": (_model_card, "own"),
}
"""Name of each tab, the function that shows it, and what it can be changed by. Only the open tab is computed."""
