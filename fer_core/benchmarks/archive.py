"""Benchmark: an archive of photos on this machine, and the same on Ray."""

from __future__ import annotations

import itertools
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fer_core.archives import Job, LocalEngine, RayEngine
from fer_core.archives.plan import Task
from fer_core.archives.ray_engine import MISSING, ray_is_installed
from fer_core.archives.run import Engine
from fer_core.benchmarks.batch import write_photos
from fer_core.stored_model import StoredModel
from fer_core.threads import default_workers

ARCHIVE: Final = {
    "archive_photos_per_second_per_core": "An archive of photos: photos a second and core, with decoding and detection"
}
RAY: Final = {"archive_ray_vs_threads": "The same on Ray: its speed divided by that of threads, start-up not counted"}

PHOTOS: Final = 16  # of 1280 x 960 pixels
TASKS: Final = 8  # each with eight of them
ROUNDS: Final = 3


def archive_numbers(model: StoredModel, say: Callable[[str], None], rounds: int = ROUNDS) -> dict[str, float]:
    """Time an archive by threads, and alternately on Ray if it is installed, and return medians.

    Args:
        model: a stored model.
        say: called with a sentence if Ray is not installed.
        rounds: how often to time each.
    """
    workers = default_workers()
    job = Job.of("photos", model)
    local = LocalEngine(workers)
    with tempfile.TemporaryDirectory() as folder:
        files = itertools.cycle(map(str, write_photos(Path(folder), PHOTOS)))
        tasks = [Task(f"{k}.parquet", tuple(itertools.islice(files, PHOTOS // 2))) for k in range(TASKS)]
        _seconds(local, job, folder, tasks[:workers])  # warm up
        if not ray_is_installed():
            say(MISSING)
            alone = statistics.median(_seconds(local, job, folder, tasks) for _ in range(rounds))
            return {"archive_photos_per_second_per_core": _rate(alone, workers)}
        ray = RayEngine(workers=workers)
        try:
            times = [[_seconds(engine, job, folder, tasks) for engine in (local, ray)] for _ in range(rounds)]
        finally:
            ray.close()
    return {
        "archive_photos_per_second_per_core": _rate(statistics.median(alone for alone, _ in times), workers),
        "archive_ray_vs_threads": statistics.median(alone / on_ray for alone, on_ray in times),
    }


def _rate(seconds: float, workers: int) -> float:
    return TASKS * (PHOTOS // 2) / seconds / workers


def _seconds(engine: Engine, job: Job, folder: str, tasks: list[Task]) -> float:
    """Return the time from the start of the first task to the end of the last one."""
    out = Path(folder) / "out"
    done = list(engine.run(job, str(out), tasks))
    shutil.rmtree(out)
    return max(one.ended for one in done) - min(one.started for one in done)
