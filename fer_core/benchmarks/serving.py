"""The served path against the usual one: Haar on the full frame, then `keras.Model.predict`."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.benchmarks.timing import median_seconds
from fer_core.data import sample_portrait
from fer_core.faces import default_detector
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.store import KERAS, StoredModel
from fer_core.types import FerError

SERVING = {
    "classify_ms": "One face, LiteRT, ms",
    "keras_predict_ms": "One face, keras.Model.predict on the same network, ms",
    "classify_speedup_vs_keras_predict": "One face: how many times faster than keras.Model.predict",
    "frame_ms": "A 640×480 camera frame with one face, ours, ms",
    "usual_frame_ms": "The same frame, Haar on the full frame plus keras.Model.predict, ms",
    "frame_speedup_vs_haar_keras": "A frame: how many times faster than the usual way",
    "faces_per_second": "Faces a second in batches",
}


def serving_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Time one face, one frame and batches.

    Raises:
        FerError: the model has no `.keras` file, or a way of looking finds no face in the frame.
    """
    classifier = Classifier.of(model)
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
    usual = UsualWay(model)
    predict = median_seconds(lambda: usual.classify(face[0]), seconds)
    usual_frame = median_seconds(lambda: usual.analyze(frame), seconds)
    return {
        "classify_ms": classify * 1e3,
        "keras_predict_ms": predict * 1e3,
        "classify_speedup_vs_keras_predict": predict / classify,
        "frame_ms": ours * 1e3,
        "usual_frame_ms": usual_frame * 1e3,
        "frame_speedup_vs_haar_keras": usual_frame / ours,
        "faces_per_second": len(many) / batch,
    }


def portrait_frame() -> NDArray[np.uint8]:
    """Return a 640×480 RGB frame with one face: the sample portrait, as a webcam would see it, on gray."""
    portrait = cv2.resize(sample_portrait(), (480, 480), interpolation=cv2.INTER_AREA)
    frame = np.full((480, 640, 3), 128, np.uint8)
    frame[:, 80:560] = portrait
    return frame


class UsualWay:
    """What most demos of this kind do for each frame."""

    def __init__(self, model: StoredModel) -> None:
        path = model.folder / KERAS
        if not path.is_file():
            raise FerError(f"The model {model.name} has no {KERAS}, so there is nothing to compare its speed with.")
        import keras

        self.network = keras.saving.load_model(path, compile=False, safe_mode=True)
        self.size = model.card.input_size
        self.haar = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def classify(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = face[None, :, :, None].astype(np.float32)
        return np.asarray(self.network.predict(batch, verbose=0))

    def analyze(self, frame: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        boxes = self.haar.detectMultiScale(gray, scaleFactor=1.1, minNeighbors=5)
        if len(boxes) == 0:
            raise FerError("Haar found no face in the benchmark's frame.")
        return [self.classify(cv2.resize(gray[y : y + h, x : x + w], (self.size, self.size))) for x, y, w, h in boxes]
