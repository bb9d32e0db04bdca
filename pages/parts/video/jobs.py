"""Analyses of videos that run in the background: the sample's, shared by all, and each visitor's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from fer_core.data import SAMPLE_CREDIT
from fer_core.inference.sample_clip import SAMPLE_CLIP_NOTE, sample_clip
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS
from fer_core.inference.video_job import VideoJob
from pages.parts.analysis import How, plain

RATES: dict[str, float | None] = {"all": None, "10": 10.0, "5": 5.0, "2": 2.0}
"""Choices on the page, and frames a second."""

SOURCES = {
    "Sample": f"{SAMPLE_CLIP_NOTE} Portrait: {SAMPLE_CREDIT}.",
    "Upload": "Your video stays on the computer that runs FER Lab, and only as long as your visit.",
}
"""Each source, and what to know about it."""

MOST_MEGABYTES = 500

JOB = "v_job"
"""Where a session keeps its own analysis, with its results."""


def own_job(how: How, rate: str) -> VideoJob | None:
    """Ask for a video and start its analysis; return this session's latest one, under way or done.

    Raises:
        FerError: the folder for the annotated video cannot be written.
    """
    # No type filter: a wrong file gets our sentence, which says what is wrong and what would work.
    file = st.file_uploader("An MP4, MOV, WebM or AVI file", key="v_upload", max_upload_size=MOST_MEGABYTES)
    wanted = st.button("Analyse", type="primary", icon=":material/play_arrow:", disabled=file is None, key="v_start")
    if wanted and file is not None:
        earlier = st.session_state.pop(JOB, None)
        if earlier:
            earlier.stop()
        st.session_state[JOB] = _start(file.getvalue(), how, file.name, rate)
    job: VideoJob | None = st.session_state.get(JOB)
    return job


@st.cache_resource(max_entries=6, show_spinner="Making the sample clip")
def sample_job(how: How, rate: str) -> VideoJob:
    """Return the analysis of the sample clip, under way or done: one for all visitors.

    Raises:
        FerError: the cache folder cannot be written.
    """
    return _start(sample_clip(), how, "The sample clip", rate)


@st.fragment(run_every=0.5)
def progress(job: VideoJob, may_stop: bool) -> None:
    """Show how far an analysis is, until it is done."""
    if not job.running:
        st.rerun()
    now = job.progress
    if now is None:
        st.progress(0.0, f"Opening {plain(job.name)}")
    else:
        of = f" of {now.total:.0f}" if now.total else ""
        left = f", about {_clock(now.left)} left" if now.left is not None else ""
        st.progress(now.share, f"Second {now.seconds:.0f}{of}: {now.frames} frames analysed{left}")
    if may_stop:
        st.button("Stop and keep what is done", icon=":material/stop_circle:", on_click=job.stop, key="v_stop")


def _start(source: Any, how: How, name: str, rate: str) -> VideoJob:
    classifier, settings = how.classifier(), replace(FILE_SETTINGS, flip=how.flip)
    return VideoJob(source, lambda: StreamAnalyzer(classifier, settings=settings), name, RATES[rate], how.model)


def _clock(seconds: float) -> str:
    """Return a time that people read: "8 s", "3:05 minutes"."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02d} minutes"
