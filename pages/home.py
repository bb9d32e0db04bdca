"""Home: three ways in with live examples, what to know before using it with people, and how good the models are."""

import streamlit as st

from fer_core.figures.scores import accuracy_intervals
from fer_core.measuring.scoreboard import home_scoreboard
from fer_core.metrics.paper import OVERALL
from fer_core.store.folders import list_models
from fer_core.store.stored_model import StoredModel
from pages.parts.charts import show_chart
from pages.parts.common import choose_yardstick, no_model_yet, note_detector, note_untested, note_utkface, warn
from pages.parts.explanations import explain
from pages.parts.head import head
from pages.parts.home import judged_by, three_ways, why_default
from pages.parts.notice import notice
from pages.parts.pictures import load_models

head("FER Lab", "See which of seven expressions a model reads on a face, why it says so, and how far to trust it.")

stored, complaints = list_models()
models: list[StoredModel] = []
for candidate in stored:
    if candidate.servable and not models:
        models, broken = load_models([candidate])
        complaints += broken
warn(complaints, "Some models cannot be used:")
if models:
    three_ways(models[0])
    note_detector()
else:
    no_model_yet()

with st.container(border=True):
    st.markdown("**Before you use it with people**")
    notice()

tested = [model for model in stored if model.card.tested]
if tested:
    st.header("How good the models are")
    st.markdown(
        "Share of FER2013's test faces that each model classifies correctly, with 95 % intervals. Models whose "
        "intervals overlap widely may well be equally good. Intervals cover which test faces were drawn, not training "
        "again with another seed."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = choose_yardstick("h_by")
        intervals, table, unscored = home_scoreboard(tested, by)
        if len(intervals):
            one = intervals.iloc[0]
            explain(
                "Accuracy",
                f"{one.model}: {one.accuracy:.1%} on {one.split}, 95 % interval {one.low:.1%} to {one.high:.1%}.",
            )
    if len(intervals) and (judged := judged_by(tested, by)):
        st.caption(judged)
    if models and (reason := why_default(models[0], stored)):
        st.caption(reason)
    warn(unscored, "Some models have no score:")
if tested and len(intervals):
    best = max(OVERALL, key=lambda row: row.accuracy)
    words = f"paper's best, as reported {best.accuracy * 100:.1f} %"
    reported = {words: best.accuracy} if by == "label" else {}  # the paper judges by FER2013's label
    show_chart(
        accuracy_intervals(intervals, reported),
        alt="Accuracy: "
        + "; ".join(f"{one.model} {one.accuracy:.1%} on {one.split}" for one in intervals.itertuples()),
    )
    f1 = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        alt="Scoreboard of the models",
        column_config={
            "PublicTest macro F1": f1,
            "PrivateTest macro F1": f1,
            "Degraded faces": st.column_config.TextColumn(
                help="Accuracy with noise, blur, low resolution, low light and occlusion; see Compare"
            ),
            "Parameters": st.column_config.NumberColumn(format="compact"),
        },
    )
note_utkface(tested)
note_untested(stored)
