"""Analyse a camera stream or a video frame by frame: track faces, classify them, and draw them into the frames."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from fer_core.classifier import Classifier
from fer_core.faces import FaceDetector, default_detector, draw_faces, evidence_for, heatmap_on_face
from fer_core.inference.pictures import FaceAnalyzer
from fer_core.inference.tracking import FaceTracker, look, scene
from fer_core.types import Face, FaceResult, FerError, Image

DETECT_SECONDS: Final = 0.2
"""Faces are detected at least this often, even at low frame rates."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamSettings:
    """Settings of a stream, which may be changed while it runs. A number out of range is a `FerError`."""

    detect_every: int = 3  # detect faces in every n-th frame; in between, they keep moving with constant velocity
    smoothing: float = 0.3  # time constant in seconds of the moving average of a face's probabilities; 0 for none
    detection_size: int = 320  # longest side in pixels to which frames are scaled for detection
    flip: bool = False  # average each face with its mirror image
    cuts: bool = True  # after a cut all faces get new numbers; a camera has none, even if a head fills its picture
    activation: bool = False  # draw the evidence for each face's expression as a heatmap

    def __post_init__(self) -> None:
        if self.detect_every < 1 or not 0 <= self.smoothing < float("inf") or self.detection_size < 1:
            raise FerError(
                "A stream needs detect_every and detection_size of at least 1 and a smoothing of 0 or more seconds. "
                f"Received: {self.detect_every}, {self.detection_size} and {self.smoothing}"
            )


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """One face of a stream."""

    number: int  # from 1; stays the same while the face is tracked and is never reused
    result: FaceResult  # with smoothed probabilities and activation map
    seen: float  # stream time of the result; up to half a second before the frame's if the detector misses the face


@dataclass(frozen=True, eq=False)
class FrameResult:
    """The stream time of a frame, its tracked faces by number, and whether it could not be analysed."""

    seconds: float
    faces: tuple[TrackedFace, ...] = ()
    failed: bool = False

    @property
    def largest(self) -> TrackedFace | None:
        """The face with the largest box, or None."""
        return max(self.faces, key=lambda face: face.result.face.area, default=None)


