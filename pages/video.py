"""Video: expressions over time in a file, the annotated video, and the table to take along."""

import streamlit as st

from fer_core.types import FerError
from pages.parts.analysis import plain, ready, serving_models, warn
from pages.parts.video.jobs import RATES, SOURCES, own_job, progress, sample_job
from pages.parts.video.results import downloads, over_time, picture_and_shares

st.title("Video")
st.markdown("Every face in a video is followed, and gets seven probabilities in each frame, one for each expression.")

models = serving_models()
names = [model.name for model in models]
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    source = st.segmented_control(
        "Video", list(SOURCES), default="Sample", required=True, key="v_source", bind="query-params"
    )
    chosen = st.pills("Model", names, default=names[0], required=True, key="v_model", bind="query-params")
    rate = st.segmented_control(
        "Frames a second",
        list(RATES),
        default="all",
        required=True,
        key="v_rate",
        bind="query-params",
        help="Analyse all of them, or only so many: fewer are faster. The annotated video holds the analysed frames.",
    )
titles, broken = ready([model for model in models if model.name == chosen])
warn(broken, "This model cannot be used:")
if not titles:
    st.stop()
how = next(iter(titles))

try:
    job = own_job(how, str(rate)) if source == "Upload" else sample_job(how, str(rate))
except FerError as error:
    st.warning(plain(str(error)), icon=":material/warning:")
    st.stop()
st.caption(SOURCES[str(source)])

if job is None:
    st.stop()
if job.running:
    progress(job, may_stop=source == "Upload")
    st.stop()
if job.error:
    st.warning(plain(job.error), icon=":material/warning:")
if job.result is None:
    st.stop()

for note in job.result.notes:
    st.info(plain(note), icon=":material/info:")
face = picture_and_shares(job)
if face is not None:
    st.header("Over time")
    over_time(job, face)
st.header("Take the results along")
downloads(job)
