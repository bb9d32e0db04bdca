"""Workers, each with one classifier, which write one table for each task, and where they run: here, or by Ray Data."""

from __future__ import annotations

import hashlib
import io
import logging
import multiprocessing
import os
import pickle
import signal
import socket
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

import fer_core
from fer_core.added import Takes
from fer_core.archives.storage import Location, Unreachable, opened, read_picture, short_name, shown
from fer_core.extras import extras
from fer_core.faces import DetectorUnavailable, FallbackDetector, YuNetDetector, default_detector, yunet_path
from fer_core.faces.detector import FALLBACK_NAME
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.inference.face_table import video_columns
from fer_core.inference.pictures import analyze_picture, picture_columns
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, analyze_video
from fer_core.labels import EXPRESSIONS
from fer_core.store.stored_model import StoredModel
from fer_core.threads import cores
from fer_core.types import FerError, reason

Kind = Literal["photos", "videos"]

RETRIES: Final = 5  # of a task by Ray, when its worker or its machine dies, before the command gives up

TYPES: Final = {
    **dict.fromkeys(("file", "error", "expression"), pa.string()),
    **dict.fromkeys(("face", "frame"), pa.int64()),
    "sure": pa.bool_(),
}


def columns_of(kind: Kind, classes: tuple[str, ...] = EXPRESSIONS) -> tuple[str, ...]:
    """Return the columns of the results: `picture_columns`; or `video_columns` of each video, with its name and errors.

    What a row does not have is missing: the error of a face, the face of an error. A photo or frame without faces has
    one row.
    """
    return picture_columns(classes) if kind == "photos" else ("file", "error", *video_columns(classes))


@dataclass(frozen=True)
class Job:
    """How to analyse an archive. It is sent to each worker, so that all of them use the same files."""

    kind: Kind
    model: str
    weights: bytes  # content of its file
    preprocessing: str
    classes: tuple[str, ...]
    yunet: bytes | None  # content of its file; None for the fallback
    not_sure_below: float = 0.0  # the model's threshold of the confidence
    note: str | None = None  # a sentence about the detector's limits
    flip: bool = False  # average each face with its mirror image
    takes: Takes | None = None  # how a file that was made elsewhere takes pictures
    whole_image: bool = False  # photos: take each as one face crop
    rate: float | None = None  # videos: frames to analyse per second; None for all
    smoothing: float = 0.0  # videos: its time constant in seconds; 0 for none

    @classmethod
    def of(cls, kind: Kind, model: StoredModel, **settings: Any) -> Job:
        """Return a job for a stored model with YuNet, or with the fallback where YuNet's file is not available."""
        yunet, note = None, None
        try:
            yunet = yunet_path().read_bytes()
        except DetectorUnavailable:
            note = default_detector().note
        card, takes = model.card, model.takes
        below = 0.0 if card.not_sure is None else card.not_sure.below
        about = (card.preprocessing, card.classes, yunet, below, note)
        return cls(kind, model.name, model.content(), *about, takes=takes, **settings)

    def settings(self) -> dict[str, Any]:
        """Return what the results depend on, as JSON types with names for people."""
        settings = {
            "model": self.model,
            "model file": hashlib.sha256(self.weights).hexdigest(),
            "not sure below": self.not_sure_below,
            "detector": "YuNet" if self.yunet else FALLBACK_NAME,
            "flip": self.flip,
        }
        if self.preprocessing != "none":  # what is usual is left out, as in older plans
            settings["preprocessing"] = self.preprocessing
        if self.classes != EXPRESSIONS:
            settings["classes"] = list(self.classes)
        if self.takes:
            settings["takes"] = {**asdict(self.takes), "classes": list(self.takes.classes)}
        if self.kind == "photos":
            return {**settings, "whole_image": self.whole_image}
        return {**settings, "rate": self.rate, "smoothing": self.smoothing, "faces end": "at cuts"}


class Task(NamedTuple):
    """A partition to write, by one worker: its file name in the folder of results, and the files to analyse."""

    name: str
    files: tuple[str, ...]


