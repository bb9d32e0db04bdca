"""Home: three ways in with live examples, what to know before using it with people, and how good the models are."""

import streamlit as st

from fer_core.figures.scores import accuracy_intervals
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.scoreboard import home_scoreboard
from fer_core.metrics.paper import OVERALL
from fer_core.store.folders import list_models
from fer_core.store.stored_model import StoredModel
from pages.parts.charts import show_chart
from pages.parts.common import (
    choose_yardstick,
    explain,
    no_model_yet,
    note_detector,
    note_untested,
    note_utkface,
    offer_fer2013,
    warn,
)
from pages.parts.head import head
from pages.parts.home import judged_by, three_ways, why_default
from pages.parts.notice import notice
from pages.parts.pictures import load_models

head("FER Lab", "See which of seven expressions a model reads on a face, why it says so, and how far to trust it.")

stored, complaints = list_models(classes=EXPRESSIONS)
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

offer_fer2013("Dataset, Quiz and the faces behind Confusion need FER2013. ")
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
            best = intervals.iloc[0]
            reached, interval = f"{best.accuracy:.1%} on {best.split}", f"{best.low:.1%} to {best.high:.1%}"
            explain("Accuracy", f"{best.model}: {reached}, 95 % interval {interval}.")
    if len(intervals) and (judged := judged_by(tested, by)):
        st.caption(judged)
    if models and (reason := why_default(models[0], stored)):
        st.caption(reason)
    warn(unscored, "Some models have no score:")
if tested and len(intervals):
    paper = max(row.accuracy for row in OVERALL)
    words = f"paper's best, as reported {paper * 100:.1f} %"
    reported = {words: paper} if by == "label" else {}  # the paper judges by FER2013's label
    rows = (f"{row.model} {row.accuracy:.1%} on {row.split}" for row in intervals.itertuples())
    show_chart(accuracy_intervals(intervals, reported), alt=f"Accuracy: {'; '.join(rows)}")
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
