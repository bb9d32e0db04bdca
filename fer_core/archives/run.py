"""Analyse an archive: plan, do what is missing, and count."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fer_core.archives.films import FILM_SUFFIXES, measured_seconds
from fer_core.archives.job import Job
from fer_core.archives.places import Place, find_files
from fer_core.archives.plan import PIECES, Plan, Task, plan_for
from fer_core.archives.summary import Summary, summarize
from fer_core.archives.worker import Done
from fer_core.data import IMAGE_SUFFIXES
from fer_core.names import readable
from fer_core.types import FerError

PIECES_AT_ONCE: Final = 2000
"""Pieces of long films that are kept at a time: they are put together and deleted before others are made."""


class Engine(Protocol):
    """Does tasks, in any order."""

    def run(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield each task when it is done."""


@dataclass(frozen=True)
class Progress:
    """How far an archive is.

    Attributes:
        done: tasks that are done, also by earlier calls.
        total: number of tasks.
        files: files that this call finished.
        faces: faces that it found.
        seconds: since it began.
    """

    done: int
    total: int
    files: int
    faces: int
    seconds: float


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
        on_progress: called after each task.

    Raises:
        FerError: there are no files, the folder holds results of other files or settings, its name is not UTF-8, or it
            cannot be written.
    """
    start = time.monotonic()
    place = Place.of(out.rstrip("/") or out)
    if place.path != readable(place.path):
        raise FerError(f"Results need a folder whose name is UTF-8. Name another one. Received: {place.path}")
    found = find_files(inputs, IMAGE_SUFFIXES if job.kind == "photos" else FILM_SUFFIXES)
    if not found:
        raise FerError("Name at least one file, folder, pattern or address.")
    plan = plan_for(place, job, found, measured_seconds)
    names = place.names()
    pending = [index for index in range(len(plan.partitions)) if plan.task(index).name not in names]
    kept = {f"{PIECES}/{name}" for name in place.names(PIECES)}
    left = [task for index in pending for task in (*plan.pieces(index), plan.task(index)) if task.name not in kept]
    total = sum(1 + len(plan.pieces(index)) for index in range(len(plan.partitions)))
    results: list[Done] = []
    for wave in _waves(plan, pending):
        pieces = [task for index in wave for task in plan.pieces(index)]
        for tasks in ([task for task in pieces if task.name not in kept], [plan.task(index) for index in wave]):
            for done in engine.run(job, place.address, tasks) if tasks else ():
                results.append(done)
                files, faces = sum(one.files for one in results), sum(one.faces for one in results)
                now = total - len(left) + len(results)
                on_progress(Progress(now, total, files, faces, time.monotonic() - start))
        place.delete(task.name for task in pieces)
    missing = {plan.task(index).name for index in pending} - place.names()
    if missing:
        raise FerError(
            f"{len(missing):,} of {len(plan.partitions):,} partitions were written but are not in {place.address}. "
            "With several machines, the results need a folder that all of them share, or an address such as "
            "s3://bucket/table."
        )
    return summarize(place, plan, results, time.monotonic() - start)


def _waves(plan: Plan, pending: Sequence[int]) -> Iterator[list[int]]:
    """Yield groups of partitions with a limited number of pieces."""
    wave: list[int] = []
    pieces = 0
    for index in pending:
        wave.append(index)
        pieces += len(plan.pieces(index))
        if pieces >= PIECES_AT_ONCE:
            yield wave
            wave, pieces = [], 0
    if wave:
        yield wave
