"""Live camera: expressions while a visitor moves, with a recording and a frozen frame to keep."""

import streamlit as st

from fer_core.data import SAMPLE_CREDIT
from fer_core.figures.bars import probability_bars, probability_text
from fer_core.inference.live import LiveSession
from fer_core.inference.stream import StreamSettings
from pages.parts import live
from pages.parts.charts import show_chart
from pages.parts.common import choose_model, note_detector, note_utkface, servable_models, why_not_sure
from pages.parts.data import classifier
from pages.parts.face import photo
from pages.parts.head import head
from pages.parts.notice import RELAYED, VIDEO, all_agree
from pages.parts.pictures import SAMPLE, opened_model, result_for

head("Live camera", "See the expression on your face while you move, and keep a frame or a table of it.")

stored = servable_models()
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    chosen = choose_model(stored, "l_model", width=260)
    words = "How long the probabilities are averaged: longer is calmer, but later. 0 shows every frame alone."
    smoothing = st.slider(
        "Smoothing in seconds", 0.0, 2.0, 0.3, 0.1, key="l_smoothing", bind="query-params", width=180, help=words
    )
    mirror = st.toggle("Mirror", value=True, key="l_mirror", bind="query-params")
    words = "Highlights the places in the face that speak for the predicted expression, against all others."
    activation = st.toggle("Evidence", key="l_activation", bind="query-params", help=words)
model = opened_model(chosen)
note_detector()
note_utkface(chosen, scores=False)

if "live_session" not in st.session_state:
    st.session_state["live_session"] = LiveSession(classifier(model), model.name)
elif st.session_state.get("live_model") != model:
    st.session_state["live_session"].use(classifier(model), model.name)
st.session_state["live_model"] = model
session: LiveSession = st.session_state["live_session"]
session.configure(StreamSettings(smoothing=smoothing, activation=activation, cuts=False), mirror=mirror)
left, right = st.columns([3, 2], gap="medium")
with left:
    above = st.container()
    agreed = all_agree(VIDEO + (RELAYED if live.ice_servers() else ""))
    with above:
        running = agreed and live.camera(session)
    if agreed and not running:
        st.caption(live.START)
    if not running:
        with st.columns([2, 1])[0]:
            photo(SAMPLE, model)
            st.caption(f"Until then: {SAMPLE_CREDIT}")
with right:
    if running:
        live.readings(session)
    else:
        for face in result_for(SAMPLE, model).faces[:1]:
            st.subheader(f"The built-in sample: {face.answer}")
            why_not_sure(face)
            alt = f"Probabilities: {probability_text(face.probabilities, len(face.classes), classes=face.classes)}"
            show_chart(probability_bars(face.probabilities, classes=face.classes), alt)
if running:
    live.over_time(session)
if running or session.status().frames:
    live.keep(session, running)
