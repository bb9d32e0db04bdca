"""Results as tables and files: of pictures, and of the faces in a video."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.faces import annotated_png
from fer_core.files import no_formula, write_rows
from fer_core.inference.tracking import MEMORY_SECONDS
from fer_core.labels import EXPRESSIONS
from fer_core.names import normal_name, readable
from fer_core.types import FaceResult, Image

if TYPE_CHECKING:
    from fer_core.inference.stream import FrameResult, TrackedFace

PICTURE_COLUMNS: Final = ("file", "error", "face", "x", "y", "width", "height", "expression", *EXPRESSIONS)
"""Columns of `PictureResult.rows`: the picture, why it cannot be used, and a face as in `FACE_COLUMNS`."""

FACE_COLUMNS: Final = ("seconds", "face", "x", "y", "width", "height", "expression", *EXPRESSIONS)
"""Time, the face's number, its box in pixels, the most probable expression, the seven probabilities."""

GAP_SECONDS: Final = MEMORY_SECONDS
GAP_STEPS: Final = 3.0
"""A step from frame to frame that is longer than both, the second in usual steps, is a gap in the recording."""

Row = tuple[float | int | str | None, ...]
"""One row of `FACE_COLUMNS`."""


@dataclass(frozen=True)
class PictureResult:
    """The faces that one model found in one picture.

    Attributes:
        file: the `readable` name of the picture.
        model: the name of the model.
        faces: largest first.
        error: why the picture cannot be used, one sentence.
    """

    file: str
    model: str
    faces: tuple[FaceResult, ...] = ()
    error: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", readable(self.file))

    def as_dict(self) -> dict[str, Any]:
        """Return all but the model as JSON types."""
        return {"file": self.file, "error": self.error, "faces": [face.as_dict() for face in self.faces]}

    def rows(self) -> list[list[Any]]:
        """Return one row of `PICTURE_COLUMNS` per face; without faces one row, with the error if there is one."""
        rows = [[self.file, None, number, *face.as_row()] for number, face in enumerate(self.faces, 1)]
        return rows or [[self.file, self.error, *[None] * (len(PICTURE_COLUMNS) - 2)]]


def results_json(results: Sequence[PictureResult]) -> str:
    """Return results as a JSON list with one entry per picture and model."""
    entries = [{**result.as_dict(), "model": result.model} for result in results]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def results_csv(results: Sequence[PictureResult]) -> str:
    """Return results as CSV with `PICTURE_COLUMNS` and `model`."""
    stream = io.StringIO()
    write_rows(stream, [[*PICTURE_COLUMNS, "model"]])
    write_rows(stream, ([*row, result.model] for result in results for row in result.rows()))
    return stream.getvalue()


def results_table(results: Sequence[PictureResult]) -> pd.DataFrame:
    """Return results for people to read, with one row per face."""
    rows = [
        {
            "File": no_formula(result.file),
            "Face": number,
            "Expression": face.expression,
            "Probability": face.confidence,
            **dict(zip(EXPRESSIONS, map(float, face.probabilities), strict=True)),
            "Model": result.model,
        }
        for result in results
        for number, face in enumerate(result.faces, 1)
    ]
    return pd.DataFrame(rows)


def annotated_zip(pictures: Iterable[tuple[str, Image, Sequence[FaceResult]]]) -> bytes:
    """Return a zip of PNG files, each a picture with numbered boxes around its faces.

    Args:
        pictures: the file name, the RGB picture and the faces of each.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:  # no compression: PNG files are compressed already
        for number, (name, image, faces) in enumerate(pictures, 1):
            archive.writestr(f"{number:03d}-{_safe_stem(name)}-annotated.png", annotated_png(image, faces))
    return stream.getvalue()


def face_row(face: TrackedFace, seconds: float) -> Row:
    """Return a face as a row of `FACE_COLUMNS`."""
    return seconds, face.number, *face.result.as_row()


def frame_rows(found: FrameResult) -> list[Row]:
    """Return one row per face of a frame; for a frame without faces, one row that contains only its time."""
    seconds = round(found.seconds, 6)
    rows = [face_row(face, seconds) for face in found.faces]
    return rows or [(seconds, *[None] * 6, *[np.nan] * len(EXPRESSIONS))]


def face_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Return rows as a table with the columns and types of every face table.

    `face` is an integer or missing, `expression` a string or missing, all other columns are floats.
    """
    table = pd.DataFrame(rows, columns=list(FACE_COLUMNS))
    floats = {name: np.float64 for name in FACE_COLUMNS if name not in {"face", "expression"}}
    return table.astype({"face": "Int64", "expression": "str", **floats})


def time_shares(table: pd.DataFrame, end: float) -> pd.DataFrame:
    """Return how long each expression was shown, for all faces together and for each face.

    A frame lasts until the next analysed one, and the last frame until `end`; gaps in the recording do not count.
    Shares are of the time in which the face was found.

    Args:
        table: a face table.
        end: end of the analysed part, in seconds.

    Returns:
        Columns `face` (missing for all faces together), `expression`, `seconds`, `share`, with seven rows for all
        faces together and for each face. Without faces it has no rows.
    """
    faces = _with_durations(table, end).dropna(subset="face")
    together = faces.assign(face=pd.array([pd.NA] * len(faces), dtype="Int64"))
    groups = [together, *(part for _, part in faces.groupby("face"))] if len(faces) else []
    return pd.concat([_shares(part) for part in groups], ignore_index=True) if groups else _shares(faces)[:0]


