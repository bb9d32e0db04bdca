"""Analyse an archive: plan, do what is missing, and count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final, NamedTuple, Protocol

import pyarrow.dataset as ds

from fer_core.archives.job import Job
from fer_core.archives.places import Place, find_files, opened, short_name
from fer_core.archives.plan import Task, plan_for
from fer_core.archives.worker import Done
from fer_core.data import IMAGE_SUFFIXES
from fer_core.inference.video_reader import VideoReader
from fer_core.names import readable
from fer_core.threads import in_parallel
from fer_core.types import FerError

VIDEO_SUFFIXES: Final = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv")
"""File name extensions of videos in folders."""


class Engine(Protocol):
    """Does tasks, in any order."""

    def run(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield each task when it is done."""


class Progress(NamedTuple):
    """How far an archive is: partitions that are done and all of them; files, faces and seconds of this call."""

    done: int
    total: int
    files: int
    faces: int
    seconds: float


class Summary(NamedTuple):
    """The results of an archive.

    Attributes:
        out: the folder of results.
        files: number of files.
        faces: number of rows with a face.
        errors: number of errors of each kind, most frequent first.
        seconds: how long this call took.
        done: number of files that this call did; the others were done before.
        faces_per_second: of each machine in this call.
    """

    out: str
    files: int
    faces: int
    errors: dict[str, int]
    seconds: float
    done: int
    faces_per_second: dict[str, float]


def run_archive(
    inputs: Sequence[str],
    out: str,
    job: Job,
    engine: Engine,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Analyse all files of an archive and write partitioned Parquet.

    Each partition is written once and completely. A call for a folder that has some of the partitions does the others.
    `pandas.read_parquet(out)` reads all results.

    Args:
        inputs: files, folders, patterns and addresses.
        out: folder or address for the results.
        job: what to do.
        engine: where to do it.
        on_progress: called after each partition.

    Raises:
        FerError: there are no files, the folder holds results of other files or settings, its name is not UTF-8, or it
            cannot be written.
    """
    start = time.monotonic()
    place = Place.of(out.rstrip("/") or out)
    if place.path != readable(place.path):
        raise FerError(f"Results need a folder whose name is UTF-8. Name another one. Received: {place.path}")
    sizes = find_files(inputs, IMAGE_SUFFIXES if job.kind == "photos" else VIDEO_SUFFIXES)
    if not sizes:
        raise FerError("Name at least one file, folder, pattern or address.")
    tasks = plan_for(place, job, sizes, lambda files: list(in_parallel(_seconds, files)))
    names = place.names()
    pending = [task for task in tasks if task.name not in names]
    results: list[Done] = []
    files = faces = 0
    for done in engine.run(job, place.address, pending) if pending else ():
        results.append(done)
        files, faces = files + done.files, faces + done.faces
        now = len(tasks) - len(pending) + len(results)
        on_progress(Progress(now, len(tasks), files, faces, time.monotonic() - start))
    missing = {task.name for task in pending} - place.names()
    if missing:
        raise FerError(
            f"{len(missing):,} of {len(tasks):,} partitions were written but are not in {place.address}. "
            "With several machines, the results need a folder that all of them share, or an address such as "
            "s3://bucket/table."
        )
    paths = [place.child(task.name).path for task in tasks]
    table = ds.dataset(paths, filesystem=place.filesystem, format="parquet").to_table(["file", "error", "face"])
    failed = table.filter(ds.field("error").is_valid()).to_pylist()
    kinds = Counter(error_kind(row["file"], row["error"]) for row in failed)
    return Summary(
        place.address,
        len(sizes),
        len(table) - table["face"].null_count,
        dict(kinds.most_common()),
        time.monotonic() - start,
        files,
        _rates(results),
    )


def error_kind(file: str, error: str) -> str:
    """Return the first sentence of an error without the file's name, for counting."""
    name = PurePosixPath(file).name[:80]
    return error.replace(repr(name), "…").replace(name, "…").split(". ")[0].rstrip(".")


def _rates(results: Sequence[Done]) -> dict[str, float]:
    """Return the faces per second of each machine."""
    faces: Counter[str] = Counter()
    for done in results:
        faces[done.machine] += done.faces
    spent = max((done.ended for done in results), default=0) - min((done.started for done in results), default=0)
    return {machine: count / max(spent, 1e-9) for machine, count in sorted(faces.items())}


def _seconds(file: str) -> float:
    """Return the length of a video as it says, 0 if it is unknown or cannot be read."""
    try:
        with opened(file) as source, VideoReader(source, short_name(file)) as video:
            return video.seconds or 0.0
    except Exception:  # who reads it reports what is wrong
        return 0.0
