"""Live camera: expressions while one moves, the frame to keep, the numbers to take along."""

import streamlit as st

from fer_core.inference.stream import StreamSettings
from pages.parts.analysis import ready, serving_models, warn
from pages.parts.live.camera import camera, session_for
from pages.parts.live.help import KINDS, camera_help
from pages.parts.live.panels import keep, over_time, readings, sample_picture, sample_reading
from pages.parts.live.snapshot import snapshot

st.title("Live camera")
st.markdown(
    "See the expression on your face while you move. Pictures are analysed by FER Lab's computer, and gone once you "
    "close the page."
)

models = serving_models()
names = [model.name for model in models]
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    kind = st.segmented_control(
        "Camera", list(KINDS), default="Video", required=True, key="l_kind", bind="query-params"
    )
    chosen = st.selectbox("Model", names, key="l_model", bind="query-params", width=200)
    if kind == "Video":
        smoothing = st.slider(
            "Smoothing in seconds",
            0.0,
            2.0,
            0.3,
            0.1,
            key="l_smoothing",
            bind="query-params",
            width=180,
            help="Over how long the probabilities are averaged: calmer numbers, but later. 0 shows every frame alone.",
        )
        mirror = st.toggle("Mirror", value=True, key="l_mirror", bind="query-params")
        activation = st.toggle(
            "Evidence",
            key="l_activation",
            bind="query-params",
            help="Lets the places in the face glow that speak for the expression.",
        )
        large = st.toggle("Presentation", key="l_large", bind="query-params", help="Gives the video most of the page.")
titles, broken = ready([model for model in models if model.name == chosen])
warn(broken, "This model cannot be used:")
if not titles:
    st.stop()
how = next(iter(titles))

if kind == "Snapshot":
    st.caption(KINDS["Snapshot"])
    snapshot(how, titles[how])
    st.stop()

session = session_for(how)
session.configure(StreamSettings(smoothing=smoothing, activation=activation), mirror=mirror)
left, right = st.columns([5, 2] if large else [3, 2], gap="large")
with left:
    running = camera(session)
    if not running:
        st.caption(KINDS["Video"])
        sample_picture(how)
    camera_help()
with right:
    if running:
        readings(session)
    else:
        sample_reading(how)
if running:
    over_time(session)
if running or session.status().frames:
    keep(session, running)
