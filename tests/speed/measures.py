"""What `python -m tests.speed` measures. The yardstick is what many demos do: Haar and `keras.Model.predict`."""

import itertools
import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd

from fer_core.archives import Job, LocalEngine, RayEngine
from fer_core.archives.worker import Task
from fer_core.columns import PROBABILITIES
from fer_core.data import FaceDataset, read_image, sample_portrait
from fer_core.faces import default_detector
from fer_core.inference import FaceAnalyzer
from fer_core.inference.stream import StreamAnalyzer
from fer_core.store.folders import SHIPPED, list_models, open_model, save_model
from fer_core.store.stored_model import KERAS, StoredModel
from fer_core.threads import default_workers, in_parallel
from fer_core.types import FaceResult, Image
from tests.server import ROOT, chromium_path, serving
from tests.speed.timing import first_prediction, in_child, seconds_each
from tests.waiting import PATIENCE

CLIPS: Final = {1: (320, 120, [(160, 80)]), 5: (190, 15, [(20, 25), (225, 25), (430, 25), (120, 255), (330, 255)])}
"""Side of the heads, how far they move, and where they are, in pixels, by the number of faces."""

PHOTOS: Final = 16  # of 1280 x 960 pixels
MODELS: Final = 14  # on Compare
PAGES: Final = ("home", "compare", "confusion", "fairness", "finetune")
ONE_LINE: Final = "import streamlit as st; st.title('One line'); st.plotly_chart({'data': [{'y': [1, 2]}]})"
MARKS: Final = {
    "heading": "document.querySelector('h1')",
    "chart": "document.querySelector('.js-plotly-plot .main-svg')",
}
"""JavaScript that is true when a page has its heading or its first chart."""
CURVES: Final = "document.querySelectorAll('.js-plotly-plot .scatterlayer .trace path.js-line').length > 3"

_analyzer: FaceAnalyzer | None = None  # of a worker process
_temporary = partial(tempfile.TemporaryDirectory, ignore_cleanup_errors=True)


def start_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure new processes that predict once, and new servers of the app."""

    def serve() -> None:
        with _temporary() as folder, serving(Path(folder), FER_HOME=folder):
            pass

    rounds = _rounds(seconds)
    start, memory = zip(*(in_child(first_prediction, str(model.folder)) for _ in range(rounds)), strict=True)
    numbers = {"startup_seconds": statistics.median(start), "resident_mb": statistics.median(memory)}
    return numbers | {"app_start_seconds": seconds_each(serve, warm_up=0, rounds=rounds)[0]}


def serving_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure one face, a whole frame, a batch, and large pictures."""
    frame = np.full((480, 640, 3), 128, np.uint8)
    frame[:, 80:560] = cv2.resize(sample_portrait(), (480, 480), interpolation=cv2.INTER_AREA)
    classifier, (usual_face, usual_frame) = model.classifier(), usual_way(model)
    analyzer, fast, detector = FaceAnalyzer(classifier), default_detector(detection_size=320), default_detector()

    def analyze() -> list[FaceResult]:
        return analyzer.classify(frame, fast.detect(frame, thorough=False))

    face = analyze()[0].crop
    many, large = np.repeat(face[None], 512, axis=0), [cv2.resize(frame, size) for size in ((4000, 3000), (8000, 6000))]
    classify, predict = seconds_each(lambda: classifier.predict(face[None]), lambda: usual_face(face), seconds=seconds)
    ours, usual = seconds_each(analyze, lambda: usual_frame(frame), seconds=seconds)
    (batch,) = seconds_each(lambda: classifier.predict(many), seconds=seconds, warm_up=1)
    detect = [partial(detector.detect, picture) for picture in large]
    search, longer = seconds_each(*detect, seconds=seconds, warm_up=1, rounds=_rounds(seconds))
    return {
        "classify_ms": classify * 1e3,
        "keras_predict_ms": predict * 1e3,
        "classify_speedup_vs_keras_predict": predict / classify,
        "frame_ms": ours * 1e3,
        "usual_frame_ms": usual * 1e3,
        "frame_speedup_vs_haar_keras": usual / ours,
        "faces_per_second": len(many) / batch,
        "large_picture_time_per_pixel": longer / search / 4,
    }


