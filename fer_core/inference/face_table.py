"""Tables of the faces in a video: a row for each face and frame, and how long each expression lasts.

A frame lasts until the next analysed one, and the last frame until the end of the analysed part, `end` in seconds. Gaps
in the recording do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.inference.pictures import result_columns, result_row
from fer_core.labels import EXPRESSIONS

if TYPE_CHECKING:
    from fer_core.inference.stream import FrameResult, TrackedFace

GAP_SECONDS, GAP_STEPS = 2.0, 3.0  # a step between frames longer than this and than this many usual ones is a gap

Row = tuple[Any, ...]  # of `face_columns`
Classes = tuple[str, ...]  # of the model


def face_columns(classes: Classes = EXPRESSIONS) -> tuple[str, ...]:
    """Return time, the face's number, and the columns of `result_row`."""
    return ("seconds", "face", *result_columns(classes))


def video_columns(classes: Classes = EXPRESSIONS) -> tuple[str, ...]:
    """Return the columns of `face_table`. `frame` is the number of the analysed frame, from 0."""
    return (*face_columns(classes), "frame")


def face_row(face: TrackedFace, seconds: float) -> Row:
    """Return a face as a row of `face_columns`."""
    return seconds, face.number, *result_row(face.result)


def frame_rows(frame: FrameResult, classes: Classes = EXPRESSIONS) -> list[Row]:
    """Return one row per face of a frame; for a frame without faces, one row that contains only its time."""
    seconds = round(frame.seconds, 6)
    return [face_row(face, seconds) for face in frame.faces] or [(seconds, *[None] * (len(face_columns(classes)) - 1))]


def face_table(rows: Sequence[Row], classes: Classes = EXPRESSIONS) -> pd.DataFrame:
    """Return rows as a table of `video_columns`: `face` is an integer, `expression` text and `sure` a boolean, or
    missing; `frame` is an integer; all else are floats."""
    columns = face_columns(classes)
    types = dict.fromkeys(columns, "float64") | {"face": "Int64", "expression": "str", "sure": "boolean"}
    table = pd.DataFrame(rows, columns=list(columns)).astype(types)
    return table.assign(frame=table["seconds"].rank(method="dense").astype("int64") - 1)


def time_shares(table: pd.DataFrame, end: float, *, classes: Classes = EXPRESSIONS) -> pd.DataFrame:
    """Return how long each expression was shown, as a share of the time in which the face was found.

    Returns:
        Columns `face` (missing for all faces together), `expression`, `seconds`, `share`, with a row per class for all
        faces together and for each face. Without faces it has no rows.
    """
    faces = _with_durations(table, end).dropna(subset="face")
    both = pd.concat([faces.assign(face=0), faces])  # 0: all faces together
    every = pd.MultiIndex.from_product([sorted(both["face"].unique()), classes], names=["face", "expression"])
    seconds = both.groupby(["face", "expression"])["_duration"].sum().reindex(every, fill_value=0.0)
    shares = pd.DataFrame({"seconds": seconds}).reset_index()
    shares["share"] = shares["seconds"] / shares.groupby("face")["seconds"].transform("sum").clip(lower=1e-9)
    return shares.assign(face=shares["face"].astype("Int64").where(shares["face"] > 0))


def expression_runs(table: pd.DataFrame, end: float) -> pd.DataFrame:
    """Return the intervals in which a face shows one expression without interruption.

    Returns:
        Columns `face`, `expression`, `start`, `end`. An interval ends if the face is missing in a frame, and at a gap.
    """
    faces = _with_durations(table, end).dropna(subset="face").sort_values(["face", "seconds"], kind="stable")
    before = faces.shift()
    new = (
        (faces["_step"] != before["_step"] + 1)
        | (faces["face"] != before["face"])
        | (faces["expression"] != before["expression"])
    )
    grouped = faces.assign(_until=faces["seconds"] + faces["_duration"]).groupby(new.cumsum())
    runs = grouped.agg(
        face=("face", "first"), expression=("expression", "first"), start=("seconds", "first"), end=("_until", "last")
    )
    return runs.reset_index(drop=True)


def share_not_sure(
    table: pd.DataFrame, end: float, *, face: int, below: float, classes: Classes = EXPRESSIONS
) -> float:
    """Return the share of a face's time in which no probability reaches `below`, a confidence from 0 to 1."""
    table = _with_durations(table, end)
    rows = table[(table["face"] == face).fillna(False)]
    unsure = rows.loc[rows[list(classes)].max(axis=1) < below, "_duration"].sum()
    return float(unsure / max(rows["_duration"].sum(), 1e-9))


def seconds_without_face(table: pd.DataFrame, end: float) -> float:
    """Return the time in which no face was found."""
    table = _with_durations(table, end)
    return float(table.loc[table["face"].isna(), "_duration"].sum())


def timeline_points(
    table: pd.DataFrame, face: int, *, points: int = 400, classes: Classes = EXPRESSIONS
) -> pd.DataFrame:
    """Return one face's probabilities over time, reduced to a number of points that can be drawn.

    A timeline of more than about `points` rows is averaged over intervals of equal length, which end at gaps.

    Returns:
        Columns `seconds` and the classes.
    """
    timed = _with_durations(table, float("-inf"))
    columns = ["seconds", *classes]
    rows = timed[(timed["face"] == face).fillna(False)]
    if len(rows) <= points:
        return rows[columns].reset_index(drop=True)
    recorded = rows["seconds"] - rows["_paused"]
    interval = ((recorded - recorded.min()) / np.ptp(recorded) * points).astype(int).clip(upper=points - 1)
    return rows.groupby(["_paused", interval.rename("interval")])[columns].mean().reset_index(drop=True)


def recording_gaps(times: Sequence[float], end: float) -> list[tuple[float, float]]:
    """Return start and end of the gaps between the times of frames, in seconds."""
    moments = np.unique(np.asarray(times, np.float64))
    durations, gaps = _durations(moments, end)
    starts = (moments + durations)[gaps > 0]
    return list(zip(starts.tolist(), (starts + gaps[gaps > 0]).tolist(), strict=True))


def _durations(times: NDArray[np.float64], end: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how long each frame lasts and the gap after it, in seconds. Before a gap it lasts for a usual step.

    The usual step is the lower quartile of those between frames, which a few long ones do not change.
    """
    if not len(times):
        return times, times
    steps = np.append(times[1:], max(end, times[-1])) - times
    usual = np.quantile(np.diff(times) if len(times) > 1 else steps, 0.25, method="lower")
    gaps = np.where(steps > max(GAP_SECONDS, GAP_STEPS * usual), steps - usual, 0.0)
    return steps - gaps, gaps


def _with_durations(table: pd.DataFrame, end: float) -> pd.DataFrame:
    """Add `_step`, the frame's index, which a gap increases by one; `_duration`; and `_paused`, seconds of gaps before.

    No class has such a name.
    """
    times, frame = np.unique(table["seconds"].to_numpy(np.float64), return_inverse=True)
    durations, gaps = _durations(times, end)
    index = np.arange(len(times)) + np.cumsum(gaps > 0) - (gaps > 0)
    paused = np.cumsum(gaps) - gaps
    return table.assign(_step=index[frame], _duration=durations[frame], _paused=paused[frame])
