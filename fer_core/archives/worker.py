"""A worker: holds one classifier and one detector, and writes one file for each task."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fer_core.archives.films import FilmAnalyzer, film_table, joined_table, piece_table
from fer_core.archives.job import Job
from fer_core.archives.photos import photo_table
from fer_core.archives.places import Place
from fer_core.archives.plan import PIECES, Task
from fer_core.inference import FaceAnalyzer


@dataclass(frozen=True)
class Done:
    """A task that is done and its file written.

    Attributes:
        name: of the task.
        files: number of files that it finished.
        faces: number of rows with a face.
        errors: number of rows with an error.
        started, ended: seconds since 1970.
        machine: where it ran.
    """

    name: str
    files: int
    faces: int
    errors: int
    started: float
    ended: float
    machine: str


class Worker:
    """Analyse files and write tables. Thread-safe.

    Args:
        job: what to do.
        out: the folder of results.
        machine: name of this machine; by default its host name.
        check: called before each file and frame; may raise to end the work.
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
            FerError: the result cannot be written.
        """
        started = time.time()
        table = self._table(task)
        stream = io.BytesIO()
        pq.write_table(table, stream, compression="zstd")
        self._out.child(task.name).write(stream.getvalue())
        whole = not task.name.startswith(PIECES)
        faces, errors = (_filled(table, name) if whole else 0 for name in ("face", "error"))
        files = len(task.files) if whole else 0
        return Done(task.name, files, faces, errors, started, time.time(), self._machine)

    def _table(self, task: Task) -> pa.Table:
        if self._job.kind == "photos":
            return photo_table(task.files, self._analyzer, self._job.whole_image, self._check)
        films = FilmAnalyzer(self._analyzer, self._job.rate, self._job.smoothing, self._check)
        if task.piece:
            return piece_table(task.files[0], films, *task.piece)
        if task.join:
            return joined_table(task.files[0], films, [self._out.child(name) for name in task.join])
        return film_table(task.files, films)


def _filled(table: pa.Table, name: str) -> int:
    return int(pc.sum(pc.is_valid(table[name])).as_py() or 0)