def stream_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure a stream with one face and with five, drawing included; means, as not every frame is searched."""
    detector, numbers = default_detector(detection_size=320), dict[str, float]()
    assert not detector.note, f"The stream needs YuNet. {detector.note}"
    for count, (side, amplitude, corners) in CLIPS.items():
        head = cv2.resize(sample_portrait()[:240, 110:350], (side, side), interpolation=cv2.INTER_AREA)
        clip = np.full((90, 480, 640, 3), 128, np.uint8)  # three seconds: to the right, to the left, and back
        for k, frame in enumerate(clip):
            shift = round(amplitude * np.sin(2 * np.pi * k / len(clip)))
            for x, y in corners:
                frame[y : y + side, x + shift : x + shift + side] = head

        stream = StreamAnalyzer(model.classifier(), detector)
        ways = partial(_analyze, stream, count, itertools.count()), usual_way(model)[1]
        loops = [partial(lambda way, frames: way(next(frames)), way, itertools.cycle(clip)) for way in ways]
        ours, usual = seconds_each(*loops, seconds=seconds, warm_up=6, average=statistics.fmean)
        suffix = "" if count == 1 else "_five_faces"
        numbers[f"stream_speedup_vs_usual_loop{suffix}"] = usual / ours
        numbers[f"stream_frames_per_second{suffix}"] = 1 / ours
    return numbers


def batch_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure a folder of photos one after the other, by threads, and by processes that have started."""
    workers, context = default_workers(), multiprocessing.get_context("spawn")
    alone, shared = FaceAnalyzer(model.classifier()), FaceAnalyzer(model.classifier(threads=1))

    def check(faces: Iterable[int]) -> None:
        assert list(faces) == [1] * PHOTOS, "A photo has not one face."

    pool = ProcessPoolExecutor(workers, context, _start, (model.folder,))
    with tempfile.TemporaryDirectory() as folder, pool as processes:
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
    engines: list[Any] = [LocalEngine(workers)]
    if (spec := find_spec("ray")) and spec.origin:
        engines.append(RayEngine(workers=workers))
    with tempfile.TemporaryDirectory() as folder:
        out, files = Path(folder) / "out", _write_photos(Path(folder))
        halves = [tuple(map(str, half)) for half in (files[::2], files[1::2])]
        tasks = [Task(f"{k}.parquet", halves[k % 2]) for k in range(8)]

        def work(engine: Any) -> float:
            done = list(engine.run(job, str(out), tasks))
            shutil.rmtree(out)
            return max(task.ended for task in done) - min(task.started for task in done)

        work(engines[0])  # warm up
        times = [[work(engine) for engine in engines] for _ in range(_rounds(seconds))]
    for engine in engines:
        engine.close()
    local, *on_ray = map(statistics.median, zip(*times, strict=True))
    numbers = {"archive_photos_per_second_per_core": 4 * PHOTOS / local / workers}
    return {**numbers, "archive_ray_vs_threads": local / on_ray[0]} if on_ray else numbers


