"""Films to tables: the faces of each frame of a part, and the parts of a film put together with numbers of faces."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fer_core.archives.photos import unexpected
from fer_core.archives.places import Place, shown
from fer_core.inference import FaceAnalyzer
from fer_core.inference.cuts import LOOK_SIZE, SCENE_SIZE, look, scene
from fer_core.inference.tables import FACE_COLUMNS, Row, gap_note, recording_gaps
from fer_core.inference.tracking import FaceTracker, Smoother
from fer_core.inference.video_reader import VideoReader, damage_note
from fer_core.labels import EXPRESSIONS
from fer_core.threads import in_parallel
from fer_core.types import Face, FaceResult, FerError

FILM_SUFFIXES: Final = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv")
"""File name extensions of films in folders."""

_TEXT: Final = {"file", "error", "expression"}
FILM_SCHEMA: Final = pa.schema(
    [
        (name, pa.string() if name in _TEXT else pa.int64() if name == "face" else pa.float64())
        for name in ("file", "error", *FACE_COLUMNS)
    ]
)
"""Types of the results: `FACE_COLUMNS` of each film, with its name and errors. A frame without faces has one row."""

PIECE_SCHEMA: Final = pa.schema(
    [
        ("seconds", pa.float64()),
        ("size", pa.list_(pa.int64())),
        ("scene", pa.binary()),
        ("boxes", pa.list_(pa.list_(pa.float64()))),
        ("looks", pa.list_(pa.binary())),
        ("probabilities", pa.list_(pa.list_(pa.float32()))),
    ]
)
"""A piece of a film: one row a frame, with width and height in pixels and a small picture of the scene; box, small
picture and probabilities of each face. Boxes are missing for a frame that could not be analysed."""

_NO_CROP: Final = np.zeros((48, 48), np.uint8)
_NO_TRANSFORM: Final = np.eye(2, 3)


@dataclass(frozen=True)
class FilmAnalyzer:
    """How to analyse films.

    Attributes:
        faces: finds and classifies the faces of a frame.
        rate: frames per second to analyse; None for all.
        smoothing: time constant of the smoothing in seconds; 0 for none.
        check: called before each frame; may raise to end the work.
    """

    faces: FaceAnalyzer
    rate: float | None
    smoothing: float
    check: Callable[[], None]


@dataclass(frozen=True)
class Piece:
    """The faces of the frames of a part of a film, without numbers.

    Attributes:
        frames: rows of `PIECE_SCHEMA`.
        end: the end of its last frame in seconds; 0 without frames.
        declared: the film's length as the file says, or None.
        damaged: number of damaged frames and parts.
        error: why it cannot be read, or None.
    """

    frames: list[dict[str, Any]]
    end: float = 0.0
    declared: float | None = None
    damaged: int = 0
    error: str | None = None


def film_table(files: Sequence[str], films: FilmAnalyzer) -> pa.Table:
    """Return one row for each face in each frame of whole films, and one row for each error or note."""
    return pa.concat_tables([_joined(file, films, [_piece(file, films, 0.0, math.inf)]) for file in files])


def piece_table(file: str, films: FilmAnalyzer, start: float, stop: float) -> pa.Table:
    """Return the part of a film between two key frames, see `VideoReader.frames`, with `PIECE_SCHEMA`."""
    piece = _piece(file, films, start, stop)
    about = {"end": piece.end, "declared": piece.declared, "damaged": piece.damaged, "error": piece.error}
    return pa.Table.from_pylist(piece.frames, PIECE_SCHEMA.with_metadata({"piece": json.dumps(about)}))


def joined_table(file: str, films: FilmAnalyzer, pieces: Sequence[Place]) -> pa.Table:
    """Return the same as `film_table` from a film's pieces: faces get the numbers that they have in the whole film."""
    return _joined(file, films, (_read(place) for place in pieces))


def measured_seconds(files: Sequence[str]) -> list[float]:
    """Return the declared length of each film in seconds, 0 if it is unknown, unreadable or cannot be cut."""
    return list(in_parallel(_seconds, files))


def _seconds(file: str) -> float:
    try:
        with _opened(file) as video:
            return video.seconds or 0.0 if video.cuttable else 0.0
    except Exception:  # whoever reads it reports what is wrong
        return 0.0


@contextmanager
def _opened(file: str) -> Iterator[VideoReader]:
    place = Place.of(file)
    if place.is_local:
        with VideoReader(place.path) as video:
            yield video
        return
    name = PurePosixPath(place.path).name[:80]
    try:
        stream = place.filesystem.open_input_file(place.path)
    except FileNotFoundError as error:
        raise FerError(f"{name} does not exist. Check the address. Received: {shown(file)}") from error
    with stream, VideoReader(stream, name) as video:
        yield video


