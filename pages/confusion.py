"""Confusion: which expressions a model confuses, and the faces of every cell."""

import streamlit as st

from fer_core.figures.matrices import confusion_chart, difference_chart
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.confusion import (
    SHOWN,
    cell_faces,
    confusion_cells,
    difference_cells,
    differing_faces,
    sample_faces,
)
from pages.parts.charts import choose_picture_format
from pages.parts.common import (
    choose,
    choose_faces,
    note_utkface,
    plain,
    stop_without_predictions,
    stored_models,
    warn,
    whole_number,
    with_code,
)
from pages.parts.confusion import clickable_matrix, show_faces
from pages.parts.data import fer2013, predictions
from pages.parts.explanations import explain
from pages.parts.head import head

LAYOUTS = {"one": "One model", "two": "Side by side", "difference": "Difference"}

head("Confusion", "See which expressions a model confuses. Click a cell to see its faces.")

stored, complaints = stored_models()

with st.container(horizontal=True):
    split, view, by = choose_faces("m")
    rates = "rates: of 100 faces of the row's expression, how many are predicted as the column's."
    values = choose("In the cells", ("counts", "rates"), "m_values", "rates", help=rates)

answers, left_out = predictions(stored, split, view, by)
warn(complaints + left_out, "Some models are left out:")
if answers is None:
    stop_without_predictions()
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
note_utkface(model for model in stored if model.name in {first, second})
charts = st.container()
st.header("The faces of a cell")
with st.container(horizontal=True, vertical_alignment="bottom"):
    actual = st.selectbox("Actual", EXPRESSIONS, index=1, key="m_actual", bind="query-params")
    predicted = st.selectbox("Predicted", EXPRESSIONS, index=0, key="m_predicted", bind="query-params")
    number = st.select_slider("How many at most", [6, 12, 24, 48], 12, key="m_number", bind="query-params")

where, cell = answers.where, (actual, predicted)
cells = confusion_cells(answers, first)
one = cells[(cells["actual"] == actual) & (cells["predicted"] == predicted)].iloc[0]
shown = [first, second] if layout == "two" else [first]
with charts:
    explain(
        "Confusion matrix",
        f"{title(first)} predicts {one['count']:,} of the {actual} faces as {predicted}: {one['rate']:.0%}.",
    )
    if layout == "difference":
        chart = difference_chart(difference_cells(answers, first, second), values, chosen=cell)
        clickable_matrix(chart, f"m_minus_{actual}_{predicted}", f"{title(first)} minus {title(second)} on {where}")
        unit = "in faces" if values == "counts" else "in points of the row"
        st.caption(f"{where}. Blue: {plain(title(first))} has more than {plain(title(second))}; orange: fewer, {unit}.")
    else:
        with st.grid(len(shown), min_column_width=330):
            for place, name in enumerate(shown):
                with st.container():
                    if layout == "two":
                        st.markdown(f"**{plain(title(name))}**")
                    chart = confusion_chart(confusion_cells(answers, name), values, chosen=cell)
                    clickable_matrix(
                        chart, f"m_cells_{place}_{actual}_{predicted}", f"Confusion of {title(name)} on {where}"
                    )
        unit = (
            "Each number is a count of faces" if values == "counts" else "Each row is 100 % of one expression’s faces"
        )
        st.caption(f"{where}. {unit}; the diagonal is correct.")

faces_and_votes = fer2013()
if faces_and_votes.missing:
    st.info(f"The faces cannot be shown. {with_code(faces_and_votes.missing)}", icon=":material/image_not_supported:")
if layout == "difference":
    faces = differing_faces(answers, first, second, actual, predicted)
    each = ", ".join(f"{(faces['source'] == title(name)).sum()} by {plain(title(name))}" for name in (first, second))
    line = f"{len(faces)} {actual} faces that only one of the two models predicts as {predicted}: {each}"
    show_faces(faces.head(number), faces_and_votes, line, with_model=True)
else:
    for name in shown:
        faces = cell_faces(answers, name, actual, predicted)
        line = f"{plain(title(name))} predicts {len(faces)} {actual} faces as {predicted}, most confident first"
        show_faces(faces.head(number), faces_and_votes, line)

st.header("Random faces, predicted and actual")
with st.container(horizontal=True):
    which = choose("Which predictions", SHOWN, "m_which", "all")
    seed = whole_number("Sample number", 1, 999, 1, "m_seed", width=180)
show_faces(sample_faces(answers, first, which, 14, seed), faces_and_votes, f"{plain(title(first))}, {where}")
choose_picture_format()