class Done(NamedTuple):
    """A task whose partition is written: its numbers of files and of rows with a face, when (in seconds since 1970) and
    where it was done. Or one whose partition is not written, because a file could not be reached: why."""

    name: str
    files: int
    faces: int
    started: float
    ended: float
    machine: str
    unreachable: str = ""


class Worker:
    """Analyse files and write tables into a folder of results. `machine` is by default the host's name."""

    def __init__(self, job: Job, out: str, *, machine: str | None = None) -> None:
        self._job, self._out = job, Location.of(out)
        self._machine = machine or socket.gethostname()
        names = ("preprocessing", "not_sure_below", "classes", "takes")
        options: dict[str, Any] = {name: getattr(job, name) for name in names}
        classifier = Classifier(job.weights, threads=1, **options)  # workers use all cores
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "yunet.onnx"
            path.write_bytes(job.yunet or b"")
            detector = YuNetDetector(path) if job.yunet else FallbackDetector(job.note)
        self._analyzer = FaceAnalyzer(classifier, detector, flip=job.flip)

    def do(self, task: Task) -> Done:
        """Do a task; a `FerError` if the partition cannot be written."""
        started = time.time()
        job, names = self._job, columns_of(self._job.kind, self._job.classes)
        schema = pa.schema([(name, TYPES.get(name, pa.float64())) for name in names])
        settings: dict[str, Any] = {"whole_image": job.whole_image, "rate": job.rate, "smoothing": job.smoothing}
        try:
            rows = [row for file in task.files for row in analyze_file(file, job.kind, self._analyzer, **settings)]
        except Unreachable as error:
            return Done(task.name, 0, 0, started, time.time(), self._machine, str(error))
        columns = zip(*rows, strict=True)
        arrays = [pa.array(column, field.type, from_pandas=True) for column, field in zip(columns, schema, strict=True)]
        table = pa.table(arrays, schema)
        stream = io.BytesIO()
        pq.write_table(table, stream, compression="zstd")
        self._out.child(task.name).write(stream.getvalue())
        faces = len(table) - table["face"].null_count
        return Done(task.name, len(task.files), faces, started, time.time(), self._machine)


def analyze_file(
    address: str,
    kind: Kind,
    analyzer: FaceAnalyzer,
    *,
    whole_image: bool = False,
    rate: float | None = None,
    smoothing: float = 0.0,
) -> list[Sequence[Any]]:
    """Return the rows of a file with `columns_of` its kind; one that cannot be used has a row with its error.

    The settings are those of `Job`. A file that cannot be reached raises `Unreachable`.
    """
    name, rows = short_name(address), []
    errors: Sequence[str] = ()
    try:
        if kind == "photos":
            image = read_picture(address)
            return list(analyze_picture(lambda: image, analyzer, file=shown(address), whole_image=whole_image).rows())
        with opened(address) as source:
            settings = replace(FILE_SETTINGS, flip=analyzer.flip, smoothing=smoothing)
            stream = StreamAnalyzer(analyzer.classifier, analyzer.detector, settings=settings)
            video = analyze_video(source, stream, rate=rate, name=name)
            rows, errors = [(shown(address), None, *row) for row in video.table.itertuples(index=False)], video.notes
    except Unreachable:
        raise
    except FerError as error:
        errors = [str(error)]
    except Exception as error:  # decoders raise many types of errors for damaged files
        errors = [f"{name} could not be analysed ({type(error).__name__})."]
    empty = [None] * (len(columns_of(kind, analyzer.classifier.classes)) - 2)
    return [*rows, *((shown(address), error, *empty) for error in errors)]