def _piece(file: str, films: FilmAnalyzer, start: float, stop: float) -> Piece:
    frames: list[dict[str, Any]] = []
    try:
        with _opened(file) as video:
            for seconds, image in video.frames(films.rate, start, stop):
                films.check()
                try:
                    detected = films.faces.detector.detect(image, thorough=False)
                    results = films.faces.classify(image, detected)
                except Exception:  # as in `StreamAnalyzer`: one frame must not end the film
                    frames.append({"seconds": seconds, "boxes": None})
                    continue
                frames.append(
                    {
                        "seconds": seconds,
                        "size": [image.shape[1], image.shape[0]],
                        "scene": scene(image).tobytes(),
                        "boxes": [list(map(float, result.face.box)) for result in results],
                        "looks": [look(result.crop).tobytes() for result in results],
                        "probabilities": [result.probabilities.tolist() for result in results],
                    }
                )
            return Piece(frames, video.end if frames else 0.0, video.seconds, video.damaged)
    except FerError as error:
        return Piece([], error=str(error))
    except Exception as error:  # decoders raise many types of errors for damaged files
        return Piece([], error=unexpected(file, error))


def _read(place: Place) -> Piece:
    table = pq.read_table(pa.BufferReader(place.read()))
    return Piece(table.to_pylist(), **json.loads(table.schema.metadata[b"piece"]))


def _joined(file: str, films: FilmAnalyzer, pieces: Iterator[Piece] | Sequence[Piece]) -> pa.Table:
    numbers = _Numbers(films.smoothing)
    rows: list[tuple[Any, ...]] = []
    times: list[float] = []
    failed, damaged, end = 0, 0, 0.0
    declared: float | None = None
    errors: list[str] = []
    for piece in pieces:
        for frame in piece.frames:
            rows += [(None, *row) for row in numbers.rows(frame)]
            times.append(frame["seconds"])
            failed += frame["boxes"] is None
        damaged += piece.damaged
        end, declared = max(end, piece.end), piece.declared if declared is None else declared
        errors += [piece.error] if piece.error else []
    name = PurePosixPath(shown(file)).name[:80]
    notes = [] if errors else [damage_note(name, declared, end, damaged), gap_note(recording_gaps(times, end))]
    errors += [note for note in notes if note]
    if failed:
        errors.append(f"{failed} of {len(times)} frames could not be analysed; they count as without a face.")
    width = len(FILM_SCHEMA)
    rows += [(error, *[None] * (width - 2)) for error in dict.fromkeys(errors)]
    columns = list(zip(*((shown(file), *row) for row in rows), strict=True)) or [()] * width
    return pa.table([pa.array(c, kind.type) for c, kind in zip(columns, FILM_SCHEMA, strict=True)], FILM_SCHEMA)


class _Numbers:
    """Gives the faces of a film's frames their numbers and smooths their probabilities, as `StreamAnalyzer` does."""

    def __init__(self, smoothing: float) -> None:
        self._smoothing = smoothing
        self._tracker = FaceTracker()
        self._smoothers: dict[int, Smoother] = {}

    def rows(self, frame: dict[str, Any]) -> list[Row]:
        """Return the rows of `FACE_COLUMNS` of a frame."""
        seconds = frame["seconds"]
        if frame["boxes"] is None:
            return [_empty(seconds)]
        width, height = frame["size"]
        self._tracker.see((width, height), _picture(frame["scene"], SCENE_SIZE))
        faces = [Face(tuple(box), 1.0) for box in frame["boxes"]]
        tracks = self._tracker.update(faces, [_picture(content, LOOK_SIZE) for content in frame["looks"]], seconds)
        known = [track.number for track in self._tracker.current(seconds)]
        self._smoothers = {number: self._smoothers.get(number, Smoother()) for number in known}
        rows: list[Row] = []
        found = zip(tracks, frame["probabilities"], strict=True)
        for track, probabilities in sorted(found, key=lambda one: one[0].number):
            values = [np.array(probabilities, np.float32)]
            (smooth,) = self._smoothers[track.number].add(values, seconds, self._smoothing)
            result = FaceResult(track.face, _NO_CROP, _NO_TRANSFORM, smooth)
            rows.append((round(seconds, 6), track.number, *result.as_row()))
        return rows or [_empty(seconds)]


def _picture(content: bytes, size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.frombuffer(content, np.uint8).reshape(size[::-1])


def _empty(seconds: float) -> Row:
    return (round(seconds, 6), *[None] * (6 + len(EXPRESSIONS)))