class StreamAnalyzer:
    """Track and classify the faces of one stream, in one thread.

    The attributes `settings` and `classifier` may be set at any time from any thread; they take effect with the next
    frame. Smoothing restarts with another classifier.

    Args:
        classifier: classifies the face crops.
        detector: by default `default_detector` with the `detection_size` of the settings.

    Attributes:
        failures: number of frames that could not be analysed.

    Example:
        >>> stream = StreamAnalyzer(load_model().classifier())
        >>> result = stream.process(frame, seconds=0.033)  # (height, width, 3) uint8 RGB
        >>> drawn = stream.annotate(frame, result)
    """

    def __init__(
        self, classifier: Classifier, detector: FaceDetector | None = None, *, settings: StreamSettings | None = None
    ) -> None:
        self.classifier = classifier
        self.settings = settings or StreamSettings()
        self.failures = 0
        self._given_detector = detector
        self._detectors: dict[int, FaceDetector] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all faces. Numbers start from 1 again."""
        self._tracker = FaceTracker()
        self._faces: dict[int, TrackedFace] = {}
        self._classified_by = self.classifier
        self._frames_since_detection = 0
        self._detected = self._now = float("-inf")

    def process(self, image: Image, seconds: float) -> FrameResult:
        """Analyse a frame.

        Args:
            image: `(height, width, 3)` uint8 RGB. The size may change during the stream.
            seconds: stream time of the frame. If it is earlier than the previous one, the analyzer is reset.

        After an error the result has no faces and is `failed`; errors are counted, and the first one is logged.
        """
        try:
            return self._process(image, seconds)
        except Exception as error:
            self.count_failure(error)
            return FrameResult(seconds, failed=True)

    def annotate(
        self, image: Image, frame_result: FrameResult, *, mirror: bool = False, largest: int | None = None
    ) -> Image:
        """Return a frame with boxes, numbers and labels, and with heatmaps if the settings ask for them.

        After an error the frame itself is returned.

        Args:
            image: the frame.
            frame_result: the result of `process` for it.
            mirror: flip the picture horizontally, but not the labels.
            largest: pixels; reduce a picture whose longest side has more to that size.
        """
        if frame_result.failed:
            return image
        try:
            results = [face.result for face in frame_result.faces]
            drawn = image
            for result in results if self.settings.activation else ():
                if result.activation is not None:
                    evidence = evidence_for(result.activation, result.expression, classes=result.classes)
                    drawn = heatmap_on_face(drawn, result.transform, evidence=evidence)
            if mirror:
                drawn = np.asarray(cv2.flip(drawn, 1))
                results = [replace(result, face=_mirrored(result.face, drawn.shape[1])) for result in results]
            numbers = [face.number for face in frame_result.faces]
            return draw_faces(drawn, results, enlarge=False, numbers=numbers, largest=largest)
        except Exception as error:
            self.count_failure(error)
            return image

    def count_failure(self, error: Exception) -> None:
        """Count a frame that could not be analysed, and log the first one."""
        self.failures += 1
        if self.failures == 1:
            _LOG.error("A frame of a stream could not be analysed; later failures are only counted.", exc_info=error)

    def _process(self, image: Image, seconds: float) -> FrameResult:
        settings, classifier = self.settings, self.classifier
        if seconds < self._now:
            self.reset()
        self._now = seconds
        if classifier is not self._classified_by:
            self._faces, self._classified_by = {}, classifier
        detector = self._given_detector or self._detectors.get(settings.detection_size)
        if detector is None:
            detector = default_detector(detection_size=settings.detection_size)
            self._detectors = {settings.detection_size: detector}
        analyzer = FaceAnalyzer(classifier, detector, flip=settings.flip)
        changed = self._tracker.see((image.shape[1], image.shape[0]), scene(image), cuts=settings.cuts)
        late = seconds - self._detected >= DETECT_SECONDS
        if changed or late or self._frames_since_detection >= settings.detect_every:
            self._frames_since_detection = 0
            faces = detector.detect(image, thorough=False)
            results = analyzer.classify(image, faces)
            present = self._tracker.update(faces, [look(result.crop) for result in results], seconds)
            self._detected = seconds
        else:
            present = [track for track in self._tracker.current(seconds) if track.seen == self._detected]
            results = analyzer.classify(image, [track.at(seconds) for track in present])
        self._frames_since_detection += 1
        for track, result in zip(present, results, strict=True):
            self._smooth(track.number, result, seconds, settings.smoothing)
        shown = [track.number for track in self._tracker.current(seconds)]
        self._faces = {number: self._faces[number] for number in shown if number in self._faces}
        return FrameResult(seconds, tuple(self._faces.values()))

    def _smooth(self, number: int, result: FaceResult, seconds: float, time_constant: float) -> None:
        """Keep the exponential moving average of a face's probabilities and activation map.

        A result that comes `gap` seconds after the previous one gets the weight `1 - exp(-gap / time_constant)`. So the
        average does not depend on the frame rate: after one time constant, an old result always has a weight of 37 %.
        """
        before = self._faces.get(number)
        if before and time_constant > 0:
            weight = np.float32(-math.expm1(-(seconds - before.seen) / time_constant))
            old, activation = before.result, result.activation
            if old.activation is not None and activation is not None:
                activation = old.activation + weight * (activation - old.activation)
            probabilities = old.probabilities + weight * (result.probabilities - old.probabilities)
            result = replace(result, probabilities=probabilities, activation=activation)
        self._faces[number] = TrackedFace(number, result, seconds)


def _mirrored(face: Face, width: int) -> Face:
    x, y, box_width, box_height = face.box
    return Face((width - x - box_width, y, box_width, box_height), face.score)
