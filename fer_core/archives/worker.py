"""A worker: holds one classifier and one detector, and writes one table for each task."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from fer_core.archives.job import Job
from fer_core.archives.places import Place, opened, short_name, shown
from fer_core.archives.plan import Task
from fer_core.data import read_image
from fer_core.inference import FaceAnalyzer
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.tables import FACE_COLUMNS, PICTURE_COLUMNS
from fer_core.inference.video import FILE_SETTINGS, analyze_video
from fer_core.types import FerError

TYPES: Final = {"file": pa.string(), "error": pa.string(), "expression": pa.string(), "face": pa.int64()}
SCHEMAS: Final = {
    kind: pa.schema([(name, TYPES.get(name, pa.float64())) for name in names])
    for kind, names in (("photos", PICTURE_COLUMNS), ("videos", ("file", "error", *FACE_COLUMNS)))
}
"""Columns of the results: `PICTURE_COLUMNS`; or `FACE_COLUMNS` of each video, with its name and errors. What a row does
not have is missing: the error of a face, the face of an error. A photo or frame without faces has one row."""


class Done(NamedTuple):
    """A task whose partition is written: its number of files and of rows with a face, when it was done, and where.

    Attributes:
        started, ended: seconds since 1970.
    """

    name: str
    files: int
    faces: int
    started: float
    ended: float
    machine: str


class Worker:
    """Analyse files and write tables. Thread-safe.

    Args:
        job: what to do.
        out: the folder of results.
        machine: name of this machine; by default its host name.
        check: called before each file and after each frame; may raise to end the work.
    """

    def __init__(
        self, job: Job, out: str, machine: str | None = None, check: Callable[[], None] = lambda: None
    ) -> None:
        self._job, self._out, self._check = job, Place.of(out), check
        self._machine = machine or socket.gethostname()
        self._analyzer = FaceAnalyzer(job.classifier(), job.detector(), job.flip)

    def do(self, task: Task) -> Done:
        """Do a task.

        Raises:
            FerError: the partition cannot be written.
        """
        started = time.time()
        schema = SCHEMAS[self._job.kind]
        columns = zip(*(row for file in task.files for row in self._rows(file, len(schema))), strict=True)
        arrays = [pa.array(column, field.type, from_pandas=True) for column, field in zip(columns, schema, strict=True)]
        table = pa.table(arrays, schema)
        stream = io.BytesIO()
        pq.write_table(table, stream, compression="zstd")
        self._out.child(task.name).write(stream.getvalue())
        faces = len(table) - table["face"].null_count
        return Done(task.name, len(task.files), faces, started, time.time(), self._machine)

    def _rows(self, file: str, width: int) -> list[tuple[Any, ...]]:
        """Return the rows of a file; a file that cannot be used must not end the work on all others."""
        self._check()
        job, name, empty = self._job, short_name(file), (None,) * (width - 2)
        rows: list[tuple[Any, ...]] = []
        errors: Sequence[str] = ()
        try:
            with opened(file) as source:
                if job.kind == "photos":
                    image = read_image(source if isinstance(source, Path) else source.read(), name)
                    faces = self._analyzer.analyze(image, whole_image=job.whole_image)
                    rows = [(number, *face.as_row()) for number, face in enumerate(faces, 1)] or [empty]
                else:
                    settings = replace(FILE_SETTINGS, flip=job.flip, smoothing=job.smoothing)
                    stream = StreamAnalyzer(self._analyzer.classifier, self._analyzer.detector, settings)
                    video = analyze_video(source, stream, job.rate, on_progress=lambda _: self._check(), name=name)
                    rows, errors = list(video.table.itertuples(index=False)), video.notes
        except FerError as error:
            errors = [str(error)]
        except Exception as error:  # decoders raise many types of errors for damaged files
            errors = [f"{name} could not be analysed ({type(error).__name__})."]
        return [(shown(file), None, *row) for row in rows] + [(shown(file), error, *empty) for error in errors]
