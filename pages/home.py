"""Home: how good the models are, three ways in with live examples, and what to know before using it with people."""

import streamlit as st

from fer_core.columns import YARDSTICKS, percent
from fer_core.figures.scores import accuracy_intervals
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.scoreboard import card_intervals, front_models, unscored, why_default
from fer_core.metrics.paper import OVERALL
from fer_core.sections import answers as says
from fer_core.store.folders import list_models
from fer_core.store.stored_model import StoredModel
from pages.parts import common
from pages.parts.charts import show_chart
from pages.parts.common import explain, plain, warn
from pages.parts.head import answer, answer_first, head
from pages.parts.home import explore_and_teach, try_it
from pages.parts.notice import notice
from pages.parts.pictures import load_models

head("FER Lab", "See which of seven expressions a model reads on a face, why it says so, and how far to trust it.")

stored, complaints = list_models(classes=EXPRESSIONS)
tested = [model for model in stored if model.card.tested]
right = st.container()
if tested:
    top, drawer = answer_first()
    with drawer, st.container(horizontal=True, vertical_alignment="bottom"):
        by = common.choose_yardstick("h_by")
        more = st.toggle("More models", key="h_more", bind="query-params")
    intervals = card_intervals([model for model in tested if more or model.name in front_models(tested)], by)
    right = top
    if len(intervals):
        ends = {"low": "accuracy_low", "high": "accuracy_high"}
        board = intervals[intervals["split"] == "PublicTest"].rename(columns=ends)
        best = says.best_model(board, judge=YARDSTICKS[by])
        with top:
            answer(best)
            left, right = st.columns([3, 2], gap="medium")
        paper = max(row.accuracy for row in OVERALL)
        # the paper judges by FER2013's label
        reported = {f"paper's best, as reported {percent(paper, '.1%')}": paper} if by == "label" else {}
        cells = intervals[["model", "accuracy", "split"]].to_numpy()
        rows = (f"{model} {percent(share, '.1%')} on {split}" for model, share, split in cells)
        with left:
            show_chart(accuracy_intervals(intervals, reported), alt=f"Accuracy: {'; '.join(rows)}")
            explain("Accuracy", best)

models: list[StoredModel] = []  # loaded after the chart, which does not need them
for candidate in stored:
    if candidate.servable and not models:
        models, broken = load_models([candidate])
        complaints += broken
with right:
    if models:
        try_it(models[0])
        common.note_detector()
    else:
        common.no_model_yet()
warn(complaints, "Some models cannot be used:")
if models:
    if tested:
        with drawer:
            st.caption(plain(why_default(models[0], stored)))
    explore_and_teach(models[0])

common.offer_fer2013("Dataset, Quiz and the faces behind Confusion need FER2013. ")
with st.container(border=True):
    st.markdown("**Before you use it with people**")
    notice()

if tested:
    warn(unscored(tested, by), "Some models have no score:")
common.note_utkface(tested)
common.note_untested(stored)
