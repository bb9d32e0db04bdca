"""Compare models: how good each is, how sure one may be, where they differ, and what fusing them gains."""

import streamlit as st

from fer_core.comparison import FUSIONS, HIGHEST_EXPONENT, LOWEST_EXPONENT, Ensemble
from pages.parts.analysis import plain, warn
from pages.parts.compare.results import Choice, all_answers, ensemble, stamps
from pages.parts.compare.sections import SECTIONS
from pages.parts.faces_choice import models_or_stop, split_and_view

st.title("Compare models", anchor=False)  # on phones its link would take a line of its own
st.markdown(
    "How often each model is right on faces it never saw, how sure one may be of that, and where models differ."
)

stored, complaints = models_or_stop()

with st.container(horizontal=True):
    split, view = split_and_view("c")
    base = Choice(stamps(stored), split, view)
    answers, left_out = all_answers(base)
    names = answers.names if answers else []
    title = answers.titles.__getitem__ if answers else str
    chosen = st.multiselect(
        "Models", names, format_func=title, placeholder="All models", key="c_models", bind="query-params"
    )
warn(complaints + left_out, "Some models are left out:")
if answers is None:
    st.info("No model has predictions of this split. Choose another one, or train a model.", icon=":material/info:")
    st.stop()

fusion, exponent = "mean", 10
with st.expander("Fuse models into an ensemble", icon=":material/hub:", expanded="c_fuse" in st.query_params):
    members = st.pills(
        "Tick two or more", names, selection_mode="multi", format_func=title, key="c_fuse", bind="query-params"
    )
    if len(members) > 1:
        fusion = st.segmented_control(
            "How to fuse", list(FUSIONS), default="mean", required=True, key="c_fusion", bind="query-params"
        )
    if fusion == "exponential":
        exponent = st.slider("Exponent q", LOWEST_EXPONENT, HIGHEST_EXPONENT, 10, key="c_exponent", bind="query-params")
    choice = Choice(base.stamps, base.split, base.view, tuple(chosen), tuple(members), fusion or "mean", exponent)
    fused = ensemble(choice)
    if isinstance(fused, Ensemble):
        st.caption(plain(fused.words))
    elif isinstance(fused, str):
        st.warning(plain(fused), icon=":material/warning:")
    else:
        st.caption("The ensemble then stands among the models below.")

tabs = st.tabs(list(SECTIONS), key="c_section", bind="query-params")
for tab, section in zip(tabs, SECTIONS.values(), strict=True):
    if tab.open:
        with tab:
            section(choice)
