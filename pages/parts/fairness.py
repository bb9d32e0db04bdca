"""Parts of the Fairness page: the faces of an audit, groups compared, where a model fails most, what this can say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.columns import percent
from fer_core.data.pictures import LAYOUT, open_grouped
from fer_core.fairness.faces import AND, AuditedFaces, dataset_faces, picture_faces, stored_faces
from fer_core.fairness.groups import ALL, GAP_COLUMNS, LIMITS, MINIMUM, RATES
from fer_core.fairness.properties import PROPERTIES
from fer_core.figures.scores import error_leaves, group_rates
from fer_core.files import csv_text, usable_path
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.significance import LEVEL
from fer_core.sections import answers as says
from fer_core.sections import worked
from fer_core.store.datasets import find_dataset
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from fer_core.visitors import TemporaryFolder, check_room
from pages.parts import common
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import choose, explain, plain, with_code
from pages.parts.confusion import show_faces
from pages.parts.data import computed, fer2013, shared
from pages.parts.head import answer, finding

EXAMPLE: Final = """people.zip
   table.csv        file,gender,age,expression
                    anna.jpg,female,34,happy
                    ben.jpg,male,61,
   anna.jpg   ben.jpg   …"""

NONE: Final = "–"
SEVEN: Final = "all seven"
_AUDITED: Final = "a_audited"  # key of the faces that were predicted last in this session, with what they are from


def test_faces() -> AuditedFaces | None:
    """Ask for a split, a yardstick and a model, and return the test faces with its stored predictions."""
    row = st.container(horizontal=True)
    stored, answers = common.choose_answers("a", row)
    with row:
        name = common.choose_predictions(stored, answers, "a_model")
    (model,) = [model for model in stored if model.name == name]
    try:
        if answers.own:
            faces = shared(dataset_faces, model, find_dataset(answers.split), answers.view)
        else:
            faces = stored_faces(answers, name)
    except FerError as error:
        st.info(with_code(str(error)), icon=":material/info:")
        return None
    try:
        if not answers.own:
            faces = replace(faces, consistency=model.consistency())
    except FerError as error:
        st.warning(with_code(str(error)))
    words = "FER2013 says nothing about the people, so faces are divided by properties of the picture."
    st.caption(answers.yardstick if answers.own else f"{answers.yardstick} {words}")
    common.note_utkface([model])
    return faces


def own_pictures() -> AuditedFaces | None:
    """Ask for pictures and a model, and return the faces with its predictions; None before there are any."""
    words = "A zip of pictures with a table of groups, or a Parquet table that holds both"
    here = "Or the path of such a file, or of a folder of pictures with a table, on this computer"
    file, path, whole = common.file_or_path("a", words, path_label=here)
    (model,) = common.choose_model(common.servable_models(EXPRESSIONS), "a_served")
    common.note_utkface([model], scores=False)
    if file is None and not path:
        st.session_state.pop(_AUDITED, None)
        st.code(EXAMPLE, language=None)
        words = "Uploads are deleted once they are predicted; faces and results are gone with this page."
        st.caption(f"{plain(LAYOUT)} {words}")
        return None
    asked_for = (path if file is None else file.file_id, model.name, whole)
    done, faces = st.session_state.get(_AUDITED, (None, None))
    if done != asked_for:
        try:
            faces = _predicted(file, path, model, whole)
        except FerError as error:
            common.warn([str(error)])
            return None
        st.session_state[_AUDITED] = (asked_for, faces)
    common.left_out(faces.notes)
    return faces


def _predicted(file: Any, path: str, model: StoredModel, whole: bool) -> AuditedFaces:
    """Predict the pictures of an uploaded file, which is then deleted from the disk, or of a path, with progress."""
    bar = st.progress(0.0, "Looking at the pictures …")

    def say(done: int, total: int) -> None:
        bar.progress(done / total, f"{done:,} of {total:,} pictures")

    try:
        with ExitStack() as stack:
            place = usable_path(path)
            if file is not None:
                place = stack.enter_context(closing(TemporaryFolder())).path / f"upload{Path(file.name).suffix.lower()}"
                check_room(file.size)
                place.write_bytes(file.getvalue())  # getbuffer() would copy it
            pictures = stack.enter_context(open_grouped(place))
            return picture_faces(pictures, model, whole, say)
    except OSError as error:
        raise FerError(f"The pictures cannot be unpacked ({error.strerror or error}). Free some disk space.") from error
    finally:
        bar.empty()


def groups(faces: AuditedFaces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    """Show a rate by group, the largest gaps between groups, and whether chance explains them."""
    divisions = {NONE: NONE} | faces.divisions
    url: dict[str, Any] = {"bind": "query-params", "format_func": divisions.__getitem__}
    with drawer, st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox("Divide by", list(faces.divisions), key="a_groups", **url)
        and_by = st.selectbox("and by", [name for name in divisions if name != by], key="a_crossed", **url)
        few = "A rate that is a share of fewer faces is shown hollow and not compared."
        least = common.whole_number("Faces to compare", 1, 10_000, MINIMUM, "a_minimum", width=160, help=few)
    audit = computed(AuditedFaces.compare, faces, by, "" if and_by == NONE else str(and_by), least)
    rates = [rate for rate in RATES if (audit.rates["rate"] == rate).any()]
    with drawer, st.container(horizontal=True):
        rate = choose("Rate", rates, "a_rate", format_func=RATES.__getitem__)
        expression = SEVEN
        if rate != "accuracy":
            expression = choose("Expression", (SEVEN, *EXPRESSIONS), "a_expression", wrap=True)
    shown = audit.rates[audit.rates["rate"] == rate]
    gaps = audit.gaps[audit.gaps["rate"] == rate].sort_values("gap", ascending=False)
    chosen = gaps
    if expression != SEVEN:
        shown, chosen = (table[table["expression"] == expression] for table in (shown, gaps))
    about = f"{PROPERTIES[by].title}: {PROPERTIES[by].words}." if by in PROPERTIES else ""
    with top:
        answer(says.gap(chosen, faces.divisions[by]))
        _chart(faces, shown, RATES[rate], by=by, and_by="" if and_by == NONE else str(and_by))
        hint = "Click a point to see mistakes in its group. " if faces.source else ""
        st.caption(f"{hint}{plain(faces.model)}. {plain(faces.faces)}. {about}")
        explain("Gap between groups", worked.largest_gap(gaps))
    if gaps.empty:
        st.caption(f"There are no two groups of at least {least} faces to compare.")
    else:
        beyond = (gaps["p_holm"] < LEVEL).sum()
        words = f"are larger than chance explains (p < {LEVEL:g} after Holm’s correction)."
        st.markdown(f"**{beyond} of {len(gaps)} gaps** {words}")
        shares = ["highest_value", "lowest_value", "gap", "low", "high"]
        table = gaps.assign(**{name: 100 * gaps[name] for name in shares})
        common.show_table(table, "Largest gap between groups for each expression", GAP_COLUMNS)
    name = f"fer-lab-audit-{audit.by.replace(' × ', '-')}.csv"
    common.offer_download("All rates and groups", lambda: csv_text(audit.rates), name, "text/csv", "download", "a_csv")


def _chart(faces: AuditedFaces, rates: pd.DataFrame, title: str, *, by: str, and_by: str) -> None:
    """Show a rate of each group; beside it, once a point is clicked, mistakes in its group."""
    known = rates[rates["value"].notna()]
    if known.empty:
        return
    expressions = set(known["expression"]) - {ALL}
    title = f"{title}, {expressions.pop()}" if len(expressions) == 1 else title
    cells = known[["expression", "group", "value"]].to_numpy()
    words = "; ".join(f"{expression}, {group}: {percent(value)}" for expression, group, value in cells)[:600]
    alt = f"{title} by {AND.join(filter(None, (by, and_by)))}: {words}"
    if faces.source is None:
        show_chart(group_rates(rates, title, narrow=narrow_screen()), alt)
        return
    state: Any = st.session_state
    cell = state.get("a_cell")
    left: Any = st.container()
    if cell is not None and cell[0] in set(known["group"]):
        left, right = st.columns([6, 5], gap="medium")
        with right:
            of, rate = "" if cell[1] == ALL else f", {cell[1]}", known["rate"].iloc[0]
            mistakes = faces.mistakes(*cell, by=by, and_by=and_by, rate=rate)
            show_faces(mistakes, faces.pictures or fer2013(), f"Mistakes: {plain(cell[0])}{of}")
    key = f"a_rates_{cell}"  # after a click the chart starts without a selection, so that any point can be clicked

    def choose_point() -> None:
        if points := state[key].selection.points:
            state["a_cell"] = (unescape(points[0]["customdata"][0]), points[0]["customdata"][5])

    chart = group_rates(rates, title, narrow=narrow_screen() or cell is not None)
    with left:
        show_chart(chart, alt, key=key, on_select=choose_point, selection_mode="points")


def changes(faces: AuditedFaces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    """Show how often a prediction stays the same when a face is changed a little, by group of people."""
    rates = faces.consistency
    if rates.empty:
        where = "`fer-lab audit FACES --model NAME --save NAME OF THE FACES` does so on faces with a table of groups."
        st.info(f"This was not measured for {plain(faces.model)}. {where}", icon=":material/info:")
        return
    divisions = [by for by in rates["by"].unique() if by] or [""]
    with drawer:
        by = choose("Divide people by", divisions, "a_people", format_func=lambda name: str(name).capitalize() or NONE)
    rates = rates[rates["by"] == by]
    enough = rates["faces"] >= MINIMUM
    compared = rates[enough] if enough.any() else rates
    cells = rates[["change", "group", "value"]].to_numpy()
    words = "; ".join(f"{change}, {group or 'all'}: {percent(value)}" for change, group, value in cells)
    of = rates.get("data", pd.Series(["your pictures"])).iloc[0]
    shown = rates.assign(expression=rates["change"], compared=enough, group=rates["group"].replace("", "all faces"))
    with top:
        finding(
            says.consistency(compared, str(by).capitalize()),
            group_rates(shown, "Same prediction", narrow=narrow_screen()),
            f"Share of faces whose prediction stays the same after a change: {words}"[:900],
            plain(f"{faces.model}, faces of {of}. It needs no labels, and does not say whether a prediction is right."),
        )


def failures(faces: AuditedFaces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:  # noqa: ARG001
    """Show the kinds of faces on which the model is wrong most often."""
    leaves = computed(AuditedFaces.where_it_fails, faces)
    overall = float(leaves["wrong"].sum() / leaves["faces"].sum())
    with top:
        words = "; ".join(f"{where} {percent(value)}" for where, value in leaves[["where", "value"]].to_numpy())
        alt, caption = f"Share of wrong predictions by kind of face: {words}", f"{faces.model}. {faces.faces}."
        finding(says.failures(leaves), error_leaves(leaves, overall), alt, plain(caption))
    st.caption(
        "A decision tree of at most three conditions separates wrong from right predictions. One half of the faces "
        "grew it, the other half is counted here, so no group was chosen by the errors that it shows. "
        + " ".join(f"{kind.title}: {kind.words}." for name, kind in PROPERTIES.items() if name in faces.properties)
    )


def limits(_: AuditedFaces | None, top: DeltaGenerator, drawer: DeltaGenerator) -> None:  # noqa: ARG001
    """Say what an audit can and cannot tell, as a list."""
    top.markdown("\n".join(f"- **{title}** {text}" for title, text in LIMITS.items()))


SECTIONS: Final[dict[str, Callable[[AuditedFaces, DeltaGenerator, DeltaGenerator], None]]] = {
    "Groups": groups,
    "Where it fails most": failures,
    "Changed faces": changes,
    "What this can say": limits,
}
