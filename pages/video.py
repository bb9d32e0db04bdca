"""Video: expressions over time in a video file, the annotated video, and the table to download."""

import streamlit as st

from fer_core.types import FerError
from pages.parts.common import (
    choose,
    model_titles,
    note_detector,
    note_utkface,
    plain,
    servable_models,
    warn,
    with_code,
)
from pages.parts.head import head
from pages.parts.pictures import load_models
from pages.parts.video import RATES, SOURCES, downloads, over_time, progress, sample_job, uploaded_job, video_and_shares

head("Video", "Upload a video, and see how the expression of each face changes over time.")

stored = servable_models()
titles = model_titles(stored)
with st.container(horizontal=True):
    source = choose("Video", SOURCES, "v_source")
    chosen = st.selectbox(
        "Model", titles, format_func=titles.__getitem__, key="v_model", bind="query-params", width=300
    )
    fewer = "How many frames are analysed: fewer are faster. The annotated video contains only these frames."
    rate = choose("Frames per second", RATES, "v_rate", help=fewer)
wanted = [model for model in stored if model.name == chosen]
models, broken = load_models(wanted)
warn(broken, "This model cannot be used:")
if not models:
    st.stop()

try:
    job = uploaded_job(models[0], rate) if source == "Upload" else sample_job(models[0], rate)
except FerError as error:
    st.warning(with_code(str(error)), icon=":material/warning:")
    st.stop()
st.caption(SOURCES[source])
note_detector()
note_utkface(wanted, scores=False)

if job is None:
    st.stop()
if job.running:
    progress(job, can_stop=source == "Upload")
    st.stop()
if job.error:
    st.warning(with_code(job.error), icon=":material/warning:")
if job.result is None:
    st.stop()

for note in job.result.notes:
    st.info(plain(note), icon=":material/info:")
face = video_and_shares(job)
if face is not None:
    st.header("Over time")
    over_time(job, face)
st.header("Download the results")
downloads(job)
