"""Confusion: which expressions a model confuses, and the faces of every cell."""

import streamlit as st

from fer_core.figures.matrices import confusion_chart
from fer_core.metrics import confusion
from pages.parts import common
from pages.parts.charts import choose_picture_format
from pages.parts.common import choose, explain, plain, with_code
from pages.parts.confusion import clickable_matrix, show_faces
from pages.parts.data import faces_of, predictions
from pages.parts.head import head

LAYOUTS = {"one": "One model", "two": "Side by side", "difference": "Difference"}

head("Confusion", "See which expressions a model confuses. Click a cell to see its faces.")

with st.container(horizontal=True):
    split, view, by = common.choose_faces("m", classes=None)
    stored, complaints = common.stored_models(split)
    rates = "rates: of 100 faces of the row's expression, how many are predicted as the column's."
    values = choose("In the cells", ("counts", "rates"), "m_values", "rates", help=rates)

answers, left_out = predictions(stored, split, view, by)
common.warn(complaints + left_out, "Some models are left out:")
if answers is None:
    common.stop_without_predictions()
with st.container(horizontal=True):
    layout = choose("Show", LAYOUTS, "m_layout", format_func=LAYOUTS.__getitem__)
    models = st.grid("auto", min_column_width=250)
if layout != "one" and len(answers.names) < 2:
    st.info("Only one model has predictions of this split, so there is no other one to compare it with.")
    layout = "one"

title = answers.titles.__getitem__
with models:
    first = st.selectbox("Model", answers.names, format_func=title, key="m_model", bind="query-params")
    second = first
    if layout != "one":
        rest = [name for name in answers.names if name != first]
        second = st.selectbox("Second model", rest, format_func=title, key="m_second", bind="query-params")

st.caption(answers.yardstick)
common.note_utkface(model for model in stored if model.name in {first, second})
charts = st.container()
st.header("The faces of a cell")
with st.container(horizontal=True, vertical_alignment="bottom"):
    actual = st.selectbox("Actual", answers.classes, index=1, key="m_actual", bind="query-params")
    predicted = st.selectbox("Predicted", answers.classes, index=0, key="m_predicted", bind="query-params")
    number = st.select_slider("How many at most", [6, 12, 24, 48], 12, key="m_number", bind="query-params")

where, shown, cell = answers.where, [first, second] if layout == "two" else [first], (actual, predicted)
count, rate = confusion.confusion_cells(answers, first).set_index(["actual", "predicted"]).loc[cell, ["count", "rate"]]
if layout == "difference":
    tables = {"minus": confusion.difference_cells(answers, first, second)}
    alts = [f"{title(first)} minus {title(second)} on {where}"]
    unit = "in faces" if values == "counts" else "in points of the row"
    caption = f"Blue: {plain(title(first))} has more than {plain(title(second))}; orange: fewer, {unit}."
    faces = [confusion.differing_faces(answers, first, second, actual, predicted)]
    each = ", ".join(f"{(faces[0]['source'] == title(name)).sum()} by {plain(title(name))}" for name in (first, second))
    lines = [f"{len(faces[0])} {actual} faces that only one of the two models predicts as {predicted}: {each}"]
else:
    tables = {f"cells_{place}": confusion.confusion_cells(answers, name) for place, name in enumerate(shown)}
    alts = [f"Confusion of {title(name)} on {where}" for name in shown]
    unit = "Each number is a count of faces" if values == "counts" else "Each row is 100 % of one expression’s faces"
    caption = f"{unit}; the diagonal is correct."
    faces = [confusion.cell_faces(answers, name, actual, predicted) for name in shown]
    lines = [
        f"{plain(title(name))} predicts {len(table)} {actual} faces as {predicted}, most confident first"
        for name, table in zip(shown, faces, strict=True)
    ]
with charts:
    example = f"{title(first)} predicts {count:,.0f} of the {actual} faces as {predicted}: {rate:.0%}."
    explain("Confusion matrix", example)
    with st.grid(len(tables), min_column_width=330):
        for (key, cells), name, alt in zip(tables.items(), shown, alts, strict=True):
            with st.container():
                if layout == "two":
                    st.markdown(f"**{plain(title(name))}**")
                chart = confusion_chart(cells, values, chosen=cell, difference=layout == "difference")
                clickable_matrix(chart, f"m_{key}_{actual}_{predicted}", alt)
    st.caption(f"{where}. {caption}")

known = faces_of(split)
if known.missing:
    st.info(f"The faces cannot be shown. {with_code(known.missing)}", icon=":material/image_not_supported:")
for line, table, name in zip(lines, faces, shown, strict=True):
    show_faces(table.head(number), known, line, with_model=layout == "difference", key=f"cell_{name}")

st.header("Random faces, predicted and actual")
with st.container(horizontal=True):
    which = choose("Which predictions", confusion.SHOWN, "m_which", "all")
    seed = common.whole_number("Sample number", 1, 999, 1, "m_seed", width=180)
show_faces(confusion.sample_faces(answers, first, which, 14, seed), known, f"{plain(title(first))}, {where}")
choose_picture_format()
