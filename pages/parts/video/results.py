"""What was found in a video, shown: the annotated video, shares of time, what showed when, downloads."""

from __future__ import annotations

import io
from pathlib import Path, PurePath

import streamlit as st

from fer_core.figures import expression_strips, time_share_bars, time_share_text, timeline_chart
from fer_core.inference.video import VideoResult
from fer_core.inference.video_job import VideoJob
from fer_core.inference.video_table import expression_runs, seconds_without_face, time_shares, timeline_points
from fer_core.labels import EXPRESSIONS
from pages.parts.analysis import plain

MOST_FACES = 8
"""Faces on the page, those seen longest; the table holds all."""


def picture_and_shares(job: VideoJob) -> int | None:
    """Show the annotated video, and beside it the shares of time; return the face that was chosen, or None."""
    result = _result(job)
    shares = time_shares(result.table, result.seconds)
    times = shares.groupby("face")["seconds"].sum().sort_values(ascending=False, kind="stable")
    faces = sorted(int(number) for number in times.index[:MOST_FACES])
    left, right = st.columns([4, 3], gap="large")
    with left:
        if target := _annotated(result):
            mime = "video/webm" if target.suffix == ".webm" else "video/mp4"
            st.video(str(target), format=mime, alt=f"{job.name} with numbered boxes around the faces")
        without = seconds_without_face(result.table, result.seconds)
        st.caption(
            f"{plain(job.name)}: {result.frames:,} frames over {result.seconds:.1f} seconds, "
            f"{_faces(len(result.faces))}, {without:.1f} seconds without a face; by {plain(job.model)}."
        )
    with right:
        if not faces:
            st.info("No face was found in this video.", icon=":material/face_retouching_off:")
            return None
        face = longest = int(times.index[0])
        if len(faces) > 1:
            face = st.pills("Face", faces, default=longest, required=True, key="v_face") or longest
        if len(result.faces) > len(faces):
            st.caption(f"The {len(faces)} faces seen longest; the table holds all {len(result.faces)}.")
        part = shares[(shares["face"] == face).fillna(False)]
        most = time_share_text(part).split(", ")[0]
        st.subheader(f"Face {face}: {most} of {part['seconds'].sum():.1f} seconds")
        st.altair_chart(
            time_share_bars(part),
            key="v_shares",
            alt=f"Share of the time that face {face} was seen: {time_share_text(part)}",
        )
        if len(faces) > 1:
            st.caption(f"All faces together: {time_share_text(shares[shares['face'].isna()])}")
    return int(face)


def over_time(job: VideoJob, face: int) -> None:
    """Show when which expression was seen, of all faces, and one face's seven probabilities."""
    result = _result(job)
    runs = expression_runs(result.table, result.seconds)
    times = (runs["end"] - runs["start"]).groupby(runs["face"]).sum().sort_values(ascending=False, kind="stable")
    faces = sorted(int(number) for number in times.index[:MOST_FACES])
    st.altair_chart(
        expression_strips(runs, faces, result.seconds),
        key="v_strips",
        alt=f"The most probable expression of {_faces(len(faces))} over {result.seconds:.1f} seconds",
    )
    st.altair_chart(
        timeline_chart(timeline_points(result.table, face), 0.0, result.seconds),
        key="v_timeline",
        alt=f"Seven probabilities of face {face} over {result.seconds:.1f} seconds",
    )


def downloads(job: VideoJob) -> None:
    """Offer the table and the annotated video, and show the table."""
    result = _result(job)
    stem = PurePath(job.name.replace("\\", "/")).stem.replace(" ", "-") or "video"
    with st.container(horizontal=True):
        st.download_button(
            "CSV", lambda: result.table.to_csv(index=False), f"{stem}.csv", "text/csv", icon=":material/table:",
            on_click="ignore", key="v_csv",
        )  # fmt: skip
        st.download_button(
            "Parquet", lambda: _parquet(result), f"{stem}.parquet", "application/vnd.apache.parquet",
            icon=":material/table_view:", on_click="ignore", key="v_parquet",
        )  # fmt: skip
        if target := _annotated(result):
            kind = target.suffix.removeprefix(".")
            st.download_button(
                f"Video with boxes ({kind.upper()})", lambda: _content(job), f"{stem}-annotated.{kind}",
                f"video/{kind}", icon=":material/movie:", on_click="ignore", key="v_video",
            )  # fmt: skip
    number = st.column_config.NumberColumn
    columns = {name: number(format="percent") for name in EXPRESSIONS} | {"seconds": number(format="%.2f")}
    with st.expander("All frames as a table", icon=":material/table_rows:"):
        st.dataframe(
            result.table, hide_index=True, column_config=columns, alt="Every face of every frame with its probabilities"
        )


def _parquet(result: VideoResult) -> bytes:
    stream = io.BytesIO()
    result.table.to_parquet(stream, index=False)
    return stream.getvalue()


def _content(job: VideoJob) -> bytes:
    """Read the annotated video; asking the job, not its result, keeps the folder alive until then."""
    target = _result(job).annotated
    assert target is not None
    return target.read_bytes()


def _result(job: VideoJob) -> VideoResult:
    assert job.result is not None
    return job.result


def _faces(count: int) -> str:
    return f"{count} face" if count == 1 else f"{count} faces"


def _annotated(result: VideoResult) -> Path | None:
    """Return the annotated video if it is there: somebody may have emptied the cache folder."""
    return result.annotated if result.annotated and result.annotated.is_file() else None