def expression_runs(table: pd.DataFrame, end: float) -> pd.DataFrame:
    """Return the intervals in which a face shows one expression without interruption.

    Args:
        table: a face table.
        end: end of the analysed part, in seconds.

    Returns:
        Columns `face`, `expression`, `start`, `end`. An interval ends if the face is missing in a frame, and at a gap.
    """
    faces = _with_durations(table, end).dropna(subset="face").sort_values(["face", "seconds"], kind="stable")
    before = faces.shift()
    new = (
        (faces["face"] != before["face"]).fillna(True)
        | (faces["expression"] != before["expression"]).fillna(True)
        | (faces["frame"] != before["frame"] + 1)
    )
    grouped = faces.assign(until=faces["seconds"] + faces["duration"]).groupby(new.cumsum())
    runs = grouped.agg(
        face=("face", "first"), expression=("expression", "first"), start=("seconds", "first"), end=("until", "last")
    )
    return runs.reset_index(drop=True)


def share_not_sure(table: pd.DataFrame, end: float, face: int, below: float) -> float:
    """Return the share of the time of one face in which its most probable expression is below a confidence.

    Args:
        table: a face table.
        end: end of the analysed part, in seconds.
        face: the face's number.
        below: confidence, 0 to 1.
    """
    table = _with_durations(table, end)
    one = table[(table["face"] == face).fillna(False)]
    unsure = one.loc[one[list(EXPRESSIONS)].max(axis=1) < below, "duration"].sum()
    return float(unsure / max(one["duration"].sum(), 1e-9))


def seconds_without_face(table: pd.DataFrame, end: float) -> float:
    """Return the time in which no face was found, without the gaps in the recording."""
    table = _with_durations(table, end)
    return float(table.loc[table["face"].isna(), "duration"].sum())


def timeline_points(table: pd.DataFrame, face: int, points: int = 400) -> pd.DataFrame:
    """Return one face's probabilities over time, reduced to a number of points that can be drawn.

    Args:
        table: a face table.
        face: the face's number.
        points: approximate maximum number of rows. A longer timeline is averaged over intervals of equal length, which
            end at gaps.

    Returns:
        Columns `seconds` and the seven expressions.
    """
    timed = _with_durations(table, float("-inf"))
    columns = ["seconds", *EXPRESSIONS]
    found = timed[(timed["face"] == face).fillna(False)]
    if len(found) <= points:
        return found[columns].reset_index(drop=True)
    recorded = found["seconds"] - found["paused"]
    interval = ((recorded - recorded.min()) / np.ptp(recorded) * points).astype(int).clip(upper=points - 1)
    return found.groupby(["paused", interval.rename("interval")])[columns].mean().reset_index(drop=True)


def recording_gaps(times: Sequence[float], end: float) -> list[tuple[float, float]]:
    """Return start and end of the gaps in a recording, in seconds.

    Args:
        times: of the analysed frames, in seconds.
        end: end of the analysed part, in seconds.
    """
    moments = np.unique(np.asarray(times, np.float64))
    durations, gaps = _durations(moments, end)
    starts = (moments + durations)[gaps > 0]
    return list(zip(starts.tolist(), (starts + gaps[gaps > 0]).tolist(), strict=True))


def gap_note(gaps: Sequence[tuple[float, float]]) -> str | None:
    """Return a sentence about the gaps in a recording, or None if there are none."""
    if not gaps:
        return None
    return (
        f"The recording has gaps. Frames are missing for {sum(end - start for start, end in gaps):,.1f} seconds, from "
        f"second {gaps[0][0]:,.1f} on; this time is not counted, and faces get new numbers after it."
    )


def _durations(times: NDArray[np.float64], end: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how long each frame lasts and the gap after it, in seconds. Before a gap it lasts for a usual step.

    The usual step is the lower quartile, which a few long ones do not change.
    """
    if not len(times):
        return times, times
    steps = np.append(times[1:], max(end, times[-1])) - times
    usual = np.quantile(steps, 0.25, method="lower")
    gaps = np.where(steps > max(GAP_SECONDS, GAP_STEPS * usual), steps - usual, 0.0)
    return steps - gaps, gaps


def _with_durations(table: pd.DataFrame, end: float) -> pd.DataFrame:
    """Add `frame`, its index, which a gap increases by one; `duration`; and `paused`, the seconds of gaps before it."""
    times, frame = np.unique(table["seconds"].to_numpy(np.float64), return_inverse=True)
    durations, gaps = _durations(times, end)
    index = np.arange(len(times)) + np.cumsum(gaps > 0) - (gaps > 0)
    paused = np.cumsum(gaps) - gaps
    return table.assign(frame=index[frame], duration=durations[frame], paused=paused[frame])


def _shares(faces: pd.DataFrame) -> pd.DataFrame:
    seconds = faces.groupby("expression")["duration"].sum().reindex(list(EXPRESSIONS), fill_value=0.0)
    number = faces["face"].iloc[0] if len(faces) else pd.NA
    return pd.DataFrame(
        {
            "face": pd.array([number] * len(seconds), dtype="Int64"),
            "expression": list(EXPRESSIONS),
            "seconds": seconds.to_numpy(np.float64),
            "share": seconds.to_numpy(np.float64) / max(float(seconds.sum()), 1e-9),
        }
    )


def _safe_stem(name: str) -> str:
    """Return the stem of a file name with only characters that are allowed in any zip and on any disk."""
    stem = PurePath(normal_name(name)).stem
    return re.sub(r'[\x00-\x1f<>:"/|?*]', "_", stem).strip(". ")[:80] or "picture"
