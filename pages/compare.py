"""Compare models: how good each is, how certain that is, where they differ, and what an ensemble gains."""

import streamlit as st

from fer_core.metrics.ensembles import FUSIONS, HIGHEST_EXPONENT, LOWEST_EXPONENT, Ensemble
from pages.parts import common
from pages.parts.added import offer_to_add
from pages.parts.charts import choose_picture_format
from pages.parts.common import plain
from pages.parts.compare import OF_FER2013, SECTIONS, report_html
from pages.parts.data import Selection, predictions, results
from pages.parts.head import head

head(
    "Compare models", "See how often each model is right on faces that it was not trained on, and how certain that is."
)

with st.container(horizontal=True):
    split, view, by = common.choose_faces("c", classes=None)
    stored, complaints = common.stored_models(split)
    answers, left_out = predictions(stored, split, view, by)
    names = answers.names if answers else []
    title = answers.titles.__getitem__ if answers else str
    chosen = st.multiselect(
        "Models", names, format_func=title, placeholder="All models", key="c_models", bind="query-params"
    )
common.warn(complaints + left_out, "Some models are left out:")
if answers is None:
    common.stop_without_predictions()
about = st.container()
about.caption(answers.yardstick)

fusion, exponent = "mean", 10
with st.expander("Combine models into an ensemble", icon=":material/hub:", expanded="c_fuse" in st.query_params):
    members = common.choose_several("Select two or more", answers.titles, "c_fuse")
    if len(members) > 1:
        fusion = common.choose("How to combine", FUSIONS, "c_fusion")
    if fusion == "exponential":
        exponent = st.slider("Exponent q", LOWEST_EXPONENT, HIGHEST_EXPONENT, 10, key="c_exponent", bind="query-params")
    selection = Selection(tuple(stored), split, view, by, tuple(chosen), tuple(members), fusion, exponent)
    combined = results(selection).ensemble
    if isinstance(combined, Ensemble):
        st.caption(plain(combined.description))
    elif isinstance(combined, str):
        st.warning(plain(combined), icon=":material/warning:")
    else:
        st.caption("The ensemble is then listed among the models below.")

with st.expander("Add a model or predictions made elsewhere", icon=":material/upload_file:"):
    offer_to_add()

sections = {name: show for name, show in SECTIONS.items() if not answers.own or name not in OF_FER2013}
tabs = st.tabs(list(sections), key="c_section", bind="query-params")
on_show = {*(chosen or names), *(members if isinstance(combined, Ensemble) else [])}
for tab, (section, show) in zip(tabs, sections.items(), strict=True):
    if tab.open:
        with about:  # the paper's variants are shown whichever models are chosen
            common.note_utkface(model for model in stored if section == "Paper" or model.name in on_show)
        with tab:
            show(selection)

with st.container(horizontal=True, vertical_alignment="bottom"):
    html, file_name = lambda: report_html(selection), f"fer-lab-{split.lower()}-{view}.html"
    common.offer_download("Report with all sections", html, file_name, "text/html", "description", "c_report")
    choose_picture_format()
