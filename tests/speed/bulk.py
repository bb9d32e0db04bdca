"""Many faces: a folder and an archive of photos in parallel, kept features, fused batch normalization."""

from __future__ import annotations

import itertools
import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from fer_core.archives import Job, LocalEngine, RayEngine
from fer_core.archives.worker import Task
from fer_core.data import FaceDataset, read_image, sample_portrait
from fer_core.inference import FaceAnalyzer
from fer_core.store.folders import open_model
from fer_core.store.stored_model import StoredModel
from fer_core.threads import default_workers, in_parallel
from tests.speed.timing import in_child, seconds_each

PHOTOS: Final = 16  # of 1280 x 960 pixels
TASKS: Final = 8  # of an archive, each with half of them

_analyzer: FaceAnalyzer | None = None  # of a worker process


def batch_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure a folder of photos one after the other, by threads, and by processes that have started."""
    workers, context = default_workers(), multiprocessing.get_context("spawn")
    alone, shared = FaceAnalyzer(model.classifier()), FaceAnalyzer(model.classifier(threads=1))

    def check(faces: Iterable[int]) -> None:
        assert list(faces) == [1] * PHOTOS, "A photo has not one face."

    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(workers, context, _start, (model.folder,)) as processes,
    ):
        files = _write_photos(Path(folder))
        serial, threads, by_processes = seconds_each(
            lambda: check(_faces(file, alone) for file in files),
            lambda: check(in_parallel(lambda file: _faces(file, shared), files, workers=workers)),
            lambda: check(processes.map(_faces, files)),
            warm_up=1,
            rounds=_rounds(seconds),
        )
    return {"batch_speedup_threads": serial / threads, "batch_speedup_processes": serial / by_processes}


def archive_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure an archive by processes and, if it is installed, on Ray, from the first task's start to the end."""
    workers, job = default_workers(), Job.of("photos", model)
    engines: list[Any] = [
        LocalEngine(workers),
        *([RayEngine(workers=workers)] if (spec := find_spec("ray")) and spec.origin else []),
    ]
    with tempfile.TemporaryDirectory() as folder:
        out, files = Path(folder) / "out", itertools.cycle(map(str, _write_photos(Path(folder))))
        tasks = [Task(f"{k}.parquet", tuple(itertools.islice(files, PHOTOS // 2))) for k in range(TASKS)]

        def work(engine: Any) -> float:
            done = list(engine.run(job, str(out), tasks))
            shutil.rmtree(out)
            return max(task.ended for task in done) - min(task.started for task in done)

        work(engines[0])  # warm up
        times = [[work(engine) for engine in engines] for _ in range(_rounds(seconds))]
    for engine in engines:
        engine.close()
    local, *on_ray = map(statistics.median, zip(*times, strict=True))
    numbers = {"archive_photos_per_second_per_core": TASKS * (PHOTOS // 2) / local / workers}
    return {**numbers, "archive_ray_vs_threads": local / on_ray[0]} if on_ray else numbers


def feature_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure an epoch with and without kept features, with an empty cache."""
    with tempfile.TemporaryDirectory() as home:
        kept, again = in_child(time_epochs, FER_HOME=home)
    return {"feature_epoch_seconds": kept, "frozen_epoch_seconds": again, "feature_cache_speedup": again / kept}


def batch_norm_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure a training step with and without fused batch normalization."""
    fused, plain = in_child(time_steps)
    return {"fused_step_seconds": fused, "plain_step_seconds": plain, "fused_normalization_speedup": plain / fused}


def time_epochs() -> list[float]:
    """Return the median seconds of an epoch with and without kept features."""
    import keras

    from fer_core.models import build_network, model_spec
    from fer_core.training.fit import fit
    from fer_core.training.recipe import FROZEN

    def faces(n: int) -> FaceDataset:
        images = np.random.default_rng(0).integers(0, 256, (n, 48, 48)).astype(np.uint8)
        return FaceDataset(images, np.arange(n) % 7, np.full(n, "Training"), np.arange(n))

    spec = replace(model_spec("mobilenetv2_frozen"), weights_from="random")  # which does not change the time
    recipe, result = replace(FROZEN, epochs=4, augmentation=None), []
    for keep in (True, False):
        starts: list[float] = []
        ends: list[float] = []
        clock = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda *_, own=starts: own.append(time.perf_counter()),
            on_epoch_end=lambda *_, own=ends: own.append(time.perf_counter()),
        )
        fit(
            build_network(spec),
            spec,
            recipe=recipe,
            training=faces(512),
            holdout=faces(64),
            callbacks=[clock],
            keep_features=keep,
        )
        result.append(statistics.median(np.subtract(ends, starts)[1:].tolist()))  # the first traces the graph
    return result


def time_steps() -> list[float]:
    """Return the median seconds of a training step with and without fused batch normalization."""
    from fer_core.models import build_network, model_spec
    from fer_core.training.fit import fused_batch_norm

    faces, labels = np.random.default_rng(0).random((128, 44, 44, 1), "float32") * 255, np.arange(128) % 7
    fused, plain = (build_network(model_spec("compact_cnn"), "mixed_bfloat16") for _ in range(2))
    for network in (fused, plain):
        network.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    steps = [lambda: fused.train_on_batch(faces, labels), lambda: plain.train_on_batch(faces, labels)]
    with fused_batch_norm(fused):
        return seconds_each(*steps, warm_up=2, rounds=10)


def _rounds(seconds: float) -> int:
    """Return how often whole folders are timed: once for each second, up to three times."""
    return min(max(round(seconds), 1), 3)


def _write_photos(folder: Path) -> list[Path]:
    """Write JPEGs of 1280 x 960 pixels, each with one face further to the right."""
    portrait = cv2.resize(sample_portrait(), (720, 720), interpolation=cv2.INTER_CUBIC)
    files = [folder / f"{number:02d}.jpg" for number in range(PHOTOS)]
    for number, file in enumerate(files):
        photo = np.full((960, 1280, 3), 128, np.uint8)
        left = number * 560 // PHOTOS
        photo[120:840, left : left + 720] = portrait
        Image.fromarray(photo).save(file, quality=92)
    return files


def _start(folder: Path) -> None:
    global _analyzer  # noqa: PLW0603 (a worker process loads it once)
    _analyzer = FaceAnalyzer(open_model(folder).classifier(threads=1))


def _faces(file: Path, analyzer: FaceAnalyzer | None = None) -> int:
    analyzer = analyzer or _analyzer
    assert analyzer
    return len(analyzer.analyze(read_image(file)))
