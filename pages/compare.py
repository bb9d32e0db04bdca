"""Compare models: how good each is, how sure one may be, where they differ, and what fusing them gains."""

import streamlit as st

from fer_core.comparison import FUSIONS, HIGHEST_EXPONENT, LOWEST_EXPONENT, SPLITS, VIEWS, Ensemble
from fer_core.store import list_models
from pages.common import no_model_yet, plain, warn
from pages.compare_data import Choice, all_answers, ensemble, stamps
from pages.compare_sections import SECTIONS

st.title("Compare models")
st.markdown(
    "How often each model is right on faces it never saw, how sure one may be of that, and where models differ."
)

stored, complaints = list_models()
if not stored:
    warn(complaints, "Some model folders are skipped:")
    no_model_yet()
    st.stop()

with st.container(horizontal=True):
    split = st.segmented_control(
        "Test split",
        list(SPLITS),
        default="PublicTest",
        required=True,
        key="c_split",
        bind="query-params",
        help="PublicTest is the paper's test split, PrivateTest the challenge's.",
    )
    view = st.segmented_control(
        "Each face",
        list(VIEWS),
        default="plain",
        required=True,
        key="c_view",
        bind="query-params",
        help="plain: seen once. flip: averaged with its mirror image.",
    )
    base = Choice(stamps(stored), split or "PublicTest", view or "plain")
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