def feature_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure an epoch with and without kept features, with an empty cache."""
    with tempfile.TemporaryDirectory() as home:
        kept, again = in_child(time_epochs, FER_HOME=home)
    return {"feature_epoch_seconds": kept, "frozen_epoch_seconds": again, "feature_cache_speedup": again / kept}


def time_epochs() -> list[float]:
    """Return the median seconds of an epoch with and without kept features."""
    import keras

    from fer_core.models import build_network, model_spec
    from fer_core.training.fit import fit
    from fer_core.training.recipe import FROZEN

    images = np.random.default_rng(0).integers(0, 256, (512, 48, 48)).astype(np.uint8)
    faces = FaceDataset(images, np.arange(512) % 7, np.full(512, "Training"), np.arange(512))
    spec = replace(model_spec("mobilenetv2_frozen"), weights_from="random")  # which does not change the time
    recipe, medians, holdout = replace(FROZEN, epochs=4, augmentation=None), [], faces.subset(np.arange(64))
    for keep in (True, False):
        times: list[float] = []  # the start and the end of each epoch in turn
        note = lambda *_, own=times: own.append(time.perf_counter())  # noqa: E731
        clock, network = keras.callbacks.LambdaCallback(on_epoch_begin=note, on_epoch_end=note), build_network(spec)
        fit(network, spec, recipe=recipe, training=faces, holdout=holdout, callbacks=[clock], keep_features=keep)
        medians.append(statistics.median(np.subtract(times[3::2], times[2::2])))  # the first traces the graph
    return medians


def batch_norm_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure a training step with and without fused batch normalization."""
    fused, plain = in_child(time_steps)
    return {"fused_step_seconds": fused, "plain_step_seconds": plain, "fused_normalization_speedup": plain / fused}


def time_steps() -> list[float]:
    """Return the median seconds of a training step with and without fused batch normalization."""
    from fer_core.models import build_network, model_spec
    from fer_core.training.fit import fused_batch_norm

    faces, labels = np.random.default_rng(0).random((128, 44, 44, 1), "float32") * 255, np.arange(128) % 7
    fused, plain = (build_network(model_spec("compact_cnn"), "mixed_bfloat16") for _ in range(2))
    for network in (fused, plain):
        network.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    with fused_batch_norm(fused):
        steps = [partial(network.train_on_batch, faces, labels) for network in (fused, plain)]
        return seconds_each(*steps, warm_up=2, rounds=10)


def compare_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure Compare with the shipped models and noisy copies of one; without Chromium and Playwright, the server."""
    with _temporary() as home:
        shipped = sum(stored.folder.parent == SHIPPED for stored in list_models()[0])
        original = pd.read_parquet(model.folder / "predictions.parquet")
        logs = np.log(np.maximum(original[PROBABILITIES].to_numpy(np.float64), 1e-9))
        for number in range(1, MODELS - shipped + 1):  # with increasing noise on the logarithms
            powers = np.exp(logs + np.random.default_rng(number).normal(scale=0.25 * number, size=logs.shape))
            noisy = original.copy()
            noisy[PROBABILITIES] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
            card = replace(model.card, name=f"noisy_{number:02d}", title=f"Noisy copy {number}", served=None)
            save_model(Path(home) / "models", card, predictions=noisy, history=model.history())
        rendered, models = in_child(render_compare, FER_HOME=home)
        assert models >= MODELS, f"Expected {MODELS} models on the Compare page. Received: {models}"
        return {"page_render_seconds": rendered} | (_draw_compare(home) if _can_browse() else {})


def render_compare() -> list[float]:
    """Return the median seconds to render the Compare page again, and the number of models on it."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    app.switch_page("pages/compare.py").run()
    (seconds,) = seconds_each(app.run, warm_up=0)
    assert not app.exception, app.exception
    return [seconds, next(len(frame.value) for frame in app.dataframe if "accuracy" in frame.value)]


def _draw_compare(home: str) -> dict[str, float]:
    received: list[int] = []
    with serving(Path(home), FER_HOME=home) as (_, server), browsing() as window:
        address = f"{server}/compare?c_section=ROC+and+PR"
        seconds_to(address, window, curves=CURVES)  # fills the caches of the server and the browser
        page = window.new_page()
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))

        def seconds_after(act: Callable[[], object]) -> float:
            start, _ = time.perf_counter(), act()
            return _seconds_until(CURVES, page, start)

        from_address, kilobytes = seconds_after(lambda: page.goto(address)), sum(received) / 1000
        page.get_by_role("tab", name="Scoreboard").click()
        page.wait_for_function(f"!({CURVES})")
        by_click = seconds_after(page.get_by_role("tab", name="ROC and PR").click)
    return {"section_draw_seconds": by_click, "page_draw_seconds": from_address, "page_draw_kilobytes": kilobytes}


