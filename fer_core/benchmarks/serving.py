"""Benchmarks of serving against a common baseline: Haar cascades on the full frame and `keras.Model.predict`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.benchmarks.timing import median_seconds
from fer_core.data import sample_portrait
from fer_core.faces import default_detector
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.inference.stream import StreamAnalyzer
from fer_core.stored_model import KERAS, StoredModel
from fer_core.types import FerError, Image

SERVING: Final = {
    "classify_ms": "One face, LiteRT, ms",
    "keras_predict_ms": "One face, keras.Model.predict on the same network, ms",
    "classify_speedup_vs_keras_predict": "One face: how many times faster than keras.Model.predict",
    "frame_ms": "A 640×480 camera frame with one face, ours, ms",
    "usual_frame_ms": "The same frame, Haar on the full frame plus keras.Model.predict, ms",
    "frame_speedup_vs_haar_keras": "A frame: how many times faster than the usual way",
    "faces_per_second": "Faces a second in batches",
    "large_picture_time_per_pixel": "How many times longer the search for faces takes for a pixel of a picture of 48 "
    "megapixels than for one of 12",
}

STREAM: Final = {
    "stream_speedup_vs_usual_loop": "A 640×480 stream with a moving face, drawing included: how many times "
    "faster a frame than Haar on every full frame plus keras.Model.predict",
    "stream_frames_per_second": "Frames a second of that stream (mean over the clip)",
    "stream_speedup_vs_usual_loop_five_faces": "The same with five faces: how many times faster",
    "stream_frames_per_second_five_faces": "Frames a second of that stream with five faces",
}

RATE: Final = 30  # frames per second of the clip
FRAMES: Final = 90  # of the clip: one movement to the right, to the left, and back
HEAD: Final = {1: 320, 5: 190}  # side of the head in pixels, by the number of faces
PLACES: Final = {1: [(160, 80)], 5: [(20, 25), (225, 25), (430, 25), (120, 255), (330, 255)]}
AMPLITUDE: Final = {1: 120, 5: 15}  # of the movement, in pixels


class HaarKerasBaseline:
    """What many demos do for each frame.

    Args:
        model: a stored model with its `.keras` file.

    Raises:
        FerError: the model has no `.keras` file.
    """

    def __init__(self, model: StoredModel) -> None:
        path = model.folder / KERAS
        if not path.is_file():
            raise FerError(f"The model {model.name} has no {KERAS}, so there is nothing to compare its speed with.")
        import keras

        self.network = keras.saving.load_model(path, compile=False, safe_mode=True)
        self.size = model.card.input_size
        self.haar = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def classify(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities of one face crop."""
        batch = face[None, :, :, None].astype(np.float32)
        return np.asarray(self.network.predict(batch, verbose=0))

    def analyze(self, frame: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Return the probabilities of each face in a frame."""
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        boxes = self.haar.detectMultiScale(gray, scaleFactor=1.1, minNeighbors=5)
        if len(boxes) == 0:
            raise FerError("Haar found no face in the benchmark's frame.")
        return [self.classify(cv2.resize(gray[y : y + h, x : x + w], (self.size, self.size))) for x, y, w, h in boxes]


def serving_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Time the classification of one face, of a whole frame, and of batches.

    Args:
        model: a stored model with its `.keras` file.
        seconds: for how long to time each.

    Raises:
        FerError: the model has no `.keras` file, or no face is found in the frame.
    """
    classifier = model.classifier()
    analyzer = FaceAnalyzer(classifier, default_detector(detection_size=320), thorough=False)
    frame = portrait_frame()
    results = analyzer.analyze(frame)
    if len(results) != 1:
        raise FerError(f"Expected one face in the benchmark's frame. Received: {len(results)}")
    face = results[0].crop[None]
    classify = median_seconds(lambda: classifier.predict(face), seconds)
    ours = median_seconds(lambda: analyzer.analyze(frame), seconds)
    many = np.repeat(face, 512, axis=0)
    batch = median_seconds(lambda: classifier.predict(many), seconds, warm_up=1)
    baseline = HaarKerasBaseline(model)
    predict = median_seconds(lambda: baseline.classify(face[0]), seconds)
    detector, large = default_detector(), cv2.resize(frame, (4000, 3000))
    usual = median_seconds(lambda: detector.detect(large), seconds, warm_up=1)
    large = cv2.resize(frame, (8000, 6000))
    longer = median_seconds(lambda: detector.detect(large), seconds, warm_up=1)
    baseline_frame = median_seconds(lambda: baseline.analyze(frame), seconds)
    return {
        "classify_ms": classify * 1e3,
        "keras_predict_ms": predict * 1e3,
        "classify_speedup_vs_keras_predict": predict / classify,
        "frame_ms": ours * 1e3,
        "usual_frame_ms": baseline_frame * 1e3,
        "frame_speedup_vs_haar_keras": baseline_frame / ours,
        "faces_per_second": len(many) / batch,
        "large_picture_time_per_pixel": longer / usual / 4,
    }


def stream_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Time a stream and the baseline on the same clips, with one face and with five.

    Args:
        model: a stored model with its `.keras` file.
        seconds: for how long to time each on each clip.

    Raises:
        FerError: the model has no `.keras` file, or faces of a clip are not found.
    """
    classifier = model.classifier()
    baseline = HaarKerasBaseline(model)
    numbers = {}
    for faces, suffix in ((1, ""), (5, "_five_faces")):
        clip = portrait_clip(faces)
        ours = _mean_seconds(_stream_loop(classifier, faces), clip, seconds)
        theirs = _mean_seconds(baseline.analyze, clip, seconds)
        numbers[f"stream_speedup_vs_usual_loop{suffix}"] = theirs / ours
        numbers[f"stream_frames_per_second{suffix}"] = 1 / ours
    return numbers


def portrait_frame() -> Image:
    """Return a `(480, 640, 3)` RGB frame with one face: the sample portrait on gray."""
    portrait = cv2.resize(sample_portrait(), (480, 480), interpolation=cv2.INTER_AREA)
    frame = np.full((480, 640, 3), 128, np.uint8)
    frame[:, 80:560] = portrait
    return frame


def portrait_clip(faces: int) -> list[Image]:
    """Return 90 `(480, 640, 3)` RGB frames in which one or five copies of the sample's head move over gray."""
    side = HEAD[faces]
    head = cv2.resize(sample_portrait()[:240, 110:350], (side, side), interpolation=cv2.INTER_AREA)
    frames = []
    for k in range(FRAMES):
        frame = np.full((480, 640, 3), 128, np.uint8)
        shift = round(AMPLITUDE[faces] * np.sin(2 * np.pi * k / FRAMES))
        for x, y in PLACES[faces]:
            frame[y : y + side, x + shift : x + shift + side] = head
        frames.append(frame)
    return frames


def _stream_loop(classifier: Classifier, faces: int) -> Callable[[Image], object]:
    detector = default_detector(detection_size=320)
    if detector.note:
        raise FerError(f"The benchmark needs YuNet. {detector.note}")
    stream = StreamAnalyzer(classifier, detector)
    times = (k / RATE for k in itertools.count())

    def loop(frame: Image) -> object:
        result = stream.process(frame, next(times))
        if len(result.faces) != faces:
            raise FerError(f"Expected {faces} faces in the benchmark's clip. Received: {len(result.faces)}")
        return stream.annotate(frame, result)

    return loop


def _mean_seconds(loop: Callable[[Image], object], clip: Sequence[Image], seconds: float) -> float:
    """Return the mean time of a frame, after some frames to warm up."""
    for frame in clip[:6]:
        loop(frame)
    frames = itertools.cycle([*clip[6:], *clip[:6]])
    start, count = time.perf_counter(), 0
    while count < 10 or time.perf_counter() - start < seconds:
        loop(next(frames))
        count += 1
    return (time.perf_counter() - start) / count
