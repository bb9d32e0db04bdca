"""Benchmark: analyse a folder of photos one after the other, by threads, and by processes."""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image

from fer_core.data import read_image, sample_portrait
from fer_core.inference import FaceAnalyzer
from fer_core.store import load_model
from fer_core.stored_model import StoredModel
from fer_core.threads import default_workers, in_parallel
from fer_core.types import FerError

BATCH: Final = {
    "batch_speedup_threads": "A folder of photos: how many times faster by threads than one after the other",
    "batch_speedup_processes": "The same by as many processes, their start-up not counted",
}

PHOTOS: Final = 16
ROUNDS: Final = 3

_analyzer: FaceAnalyzer | None = None  # of a worker process


def batch_numbers(model: StoredModel, rounds: int = ROUNDS) -> dict[str, float]:
    """Time the three ways alternately, so that other load affects all of them, and return the median ratios.

    Args:
        model: a stored model.
        rounds: how often to time each way.

    Raises:
        FerError: the face of a photo was not found.
    """
    workers = default_workers()
    alone, shared = FaceAnalyzer(model.classifier()), FaceAnalyzer(model.classifier(threads=1))
    with tempfile.TemporaryDirectory() as folder:
        files = write_photos(Path(folder), PHOTOS)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, _start, (model.name,)) as processes:
            ways: list[Callable[[], Iterable[int]]] = [
                lambda: (_faces(alone, file) for file in files),
                lambda: in_parallel(lambda file: _faces(shared, file), files, workers),
                lambda: processes.map(_faces_by_process, files),
            ]
            for way in ways:  # to start threads and processes and load models
                _seconds(way)
            times = [[_seconds(way) for way in ways] for _ in range(rounds)]
    return {
        "batch_speedup_threads": statistics.median(serial / threads for serial, threads, _ in times),
        "batch_speedup_processes": statistics.median(serial / processes for serial, _, processes in times),
    }


def _seconds(way: Callable[[], Iterable[int]]) -> float:
    start = time.perf_counter()
    found = list(way())
    if found != [1] * PHOTOS:
        raise FerError(f"Expected one face in each of the benchmark's photos. Received: {found}")
    return time.perf_counter() - start


def write_photos(folder: Path, count: int) -> list[Path]:
    """Write JPEGs of 1280 x 960 pixels, each with one face at a different place."""
    portrait = cv2.resize(sample_portrait(), (720, 720), interpolation=cv2.INTER_CUBIC)
    files = []
    for number in range(count):
        photo = np.full((960, 1280, 3), 128, np.uint8)
        left = number * 560 // count
        photo[120:840, left : left + 720] = portrait
        files.append(folder / f"{number:02d}.jpg")
        Image.fromarray(photo).save(files[-1], quality=92)
    return files


def _faces(analyzer: FaceAnalyzer, file: Path) -> int:
    return len(analyzer.analyze(read_image(file)))


def _start(name: str) -> None:
    global _analyzer  # noqa: PLW0603 (a worker process loads it once)
    _analyzer = FaceAnalyzer(load_model(name).classifier(threads=1))


def _faces_by_process(file: Path) -> int:
    assert _analyzer is not None
    return _faces(_analyzer, file)
