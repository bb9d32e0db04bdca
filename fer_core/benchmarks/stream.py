"""A camera's stream: frames followed and drawn upon, against the usual loop that looks everywhere in every frame."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np

from fer_core.benchmarks.serving import UsualWay
from fer_core.data import sample_portrait
from fer_core.faces import default_detector
from fer_core.inference import Classifier
from fer_core.inference.stream import StreamAnalyzer
from fer_core.store import StoredModel
from fer_core.types import FerError, Image

STREAM = {
    "stream_speedup_vs_usual_loop": "A 640×480 stream with a moving face, drawing included: how many times "
    "faster a frame than Haar on every full frame plus keras.Model.predict",
    "stream_frames_per_second": "Frames a second of that stream (mean over the clip)",
    "stream_speedup_vs_usual_loop_five_faces": "The same with five faces: how many times faster",
    "stream_frames_per_second_five_faces": "Frames a second of that stream with five faces",
}

RATE: Final = 30  # frames a second of the clip
FRAMES: Final = 90  # of the clip: three seconds, forth and back
HEAD: Final = {1: 320, 5: 190}  # side in pixels of the portrait's upper part, by the number of faces
PLACES: Final = {1: [(160, 80)], 5: [(20, 25), (225, 25), (430, 25), (120, 255), (330, 255)]}
SWAY: Final = {1: 120, 5: 15}  # pixels to the left and right


def stream_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Time both loops over the same clips, one after the other in this process.

    Args:
        model: with its `.keras` file.
        seconds: how long to time each loop on each clip, whole rounds of the clip for ours.

    Raises:
        FerError: the model has no `.keras` file, or a loop misses faces of a clip.
    """
    classifier = Classifier.of(model)
    usual = UsualWay(model)
    numbers = {}
    for faces, suffix in ((1, ""), (5, "_five_faces")):
        clip = portrait_clip(faces)
        ours = _mean_seconds(_our_loop(classifier, faces), clip, seconds)
        theirs = _mean_seconds(usual.analyze, clip, seconds)
        numbers[f"stream_speedup_vs_usual_loop{suffix}"] = theirs / ours
        numbers[f"stream_frames_per_second{suffix}"] = 1 / ours
    return numbers


def portrait_clip(faces: int) -> list[Image]:
    """Return 90 `(480, 640, 3)` RGB frames in which one or five copies of the sample's head sway over gray."""
    side = HEAD[faces]
    head = cv2.resize(sample_portrait()[:240, 110:350], (side, side), interpolation=cv2.INTER_AREA)
    frames = []
    for k in range(FRAMES):
        frame = np.full((480, 640, 3), 128, np.uint8)
        shift = round(SWAY[faces] * np.sin(2 * np.pi * k / FRAMES))
        for x, y in PLACES[faces]:
            frame[y : y + side, x + shift : x + shift + side] = head
        frames.append(frame)
    return frames


def _our_loop(classifier: Classifier, faces: int) -> Callable[[Image], object]:
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
    """Return the mean time of one frame, after a few that warm up."""
    for frame in clip[:6]:
        loop(frame)
    frames = itertools.cycle([*clip[6:], *clip[:6]])
    start, count = time.perf_counter(), 0
    while count < 10 or time.perf_counter() - start < seconds:
        loop(next(frames))
        count += 1
    return (time.perf_counter() - start) / count
