"""Confusion: which expressions a model confuses, and the faces of every cell."""

from functools import partial
from typing import Any

import streamlit as st

from fer_core.columns import counted
from fer_core.figures.matrices import confusion_chart
from fer_core.metrics import confusion
from fer_core.sections import answers as says
from pages.parts import common
from pages.parts.charts import choose_picture_format, show_chart
from pages.parts.common import choose, explain, plain, with_code
from pages.parts.confusion import show_faces
from pages.parts.data import faces_of
from pages.parts.head import answer, answer_first, head

LAYOUTS = {"one": "One model", "two": "Side by side", "difference": "Difference"}


def choose_cell(key: str) -> None:
    """Choose the cell that was clicked in the select boxes."""
    state: Any = st.session_state
    if picked := state[key].selection.points:
        state["m_actual"], state["m_predicted"] = picked[0]["customdata"][:2]


head("Confusion")
top, drawer = answer_first()

stored, answers = common.choose_answers("m", drawer, classes=None)
title = answers.titles.__getitem__
with drawer, st.container(horizontal=True, vertical_alignment="bottom"):
    rates = "rates: of 100 faces of the row's expression, how many are predicted as the column's."
    values = choose("In the cells", ("counts", "rates"), "m_values", "rates", help=rates)
    layout = choose("Show", LAYOUTS, "m_layout", format_func=LAYOUTS.__getitem__)
    first = common.choose_predictions(stored, answers, "m_model")
    if layout != "one" and len(answers.names) < 2:
        st.info("Only one model has predictions of this split, so there is no other one to compare it with.")
        layout = "one"
    second = first
    if layout != "one":
        rest = {name: title(name) for name in answers.names if name != first}
        second = common.choose_named("Second model", rest, "m_second")
    number = st.select_slider("How many faces at most", [6, 12, 24, 48], 12, key="m_number", bind="query-params")
drawer.caption(answers.yardstick)

where, cells = answers.where, {name: confusion.confusion_cells(answers, name) for name in (first, second)}
found, worst = says.confusion(cells[first], title(first))
beside = layout == "one"  # whether the faces stand beside the chart
with top:
    place = st.container()
    left, right = st.columns([6, 5], gap="medium") if beside else (st.container(), st.container())
with right, st.container(horizontal=True):
    url: Any = {"bind": "query-params", "width": 150}
    actual = st.selectbox("Actual", answers.classes, answers.classes.index(worst[0]), key="m_actual", **url)
    predicted = st.selectbox("Predicted", answers.classes, answers.classes.index(worst[1]), key="m_predicted", **url)

shown = [first, second] if layout == "two" else [first]
if layout == "difference":
    tables = {"minus": confusion.difference_cells(answers, first, second)}
    found = says.differing(tables["minus"], title(first), title(second))
    alts = [f"{title(first)} minus {title(second)} on {where}"]
    unit = "in faces" if values == "counts" else "in points of the row"
    caption = f"Blue: {plain(title(first))} has more than {plain(title(second))}; orange: fewer, {unit}."
    faces = [confusion.differing_faces(answers, first, second, actual, predicted)]
    each = ", ".join(f"{(faces[0]['source'] == title(name)).sum()} by {plain(title(name))}" for name in (first, second))
    lines = [f"{counted(len(faces[0]), actual + ' face')} that only one of the models predicts as {predicted}: {each}"]
else:
    tables = {f"cells_{place}": cells[name] for place, name in enumerate(shown)}
    alts = [f"Confusion of {title(name)} on {where}" for name in shown]
    unit = "Each number is a count of faces" if values == "counts" else "Each row is 100 % of one expression’s faces"
    caption = f"{unit}; the diagonal is correct."
    faces = [confusion.cell_faces(answers, name, actual, predicted) for name in shown]
    lines = [
        f"{plain(title(name))} predicts {counted(len(table), f'{actual} face')} as {predicted}, most confident first"
        for name, table in zip(shown, faces, strict=True)
    ]
with place:
    answer(found)
with left:
    for (key, table), name, alt, column in zip(tables.items(), shown, alts, st.columns(len(tables)), strict=True):
        with column:
            if layout == "two":
                st.markdown(f"**{plain(title(name))}**")
            chart = confusion_chart(table, values, chosen=(actual, predicted), difference=layout == "difference")
            view = f"m_{key}_{actual}_{predicted}"  # another one after a click, so that any cell can be clicked then
            click: Any = {"on_select": partial(choose_cell, view), "selection_mode": "points"}
            show_chart(chart, alt, key=view, **click)
    st.caption(f"Click a cell to see its faces. {where}. {caption}")
    explain("Confusion matrix", says.confusion_cell(cells[first], title(first), (actual, predicted)))

known = faces_of(answers.split)
with right:
    if known.missing:
        st.info(f"The faces cannot be shown. {with_code(known.missing)}", icon=":material/image_not_supported:")
    for line, table, name in zip(lines, faces, shown, strict=True):
        show_faces(table.head(number), known, line, with_model=layout == "difference", key=f"cell_{name}")
common.note_utkface(model for model in stored if model.name in {first, second})
common.note_untested([model for model in stored if model.name not in answers.names])

st.header("Random faces, predicted and actual")
with st.container(horizontal=True):
    which = choose("Which predictions", confusion.SHOWN, "m_which", "all")
    seed = common.whole_number("Sample number", 1, 999, 1, "m_seed", width=180)
show_faces(confusion.sample_faces(answers, first, which, 16, seed), known, f"{plain(title(first))}, {where}")
choose_picture_format()
