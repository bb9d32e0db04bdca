"""Compare models: how good each is, how certain that is, where they differ, and what an ensemble gains."""

from dataclasses import replace

import streamlit as st

from fer_core.store.datasets import list_datasets
from pages.parts import common
from pages.parts.added import offer_to_add
from pages.parts.charts import choose_picture_format
from pages.parts.compare import FACES, SECTIONS, choose_models
from pages.parts.data import results
from pages.parts.head import answer_first, head

head("Compare models")

own = st.session_state.get("c_split", st.query_params.get("c_split")) in {dataset.name for dataset in list_datasets()}
sections = [name for name in SECTIONS if not own or name != "Paper"]  # which shows results on FER2013
for section, tab in zip(sections, st.tabs(sections, key="c_section", bind="query-params"), strict=True):
    show, choices = SECTIONS[section]
    if tab.open:
        with tab:
            top, drawer = answer_first()
            selection = choose_models(choices, drawer)
            show(selection, top, drawer)
            if section == "Paper":  # which shows the paper's variants whichever models are chosen
                common.note_utkface(selection.models)
            elif section != "Model cards":
                names = {*selection.names, *selection.members}
                common.note_utkface(model for model in selection.models if model.name in names)

with st.expander("Add a model or predictions made elsewhere", icon=":material/upload_file:"):
    offer_to_add()
if not own:
    common.note_untested(list(selection.models))


def html() -> str:
    """Return a report about what is on show, with all sections."""
    from fer_core.sections.html import render
    from fer_core.sections.results import REPORT_TOLERANCE

    return render(replace(results(selection), tolerance=REPORT_TOLERANCE))


with st.container(horizontal=True, vertical_alignment="bottom"):
    if choices == FACES:  # other tabs do not ask for all that a report is about
        file_name = f"fer-lab-{selection.split.lower()}-{selection.view}.html"
        common.offer_download("Report with all sections", html, file_name, "text/html", "description", "c_report")
    choose_picture_format()
