"""How to analyse an archive, and a worker that does it: it holds one classifier, and writes one table for each task."""

from __future__ import annotations

import hashlib
import io
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from fer_core.archives.storage import Location, opened, short_name, shown
from fer_core.data import read_image
from fer_core.faces import (
    DetectorUnavailable,
    FaceDetector,
    FallbackDetector,
    YuNetDetector,
    default_detector,
    yunet_path,
)
from fer_core.faces.detector import FALLBACK_NAME
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.inference.face_table import FACE_COLUMNS
from fer_core.inference.pictures import PICTURE_COLUMNS, result_row
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, analyze_video
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

Kind = Literal["photos", "videos"]

TYPES: Final = {"file": pa.string(), "error": pa.string(), "expression": pa.string(), "face": pa.int64()}
SCHEMAS: Final = {
    kind: pa.schema([(name, TYPES.get(name, pa.float64())) for name in names])
    for kind, names in (("photos", PICTURE_COLUMNS), ("videos", ("file", "error", *FACE_COLUMNS)))
}
"""Columns of the results: `PICTURE_COLUMNS`; or `FACE_COLUMNS` of each video, with its name and errors. What a row does
not have is missing: the error of a face, the face of an error. A photo or frame without faces has one row."""


@dataclass(frozen=True)
class Job:
    """How to analyse an archive. It is sent to each worker, so that all of them use the same files.

    Attributes:
        kind: `photos` or `videos`.
        model: name of the model.
        weights: content of its LiteRT file.
        preprocessing: its preprocessing.
        yunet: content of YuNet's file; None for the fallback.
        note: a sentence about the detector's limits, or None.
        flip: average each face with its mirror image.
        whole_image: photos: take each as one face crop.
        rate: videos: frames per second to analyse; None for all.
        smoothing: videos: time constant of the smoothing in seconds; 0 for none.
    """

    kind: Kind
    model: str
    weights: bytes
    preprocessing: str
    yunet: bytes | None
    note: str | None = None
    flip: bool = False
    whole_image: bool = False
    rate: float | None = None
    smoothing: float = 0.0

    @classmethod
    def of(cls, kind: Kind, model: StoredModel, **settings: Any) -> Job:
        """Return a job for a stored model with YuNet, or with the fallback where YuNet's file is not available.

        Args:
            kind: `photos` or `videos`.
            model: a model that can predict.
            settings: `flip`, `whole_image`, `rate` or `smoothing`.

        Raises:
            FerError: as `StoredModel.content`.
        """
        yunet, note = None, None
        try:
            yunet = yunet_path().read_bytes()
        except DetectorUnavailable:
            note = default_detector().note
        return cls(kind, model.name, model.content(), model.card.preprocessing, yunet, note, **settings)

    def settings(self) -> dict[str, Any]:
        """Return what the results depend on, as JSON types with names for people."""
        of_kind: dict[str, Any] = {"whole_image": self.whole_image}
        if self.kind == "videos":
            of_kind = {"rate": self.rate, "smoothing": self.smoothing, "faces end": "at cuts"}
        return {
            "model": self.model,
            "model file": hashlib.sha256(self.weights).hexdigest(),
            "detector": "YuNet" if self.yunet else FALLBACK_NAME,
            "flip": self.flip,
            **of_kind,
        }

    def analyzer(self) -> FaceAnalyzer:
        """Return classifier and detector, with one thread: parallel workers already use all cores."""
        classifier = Classifier(self.weights, threads=1, preprocessing=self.preprocessing)
        return FaceAnalyzer(classifier, self._detector(), flip=self.flip)

    def _detector(self) -> FaceDetector:
        if self.yunet is None:
            return FallbackDetector(self.note)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "yunet.onnx"
            path.write_bytes(self.yunet)
            return YuNetDetector(path)


class Task(NamedTuple):
    """A partition to write, by one worker: its file name in the folder of results, and the files to analyse."""

    name: str
    files: tuple[str, ...]


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
    """Analyse files and write tables.

    Args:
        job: what to do.
        out: the folder of results.
        machine: name of this machine; by default its host name.
    """

    def __init__(self, job: Job, out: str, *, machine: str | None = None) -> None:
        self._job, self._out = job, Location.of(out)
        self._machine = machine or socket.gethostname()
        self._analyzer = job.analyzer()

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
        name, empty = short_name(file), (None,) * (width - 2)
        rows: list[tuple[Any, ...]] = []
        errors: Sequence[str] = ()
        try:
            with opened(file) as source:
                if self._job.kind == "photos":
                    image = read_image(source if isinstance(source, Path) else source.read(), name)
                    faces = self._analyzer.analyze(image, whole_image=self._job.whole_image)
                    rows = [(number, *result_row(face)) for number, face in enumerate(faces, 1)] or [empty]
                else:
                    settings = replace(FILE_SETTINGS, flip=self._job.flip, smoothing=self._job.smoothing)
                    stream = StreamAnalyzer(self._analyzer.classifier, self._analyzer.detector, settings=settings)
                    video = analyze_video(source, stream, rate=self._job.rate, name=name)
                    rows, errors = list(video.table.itertuples(index=False)), video.notes
        except FerError as error:
            errors = [str(error)]
        except Exception as error:  # decoders raise many types of errors for damaged files
            errors = [f"{name} could not be analysed ({type(error).__name__})."]
        return [(shown(file), None, *row) for row in rows] + [(shown(file), error, *empty) for error in errors]
