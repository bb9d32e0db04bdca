"""The parts of the Video page: analyses that run in the background, and their results."""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePath
from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.columns import PERCENT, counted, percent_text
from fer_core.data import SAMPLE_CREDIT
from fer_core.figures.bars import time_share_bars, time_share_text
from fer_core.figures.timelines import expression_strips, timeline_chart
from fer_core.files import csv_text
from fer_core.inference import face_table
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, VideoJob, VideoResult
from fer_core.inference.video_writer import SAMPLE_CLIP_NOTE, sample_clip
from fer_core.store.stored_model import StoredModel
from fer_core.threads import kept
from fer_core.visitors import limits
from pages.parts.charts import show_chart
from pages.parts.common import duration, emphasis, offer_download, plain
from pages.parts.data import classifier

RATES: Final[dict[str, float | None]] = {"all": None, "10": 10.0, "5": 5.0, "2": 2.0}  # analysed frames per second

SOURCES: Final = {
    "Sample": f"{SAMPLE_CLIP_NOTE} Portrait: {SAMPLE_CREDIT}.",
    "Upload": "Your video stays on the computer that runs FER Lab, and only as long as your visit.",
}

MAX_FACES: Final = 8  # shown on the page, those seen longest; the table holds all


def uploaded_job(model: StoredModel, rate: str) -> VideoJob | None:
    """Ask for a video and start its analysis; return the session's latest analysis, running or finished."""
    file = st.file_uploader("An MP4, MOV, WebM or AVI file", key="v_upload")
    asked = st.button("Analyse", type=emphasis(), icon=":material/play_arrow:", disabled=file is None, key="v_start")
    if asked and file is not None:
        if earlier := st.session_state.pop("v_job", None):
            earlier.stop()
        st.session_state["v_job"] = _start(file.getvalue(), model, file.name, rate)
    job: VideoJob | None = st.session_state.get("v_job")
    return job


def sample_job(model: StoredModel, rate: str) -> VideoJob:
    """Return the analysis of the sample clip, running or finished; all sessions share it, unless it failed."""
    for attempt in range(5):
        job = _sample_job(model, rate, attempt)
        if job.error is None:
            break
    return job


@kept(6)
def _sample_job(model: StoredModel, rate: str, attempt: int) -> VideoJob:  # noqa: ARG001 (the key)
    with st.spinner("Making the sample clip"):
        return _start(sample_clip(), model, "The sample clip", rate, shared=True)


def _start(source: Any, model: StoredModel, name: str, rate: str, *, shared: bool = False) -> VideoJob:
    given, network = limits(), classifier(model)
    return VideoJob(
        source,
        lambda: StreamAnalyzer(network, settings=FILE_SETTINGS),
        name=name,
        rate=RATES[rate],
        model=model.title,
        not_sure_below=network.not_sure_below,
        longest=60 * given.video_minutes if given else None,
        shared=shared,
    )


@st.fragment(run_every=0.5)
def progress(job: VideoJob, can_stop: bool) -> None:
    """Show the progress of an analysis until it ends."""
    if not job.running:
        st.rerun()
    now = job.progress
    if now is None:
        st.progress(0.0, f"Opening {plain(job.name)}")
    else:
        of = "" if now.total is None else f" of {now.total:.0f}"
        left = "" if now.left is None else f", about {duration(now.left)} left"
        st.progress(now.share, f"Second {now.seconds:.0f}{of}: {now.frames} frames analysed{left}")
    if can_stop:
        st.button("Stop and keep the results so far", icon=":material/stop_circle:", on_click=job.stop, key="v_stop")


