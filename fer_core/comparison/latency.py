"""How long one face takes on this machine, measured when asked."""

from __future__ import annotations

import statistics
import time

from fer_core.data import sample_portrait
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.store import StoredModel


def face_milliseconds(model: StoredModel, seconds: float = 0.5) -> float:
    """Return the median time to classify one 48×48 face, in milliseconds, after a warm-up.

    Args:
        model: a servable one.
        seconds: keep calling for about this long, at least five times.

    Raises:
        FerError: the model's file cannot be served.
    """
    classifier = Classifier.of(model)
    portrait = FaceAnalyzer(classifier).analyze(sample_portrait())
    face = portrait[0].crop[None]  # a real one: what a model's own preprocessing costs depends on it
    for _ in range(3):
        classifier.predict(face)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        classifier.predict(face)
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)
