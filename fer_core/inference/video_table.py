"""What was found in a video as tables: every face of every analysed frame, and how long each expression showed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from fer_core.inference.stream import FrameResult
from fer_core.labels import EXPRESSIONS

COLUMNS: Final = ("seconds", "face", "x", "y", "width", "height", "expression", *EXPRESSIONS)
"""Time, the face's number, its box in pixels, the most probable expression, the seven probabilities."""

Row = tuple[float | int | str | None, ...]
"""One row of `COLUMNS`."""


def frame_rows(found: FrameResult) -> list[Row]:
    """Return one row a face, or, for a frame without a face, one row that holds its time alone."""
    seconds = round(found.seconds, 6)
    rows: list[Row] = []
    for face in found.faces:
        entry = face.result.as_dict()
        rows.append((seconds, face.number, *entry["box"], entry["expression"], *entry["probabilities"].values()))
    return rows or [(seconds, *[None] * 6, *[np.nan] * len(EXPRESSIONS))]


def video_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Return rows as a table with the columns and types of every video table.

    `face` is a whole number or missing, `expression` a word or missing, all other columns are floats.
    """
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    floats = {name: np.float64 for name in COLUMNS if name not in {"face", "expression"}}
    return table.astype({"face": "Int64", "expression": "str", **floats})


def time_shares(table: pd.DataFrame, end: float) -> pd.DataFrame:
    """Return how long each expression showed, for each face and for all together.

    A frame counts until the next analysed one, the last until `end`. A share is of the time that the face was found.

    Args:
        table: a video table.
        end: where the analysed part ends, in seconds.

    Returns:
        Columns `face` (missing: all faces together), `expression`, `seconds`, `share`; seven rows each, all faces
        together first. No rows if there is no face.
    """
    faces = _with_durations(table, end).dropna(subset="face")
    together = faces.assign(face=pd.array([pd.NA] * len(faces), dtype="Int64"))
    groups = [together, *(part for _, part in faces.groupby("face"))] if len(faces) else []
    return pd.concat([_shares(part) for part in groups], ignore_index=True) if groups else _shares(faces)[:0]


def expression_runs(table: pd.DataFrame, end: float) -> pd.DataFrame:
    """Return each stretch of time in which a face shows one expression.

    Args:
        table: a video table.
        end: where the analysed part ends, in seconds.

    Returns:
        Columns `face`, `expression`, `start`, `end`; a face that is lost for a frame starts a new stretch.
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


def seconds_without_face(table: pd.DataFrame, end: float) -> float:
    """Return how long no face was found at all."""
    table = _with_durations(table, end)
    return float(table.loc[table["face"].isna(), "duration"].sum())


def timeline_points(table: pd.DataFrame, face: int, points: int = 400) -> pd.DataFrame:
    """Return one face's probabilities over time, few enough to draw.

    Args:
        table: a video table.
        face: its number.
        points: where it was found in more frames, as many stretches of equal length are averaged.

    Returns:
        Columns `seconds` and the seven expressions.
    """
    found = table.loc[(table["face"] == face).fillna(False), ["seconds", *EXPRESSIONS]]
    if len(found) <= points:
        return found.reset_index(drop=True)
    times = found["seconds"]
    stretch = ((times - times.min()) / (times.max() - times.min()) * points).astype(int).clip(upper=points - 1)
    return found.groupby(stretch.to_numpy()).mean().reset_index(drop=True)


def _with_durations(table: pd.DataFrame, end: float) -> pd.DataFrame:
    """Add `frame`, the number of the frame, and `duration`, the seconds until the next one."""
    times, frame = np.unique(table["seconds"].to_numpy(np.float64), return_inverse=True)
    until = np.append(times[1:], max(end, times[-1])) if len(times) else times
    return table.assign(frame=frame, duration=(until - times)[frame])


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
