"""A camera or a film, frame by frame: who is where, what each face shows, and the frame with it drawn in."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces import FaceDetector, default_detector, draw_faces, heatmap_on_face
from fer_core.inference.analyzer import FaceAnalyzer
from fer_core.inference.classifier import Classifier
from fer_core.inference.smoothing import Smoother
from fer_core.inference.tracking import FaceTracker
from fer_core.types import Face, FaceResult, FerError, Image

DETECT_SECONDS: Final = 0.2
"""However few frames come, faces are looked for at least that often."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamSettings:
    """How a stream is read; may be changed while it runs.

    Attributes:
        detect_every: look for faces in every so manieth frame; between, they go on as they moved.
        smoothing: time constant in seconds of the mean over a face's probabilities; 0: none.
        detection_size: longest side in pixels of the copy in which faces are looked for.
        flip: average each face with its mirror image.
        activation: let the regions glow that spoke for the expression.

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
        number: from 1, the same as long as the face is followed, never given to another one.
        result: box, crop, and the smoothed probabilities and activation map.
        probabilities: `(7,)` float32 of its last frame alone.
        seen: stream time in seconds of what `result` says; older than the frame's (by half a second at most) while
            the detector misses the face.
    """

    number: int
    result: FaceResult
    probabilities: NDArray[np.float32]
    seen: float


@dataclass(frozen=True, eq=False)
class FrameResult:
    """What is known of one frame.

    Attributes:
        seconds: its stream time.
        faces: by number.
        failed: whether it could not be analysed.
    """

    seconds: float
    faces: tuple[TrackedFace, ...] = ()
    failed: bool = False

    @property
    def largest(self) -> TrackedFace | None:
        """The face with the largest box, or None."""
        return max(self.faces, key=lambda one: one.result.face.box[2] * one.result.face.box[3], default=None)


class StreamAnalyzer:
    """Follow the faces of a stream; for one stream at a time, in one thread.

    Attributes `settings` and `classifier` may be set at any time, from any thread; they hold from the next frame on.
    With another classifier, smoothing starts anew.

    Args:
        classifier: says the expression of a crop.
        detector: finds faces; None: YuNet where it can be had, else Haar, on a copy of `detection_size`.
        settings: how to read the stream.

    Attributes:
        failures: frames that could not be analysed.

    Example:
        >>> stream = StreamAnalyzer(Classifier.of(load_model()))
        >>> result = stream.process(frame, seconds=0.033)  # (height, width, 3) uint8 RGB
        >>> drawn = stream.annotate(frame, result)
    """

    def __init__(
        self, classifier: Classifier, detector: FaceDetector | None = None, settings: StreamSettings | None = None
    ) -> None:
        self.classifier = classifier
        self.settings = settings or StreamSettings()
        self.failures = 0
        self._own_detector = detector
        self._detector: tuple[int, FaceDetector] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all faces; their numbers start from 1 again."""
        self._tracker = FaceTracker()
        self._memory: dict[int, tuple[Smoother, TrackedFace]] = {}
        self._classified_by = self.classifier
        self._size: tuple[int, int] | None = None
        self._frames_since_look = 0
        self._looked = self._now = float("-inf")

    def process(self, image: Image, seconds: float) -> FrameResult:
        """Analyse a frame.

        Args:
            image: `(height, width, 3)` uint8 RGB; sizes may change.
            seconds: its time in the stream. If it runs backwards, a new stream has begun and all faces are new.

        Returns:
            The faces; none, and `failed`, if anything went wrong, which is counted and logged the first time.
        """
        try:
            return self._process(image, seconds)
        except Exception as error:
            self.count_failure(error)
            return FrameResult(seconds, failed=True)

    def annotate(self, image: Image, frame_result: FrameResult, mirror: bool = False) -> Image:
        """Return a frame with its faces boxed, numbered and labelled, and the activation map if it is wanted.

        Args:
            image: the frame.
            frame_result: what `process` said of it.
            mirror: swap left and right, but not in the words.

        Returns:
            The size of `image`; `image` itself, if it could not be drawn upon.
        """
        try:
            return self._annotate(image, frame_result, mirror)
        except Exception as error:
            self.count_failure(error)
            return image

    def count_failure(self, error: Exception) -> None:
        """Count a frame that failed, here or on its way here; the first one is logged."""
        self.failures += 1
        if self.failures == 1:
            _LOG.error("A frame of a stream could not be analysed; later failures are only counted.", exc_info=error)

    def _process(self, image: Image, seconds: float) -> FrameResult:
        settings, classifier = self.settings, self.classifier
        if seconds < self._now:
            self.reset()
        self._now = seconds
        if classifier is not self._classified_by:
            self._memory, self._classified_by = {}, classifier
        detector = self._detector_for(settings.detection_size)
        if self._must_look(image, seconds, settings.detect_every):
            self._frames_since_look = 0
            self._tracker.update(detector.detect(image, thorough=False), seconds)
            self._looked = seconds
        self._frames_since_look += 1
        tracks = self._tracker.current(seconds)
        there = [track for track in tracks if track.seen == self._looked]
        analyzer = FaceAnalyzer(classifier, detector, settings.flip)
        results = analyzer.classify(image, [track.at(seconds) for track in there])
        for track, result in zip(there, results, strict=True):
            self._remember(track.number, result, seconds, settings.smoothing)
        self._memory = {track.number: self._memory[track.number] for track in tracks if track.number in self._memory}
        return FrameResult(seconds, tuple(face for _, face in self._memory.values()))

    def _detector_for(self, size: int) -> FaceDetector:
        if self._own_detector:
            return self._own_detector
        if self._detector is None or self._detector[0] != size:
            self._detector = size, default_detector(detection_size=size)
        return self._detector[1]

    def _must_look(self, image: Image, seconds: float, detect_every: int) -> bool:
        """Tell whether to look for faces in this frame; a frame of a new size always needs it."""
        size = image.shape[:2]
        if self._size and size != self._size:
            self._tracker.rescale(size[1] / self._size[1], size[0] / self._size[0])
        resized, self._size = size != self._size, size
        return resized or self._frames_since_look >= detect_every or seconds - self._looked >= DETECT_SECONDS

    def _remember(self, number: int, result: FaceResult, seconds: float, time_constant: float) -> None:
        smoother = self._memory[number][0] if number in self._memory else Smoother()
        values = [result.probabilities] if result.activation is None else [result.probabilities, result.activation]
        probabilities, *maps = smoother.add(values, seconds, time_constant)
        smooth = replace(result, probabilities=probabilities, activation=maps[0] if maps else None)
        self._memory[number] = smoother, TrackedFace(number, smooth, result.probabilities, seconds)

    def _annotate(self, image: Image, frame_result: FrameResult, mirror: bool) -> Image:
        if frame_result.failed:
            return image
        results = [one.result for one in frame_result.faces]
        if self.settings.activation:
            for result in results:
                if result.activation is not None:
                    heat = result.activation[:, :, int(result.probabilities.argmax())]
                    image = heatmap_on_face(image, result.transform, heat)
        if mirror:
            image = np.asarray(cv2.flip(image, 1))
            results = [replace(result, face=_mirrored(result.face, image.shape[1])) for result in results]
        return draw_faces(image, results, enlarge=False, numbers=[one.number for one in frame_result.faces])


def _mirrored(face: Face, width: int) -> Face:
    """Return where a face's box is in the mirrored picture."""
    x, y, wide, high = face.box
    return Face((width - x - wide, y, wide, high), face.score)