def visit_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure the first and the second visit to pages in a fresh tab; nothing without Chromium and Playwright.

    The data folder is empty; FER2013 is read where the environment names it.
    """
    numbers: dict[str, float] = {}
    if not _can_browse():
        return numbers
    with _temporary() as folder:
        (one_line := Path(folder) / "one_line.py").write_text(ONE_LINE, encoding="utf-8")
        for app, pages in ((str(one_line), ("one_line",)), (None, PAGES)):
            with serving(Path(folder), app=app, FER_HOME=folder) as (_, server), browsing() as window:
                for page, visit in itertools.product(pages, ("first", "second")):
                    address = f"{server}/" + ("" if page in ("home", "one_line") else page)
                    taken = seconds_to(address, window, **MARKS)
                    numbers |= {f"{page}_{visit}_{mark}_seconds": value for mark, value in taken.items()}
    return numbers


def seconds_to(address: str, window: Any, **conditions: str) -> dict[str, float]:
    """Open an address in a fresh tab; return the seconds until each JavaScript condition holds, in this order."""
    with window.new_page() as page:
        start = time.perf_counter()
        page.goto(address, wait_until="commit")
        return {name: _seconds_until(condition, page, start) for name, condition in conditions.items()}


@contextmanager
def browsing() -> Iterator[Any]:
    """Yield a window of a new Chromium, of 1280 x 900 pixels."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium_path(), args=flags) as it:
        window = it.new_context(viewport={"width": 1280, "height": 900})
        window.set_default_timeout(PATIENCE * 1000)
        yield window


def usual_way(model: StoredModel) -> tuple[Callable[[Image], Any], Callable[[Image], Any]]:
    """Return what many demos do for a face and for a frame, with the `.keras` file of a stored model."""
    import keras

    network = keras.saving.load_model(model.folder / KERAS, compile=False, safe_mode=True)
    haar = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    size = (model.card.input_size, model.card.input_size)

    def classify(face: Image) -> Any:
        return network.predict(face[None, :, :, None].astype(np.float32), verbose=0)

    def analyze(frame: Image) -> list[Any]:
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        boxes = haar.detectMultiScale(gray, scaleFactor=1.1, minNeighbors=5)
        assert len(boxes), "Haar has no face in a frame."
        return [classify(cv2.resize(gray[y : y + h, x : x + w], size)) for x, y, w, h in boxes]

    return classify, analyze


def _can_browse() -> bool:
    return find_spec("playwright") is not None and chromium_path() is not None


def _seconds_until(condition: str, page: Any, start: float) -> float:
    page.wait_for_function(condition, polling=20)
    return time.perf_counter() - start


def _analyze(stream: StreamAnalyzer, faces: int, times: Iterator[int], frame: Image) -> object:
    result = stream.process(frame, next(times) / 30)
    assert len(result.faces) == faces, f"Expected {faces} faces in a frame. Received: {len(result.faces)}"
    return stream.annotate(frame, result)


def _rounds(seconds: float) -> int:
    """Return how often whole folders are timed: once for each second, up to three times."""
    return min(max(round(seconds), 1), 3)


def _write_photos(folder: Path) -> list[Path]:
    """Write JPEGs of 1280 x 960 pixels, each with one face further to the right."""
    portrait = cv2.resize(sample_portrait(), (720, 720), interpolation=cv2.INTER_CUBIC)[..., ::-1]  # BGR
    files = [folder / f"{number:02d}.jpg" for number in range(PHOTOS)]
    for number, file in enumerate(files):
        photo = np.full((960, 1280, 3), 128, np.uint8)
        left = number * 560 // PHOTOS
        photo[120:840, left : left + 720] = portrait
        cv2.imwrite(str(file), photo, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return files


def _start(folder: Path) -> None:
    global _analyzer  # noqa: PLW0603 (a worker process loads it once)
    _analyzer = FaceAnalyzer(open_model(folder).classifier(threads=1))


def _faces(file: Path, analyzer: FaceAnalyzer | None = None) -> int:
    analyzer = analyzer or _analyzer
    assert analyzer
    return len(analyzer.analyze(read_image(file)))