def video_and_shares(job: VideoJob, result: VideoResult) -> int | None:
    """Show the annotated video and the share of time of each expression; return the chosen face, None without faces."""
    shares = face_table.time_shares(result.table, result.seconds, classes=result.classes)
    faces, longest = _longest_seen(shares.groupby("face")["seconds"].sum())
    left, right = st.columns([4, 3], gap="medium")
    with left:
        if target := _annotated_file(result):
            mime = "video/webm" if target.suffix == ".webm" else "video/mp4"
            st.video(str(target), format=mime, alt=f"{job.name} with numbered boxes around the faces")
        without = face_table.seconds_without_face(result.table, result.seconds)
        st.caption(
            f"{plain(job.name)}: {result.frames:,} frames over {result.seconds:.1f} seconds, "
            f"{counted(len(result.faces), 'face')}, {without:.1f} seconds without a face; model: {plain(job.model)}."
        )
    with right:
        if not faces:
            st.info("No face was found in this video.", icon=":material/face_retouching_off:")
            return None
        face = longest
        if len(faces) > 1:
            face = st.pills("Face", faces, default=longest, required=True, key="v_face") or longest
        if len(result.faces) > len(faces):
            st.caption(f"The {len(faces)} faces seen longest; the table holds all {len(result.faces)}.")
        part = shares[(shares["face"] == face).fillna(False)]
        most = time_share_text(part).split(", ")[0]
        st.subheader(f"Face {face}: {most} of {part['seconds'].sum():.1f} seconds")
        alt = f"Share of the time that face {face} was seen: {time_share_text(part)}"
        show_chart(time_share_bars(part), alt, key="v_shares")
        if below := job.not_sure_below:
            of: Any = {"face": int(face), "below": below, "classes": result.classes}
            unsure = face_table.share_not_sure(result.table, result.seconds, **of)
            st.caption(
                f"Not sure in {percent_text(unsure)} of this time: no expression reaches {percent_text(below)}. "
                "The bars count the most probable expression there too."
            )
        if len(faces) > 1:
            st.caption(f"All faces together: {time_share_text(shares[shares['face'].isna()])}")
    return int(face)


def over_time(result: VideoResult, face: int) -> None:
    """Show the most probable expression of each face over time, and the probabilities of one face."""
    runs = face_table.expression_runs(result.table, result.seconds)
    faces, _ = _longest_seen((runs["end"] - runs["start"]).groupby(runs["face"]).sum())
    seconds = f"over {result.seconds:.1f} seconds"
    chart = expression_strips(runs, faces, end=result.seconds, classes=result.classes)
    show_chart(chart, f"The most probable expression of {counted(len(faces), 'face')} {seconds}", key="v_strips")
    points = face_table.timeline_points(result.table, face, classes=result.classes)
    chart = timeline_chart(points, 0.0, stop=result.seconds, classes=result.classes)
    show_chart(chart, f"Probabilities of face {face} {seconds}", key="v_timeline")


def downloads(job: VideoJob, result: VideoResult) -> None:
    """Offer the table and the annotated video as downloads, and show the table."""
    stem, table = PurePath(job.name.replace("\\", "/")).stem.replace(" ", "-") or "video", result.table
    with st.container(horizontal=True):
        offer_download("CSV", lambda: csv_text(table), f"{stem}.csv", "text/csv", "table", "v_csv")
        mime, parquet = "application/vnd.apache.parquet", lambda: table.to_parquet(index=False)
        offer_download("Parquet", parquet, f"{stem}.parquet", mime, "table_view", "v_parquet")
        if target := _annotated_file(result):
            kind = target.suffix.removeprefix(".")
            label, file_name = f"Video with boxes ({kind.upper()})", f"{stem}-annotated.{kind}"
            offer_download(label, partial(_content, target, job), file_name, f"video/{kind}", "movie", "v_video")
    number = st.column_config.NumberColumn
    columns = {name: number(format=PERCENT) for name in result.classes} | {"seconds": number(format="%.2f")}
    shown = table.assign(**{name: 100 * table[name] for name in result.classes})
    alt = "Every face of every frame with its probabilities"
    with st.expander("All frames as a table", icon=":material/table_rows:"):
        st.dataframe(shown, hide_index=True, column_config=columns, alt=alt)


def _content(file: Path, owner: VideoJob) -> bytes:  # noqa: ARG001 (the owner of the file must live until then)
    return file.read_bytes()


def _longest_seen(seconds: pd.Series) -> tuple[list[int], int]:
    """Return the faces that were seen longest, in the order of their numbers, and the first of them all."""
    ranked = [int(number) for number in seconds.sort_values(ascending=False, kind="stable").index[:MAX_FACES]]
    return sorted(ranked), ranked[0] if ranked else 0


def _annotated_file(result: VideoResult) -> Path | None:
    """Return the annotated video unless its file was deleted from the cache folder."""
    return result.annotated if result.annotated and result.annotated.is_file() else None
