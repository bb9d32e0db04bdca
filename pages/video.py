"""Video: expressions over time in a video file, the annotated video, and the table to download."""

import streamlit as st

from pages.parts.common import choose, choose_model, note_detector, note_utkface, plain, servable_models, with_code
from pages.parts.head import head
from pages.parts.pictures import opened_model
from pages.parts.video import RATES, SOURCES, downloads, over_time, progress, sample_job, uploaded_job, video_and_shares

head("Video", "Upload a video, and see how the expression of each face changes over time.")

stored = servable_models()
with st.container(horizontal=True):
    source = choose("Video", SOURCES, "v_source")
    chosen = choose_model(stored, "v_model")
    fewer = "How many frames are analysed: fewer are faster. The annotated video contains only these frames."
    rate = choose("Frames per second", RATES, "v_rate", help=fewer)
model = opened_model(chosen)

job = uploaded_job(model, rate) if source == "Upload" else sample_job(model, rate)
st.caption(SOURCES[source])
note_detector()
note_utkface(chosen, scores=False)

if job is None:
    st.stop()
if job.running:
    progress(job, can_stop=source == "Upload")
    st.stop()
if job.error:
    st.warning(with_code(job.error), icon=":material/warning:")
if (result := job.result) is None:
    st.stop()

for note in result.notes:
    st.info(plain(note), icon=":material/info:")
face = video_and_shares(job, result)
if face is not None:
    st.header("Over time")
    over_time(result, face)
st.header("Download the results")
downloads(job, result)