class LocalEngine:
    """Do tasks by processes of this machine, by default one for each core; a single worker is this process."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = cores() if workers is None else workers

    def run(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield each task when it is done, in any order. Whoever stops early does not wait for the others."""
        count = min(self.workers, len(tasks))
        if count == 1:
            yield from map(Worker(job, out).do, tasks)
            return
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))
        with tempfile.TemporaryDirectory(prefix="fer-archive-") as folder:
            file = Path(folder) / "job.pickle"  # through the pipe to a process that dies, so much would block
            file.write_bytes(pickle.dumps(job))
            try:
                for future in as_completed([pool.submit(_do, file, out, task) for task in tasks]):
                    yield future.result()
            except BrokenProcessPool as error:
                raise FerError(
                    "A process died, for instance because memory is short. Run the same command again to continue; if "
                    "it dies again, try fewer --workers."
                ) from error
            finally:  # also after Ctrl-C
                pool.shutdown(wait=False, cancel_futures=True)
                for process in set(multiprocessing.active_children()) - others:
                    process.terminate()

    def close(self) -> None:
        """Nothing is left to close."""


@cache
def _worker(job: Path, out: str) -> Worker:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command ends its processes itself
    return Worker(pickle.loads(job.read_bytes()), out)


def _do(job: Path, out: str, task: Task) -> Done:
    return _worker(job, out).do(task)


class RayEngine:
    """Do tasks by Ray Data: each actor holds one classifier, and takes tasks as it becomes free.

    When a worker or a machine dies, another one does its tasks.

    Args:
        address: of a cluster, for instance `auto` or `ray://host:10001`. By default, the connection that this process
            has already, or a Ray of its own on this machine, which ends with `close`.
        workers: number of actors; by default one for each core of the cluster.

    Raises:
        FerError: Ray is not installed, or there is no cluster at the address.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report its use to its makers
        with extras():
            import ray
            import ray.data
        self._owns = not ray.is_initialized()
        if self._owns:
            _connect(address, workers)
        self.workers = max(int(ray.cluster_resources().get("CPU", 1)), 1) if workers is None else workers

    def run(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield each task when it is done, in any order; a `FerError` if one failed, also after being tried anew."""
        import ray

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        # Ray's rows hold only text that is UTF-8.
        rows = [{"name": task.name, "files": [os.fsencode(file) for file in task.files]} for task in tasks]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray 2.60 has no other way to limit how often a task is tried
            done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
                _RayWorker,
                fn_constructor_args=(job, out),
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(self.workers, len(rows))),
                num_cpus=1,
                max_task_retries=RETRIES,
            )
        try:
            for row in done.iter_rows():
                yield Done(**row)
        except ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, FerError):
                raise FerError(str(cause)) from error
            raise FerError(
                f"Workers of the Ray cluster died or failed again and again ({type(error).__name__}). Run the command "
                f"again to continue. Received: {(str(error).splitlines() or [''])[-1][:300]}"
            ) from error

    def close(self) -> None:
        """End the connection that this engine opened."""
        import ray

        if self._owns:
            ray.shutdown()


def _connect(address: str | None, workers: int | None) -> None:
    """Connect to a cluster, whose machines get this version of the package, or start a Ray on this machine."""
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if not address:
            ray.init("local", num_cpus=workers, include_dashboard=False, **options)
            return
        if address != "auto":  # where nothing answers, Ray would try for minutes
            host, _, port = address.removeprefix("ray://").rpartition(":")
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address, runtime_env={"py_modules": [str(Path(fer_core.__file__).parent)]}, **options)
    except (OSError, RuntimeError, ValueError) as error:
        raise FerError(
            f"There is no Ray cluster at this address ({reason(error)}). Expected auto, "
            f"HOST:6379 or ray://HOST:10001. Received: {address}"
        ) from error


class _RayWorker:
    """A `Worker` in a process of its own: Ray Data calls it with a task as a row, and gets a `Done` as a row."""

    def __init__(self, job: Job, out: str) -> None:
        import ray

        node = ray.get_runtime_context().get_node_id()[:6]
        self._worker = Worker(job, out, machine=f"{socket.gethostname()} (node {node})")

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return self._worker.do(Task(row["name"], tuple(map(os.fsdecode, row["files"]))))._asdict()
