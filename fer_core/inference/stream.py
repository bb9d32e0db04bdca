"""Analyse a camera stream or a video frame by frame: track faces, classify them, and draw them into the frames."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.classifier import Classifier
from fer_core.faces import FaceDetector, default_detector, draw_faces, evidence_for, heatmap_on_face
from fer_core.inference.pictures import FaceAnalyzer
from fer_core.inference.tracking import FaceTracker, Smoother, look, scene
from fer_core.types import Face, FaceResult, FerError, Image

DETECT_SECONDS: Final = 0.2
"""Faces are detected at least this often, even at low frame rates."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamSettings:
    """Settings of a stream. They may be changed while it runs.

    Attributes:
        detect_every: detect faces in every n-th frame. In between, faces keep moving with constant velocity.
        smoothing: time constant in seconds of the moving average of a face's probabilities; 0 for none.
        detection_size: longest side in pixels to which frames are scaled for detection.
        flip: average each face with its mirror image.
        activation: draw the evidence for each face's expression as a heatmap.

    Raises:
        FerError: a number is out of range.
    """

    detect_every: int = 3
    smoothing: float = 0.3
    detection_size: int = 320
    flip: bool = False
    activation: bool = False

    def __post_init__(self) -> None:
        if self.detect_every < 1 or not 0 <= self.smoothing < float("inf") or self.detection_size < 1:
            raise FerError(
                "A stream needs detect_every and detection_size of at least 1 and a smoothing of 0 or more seconds. "
                f"Received: {self.detect_every}, {self.detection_size} and {self.smoothing}"
            )


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """One face of a stream.

    Attributes:
        number: from 1; stays the same while the face is tracked and is never reused.
        result: box, crop, and the smoothed probabilities and activation map.
        probabilities: `(7,)` float32, those of the last frame alone.
        seen: stream time of `result` in seconds. Up to half a second before the frame's time if the detector misses
            the face.
    """

    number: int
    result: FaceResult
    probabilities: NDArray[np.float32]
    seen: float


@dataclass(frozen=True, eq=False)
class FrameResult:
    """The result for one frame.

    Attributes:
        seconds: stream time of the frame.
        faces: the tracked faces, by number.
        failed: whether the frame could not be analysed.
    """

    seconds: float
    faces: tuple[TrackedFace, ...] = ()
    failed: bool = False

    @property
    def largest(self) -> TrackedFace | None:
        """The face with the largest box, or None."""
        return max(self.faces, key=lambda one: one.result.face.area, default=None)


class StreamAnalyzer:
    """Track and classify the faces of one stream, in one thread.

    The attributes `settings` and `classifier` may be set at any time from any thread; they take effect with the next
    frame. Smoothing restarts with another classifier.

    Args:
        classifier: classifies the face crops.
        detector: by default `default_detector` with the `detection_size` of the settings.
        settings: settings of the stream.

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
        self._detector: tuple[int, FaceDetector] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all faces. Numbers start from 1 again."""
        self._tracker = FaceTracker()
        self._faces: dict[int, tuple[Smoother, TrackedFace]] = {}
        self._classified_by = self.classifier
        self._frames_since_detection = 0
        self._detected = self._now = float("-inf")

    def process(self, image: Image, seconds: float) -> FrameResult:
        """Analyse a frame.

        Args:
            image: `(height, width, 3)` uint8 RGB. The size may change during the stream.
            seconds: stream time of the frame. If it is earlier than the previous one, the analyzer is reset.

        Returns:
            The tracked faces. After an error, no faces and `failed`; errors are counted, and the first one is logged.
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

        Args:
            image: the frame.
            frame_result: the result of `process` for it.
            mirror: flip the picture horizontally, but not the labels.
            largest: pixels; reduce a picture whose longest side has more to that size.

        Returns:
            A picture of the same size, or reduced; `image` itself after an error.
        """
        try:
            return self._annotate(image, frame_result, mirror, largest)
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
        detector = self._detector_for(settings.detection_size)
        analyzer = FaceAnalyzer(classifier, detector, flip=settings.flip)
        changed = self._tracker.see((image.shape[1], image.shape[0]), scene(image))
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
        return FrameResult(seconds, tuple(face for _, face in self._faces.values()))

    def _detector_for(self, size: int) -> FaceDetector:
        if self._given_detector:
            return self._given_detector
        if self._detector is None or self._detector[0] != size:
            self._detector = size, default_detector(detection_size=size)
        return self._detector[1]

    def _smooth(self, number: int, result: FaceResult, seconds: float, time_constant: float) -> None:
        smoother = self._faces[number][0] if number in self._faces else Smoother()
        values = [result.probabilities] if result.activation is None else [result.probabilities, result.activation]
        probabilities, *maps = smoother.add(values, seconds, time_constant)
        smooth = replace(result, probabilities=probabilities, activation=maps[0] if maps else None)
        self._faces[number] = smoother, TrackedFace(number, smooth, result.probabilities, seconds)

    def _annotate(self, image: Image, frame_result: FrameResult, mirror: bool, largest: int | None) -> Image:
        if frame_result.failed:
            return image
        results = [one.result for one in frame_result.faces]
        if self.settings.activation:
            for result in results:
                if result.activation is not None:
                    evidence = evidence_for(result.activation, result.expression)
                    image = heatmap_on_face(image, result.transform, evidence=evidence)
        if mirror:
            image = np.asarray(cv2.flip(image, 1))
            results = [replace(result, face=_mirrored(result.face, image.shape[1])) for result in results]
        numbers = [one.number for one in frame_result.faces]
        return draw_faces(image, results, enlarge=False, numbers=numbers, largest=largest)


def _mirrored(face: Face, width: int) -> Face:
    """Return a face with its box flipped horizontally in a picture `width` pixels wide."""
    x, y, box_width, box_height = face.box
    return Face((width - x - box_width, y, box_width, box_height), face.score)
