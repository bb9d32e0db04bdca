"""Live camera: expressions while a visitor moves, with a recording and a frozen frame to keep."""

import streamlit as st

from fer_core.inference.stream import StreamSettings
from pages.parts.common import choose, choose_model, note_detector, note_utkface, presenting, servable_models
from pages.parts.head import head
from pages.parts.live import (
    KINDS,
    camera,
    camera_help,
    ice_servers,
    keep,
    over_time,
    readings,
    sample_picture,
    sample_reading,
    session_for,
    snapshot,
)
from pages.parts.notice import RELAYED, VIDEO, all_agree
from pages.parts.pictures import opened_model

head("Live camera", "See the expression on your face while you move, and keep a frame or a table of it.")

stored = servable_models()
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    kind = choose("Camera", KINDS, "l_kind")
    chosen = choose_model(stored, "l_model", 260)
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
            help="How long the probabilities are averaged: longer is calmer, but later. 0 shows every frame alone.",
        )
        mirror = st.toggle("Mirror", value=True, key="l_mirror", bind="query-params")
        activation = st.toggle(
            "Evidence",
            key="l_activation",
            bind="query-params",
            help="Highlights the places in the face that speak for the predicted expression, against all others.",
        )
model = opened_model(chosen)
if model is None:
    st.stop()
note_detector()
note_utkface(chosen, scores=False)

if kind == "Snapshot":
    st.caption(KINDS["Snapshot"])
    snapshot(model)
    st.stop()

session = session_for(model)
session.configure(StreamSettings(smoothing=smoothing, activation=activation), mirror=mirror)
left, right = st.columns([5, 2] if presenting() else [3, 2], gap="medium")
with left:
    above = st.container()
    agreed = all_agree(VIDEO + (RELAYED if ice_servers() else ""))
    with above:
        running = agreed and camera(session)
    if agreed and not running:
        st.caption(KINDS["Video"])
    if not running:
        sample_picture(model)
    if agreed:
        camera_help()
with right:
    if running:
        readings(session)
    else:
        sample_reading(model)
if running:
    over_time(session)
if running or session.status().frames:
    keep(session, running)
