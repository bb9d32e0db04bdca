"""The start, faces, frames and a camera's stream.

The yardstick is what many demos do: Haar cascades on every full frame, and `keras.Model.predict`.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from fer_core.data import sample_portrait
from fer_core.faces import default_detector
from fer_core.inference import FaceAnalyzer
from fer_core.inference.stream import StreamAnalyzer
from fer_core.store.stored_model import KERAS, StoredModel
from fer_core.types import FaceResult, Image
from tests.server import serving
from tests.speed.timing import first_prediction, in_child, seconds_each

RATE: Final = 30  # frames per second of the clip
FRAMES: Final = 90  # of the clip: one movement to the right, to the left, and back
CLIPS: Final = {1: (320, 120, [(160, 80)]), 5: (190, 15, [(20, 25), (225, 25), (430, 25), (120, 255), (330, 255)])}
"""Side of the heads, how far they move, and where they are, in pixels, by the number of faces."""


class UsualWay:
    """What many demos do for each frame, with the `.keras` file of a stored model."""

    def __init__(self, model: StoredModel) -> None:
        import keras

        self.network = keras.saving.load_model(model.folder / KERAS, compile=False, safe_mode=True)
        self.size = model.card.input_size
        self.haar = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def classify(self, face: Image) -> Any:
        return self.network.predict(face[None, :, :, None].astype(np.float32), verbose=0)

    def analyze(self, frame: Image) -> list[Any]:
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        boxes = self.haar.detectMultiScale(gray, scaleFactor=1.1, minNeighbors=5)
        assert len(boxes), "Haar has no face in a frame."
        return [self.classify(cv2.resize(gray[y : y + h, x : x + w], (self.size, self.size))) for x, y, w, h in boxes]


def start_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure new processes that predict once, and new servers of the app."""

    def answer() -> None:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, serving(Path(folder), FER_HOME=folder):
            pass

    start, memory = zip(*(in_child(first_prediction, str(model.folder)) for _ in range(3)), strict=True)
    (app,) = seconds_each(answer, warm_up=0, rounds=3)
    median = statistics.median
    return {"startup_seconds": median(start), "resident_mb": median(memory), "app_start_seconds": app}


def serving_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure one face, a whole frame, a batch, and large pictures."""
    classifier, usual_way, frame = model.classifier(), UsualWay(model), portrait_frame()
    analyzer, fast = FaceAnalyzer(classifier), default_detector(detection_size=320)

    def analyze() -> list[FaceResult]:
        return analyzer.classify(frame, fast.detect(frame, thorough=False))

    (result,) = analyze()
    face, many = result.crop, np.repeat(result.crop[None], 512, axis=0)
    detector, large, larger = default_detector(), cv2.resize(frame, (4000, 3000)), cv2.resize(frame, (8000, 6000))
    classify, predict = seconds_each(
        lambda: classifier.predict(face[None]), lambda: usual_way.classify(face), seconds=seconds
    )
    ours, usual = seconds_each(analyze, lambda: usual_way.analyze(frame), seconds=seconds)
    (batch,) = seconds_each(lambda: classifier.predict(many), seconds=seconds, warm_up=1)
    search, longer = seconds_each(
        lambda: detector.detect(large), lambda: detector.detect(larger), seconds=seconds, warm_up=1
    )
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
    usual_way, numbers = UsualWay(model), {}
    for faces, suffix in ((1, ""), (5, "_five_faces")):
        loops = [_over_clip(way, faces) for way in (_stream(model, faces), usual_way.analyze)]
        ours, usual = seconds_each(*loops, seconds=seconds, warm_up=6, average=statistics.fmean)
        numbers[f"stream_speedup_vs_usual_loop{suffix}"] = usual / ours
        numbers[f"stream_frames_per_second{suffix}"] = 1 / ours
    return numbers


def portrait_frame() -> Image:
    """Return a `(480, 640, 3)` RGB frame with one face: the sample portrait on gray."""
    frame = np.full((480, 640, 3), 128, np.uint8)
    frame[:, 80:560] = cv2.resize(sample_portrait(), (480, 480), interpolation=cv2.INTER_AREA)
    return frame


def _over_clip(way: Callable[[Image], object], faces: int) -> Callable[[], object]:
    """Return a function that handles the next frame, of 480 x 640 pixels with heads that move over gray."""
    side, amplitude, corners = CLIPS[faces]
    head = cv2.resize(sample_portrait()[:240, 110:350], (side, side), interpolation=cv2.INTER_AREA)
    clip = np.full((FRAMES, 480, 640, 3), 128, np.uint8)
    for k, frame in enumerate(clip):
        shift = round(amplitude * np.sin(2 * np.pi * k / FRAMES))
        for x, y in corners:
            frame[y : y + side, x + shift : x + shift + side] = head
    frames = itertools.cycle(clip)
    return lambda: way(next(frames))


def _stream(model: StoredModel, faces: int) -> Callable[[Image], object]:
    detector = default_detector(detection_size=320)
    assert not detector.note, f"The stream needs YuNet. {detector.note}"
    stream, times = StreamAnalyzer(model.classifier(), detector), itertools.count()

    def process(frame: Image) -> object:
        result = stream.process(frame, next(times) / RATE)
        assert len(result.faces) == faces, f"Expected {faces} faces in a frame. Received: {len(result.faces)}"
        return stream.annotate(frame, result)

    return process
