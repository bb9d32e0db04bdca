"""One visitor's live camera: analyse the frames that streamlit-webrtc delivers, and what the page shows of them."""

from __future__ import annotations

import ctypes
import gc
import io
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
import pandas as pd

from fer_core.classifier import Classifier
from fer_core.faces import FaceDetector, png
from fer_core.files import write_rows
from fer_core.inference.face_table import face_columns, face_row
from fer_core.inference.stream import FrameResult, StreamAnalyzer, StreamSettings
from fer_core.types import Image

RATE_SECONDS: Final = 2.0  # over which frames per second are counted; a browser shows the latest result as long
MAX_TIMES: Final = 240  # frames; more than any camera delivers in that time

TIMELINE_SECONDS: Final = 60.0
TIMELINE_STEP: Final = 0.2  # seconds between two points of the timeline
TIMELINE_FACES: Final = 16  # per point; of more faces, those with the lowest numbers

MAX_ROWS: Final = 100_000  # of a recording: almost an hour of one face at 30 frames per second, 22 MB


@dataclass(frozen=True, eq=False)
class LiveStatus:
    """The state of a live stream."""

    frames: int
    failures: int  # frames that could not be analysed and were returned unchanged
    frames_per_second: float  # over the last two seconds; 0 if no frames arrive
    milliseconds: float  # mean time to analyse and draw a frame
    result: FrameResult | None  # the latest, which the video shows, unless it is older than two seconds
    recorded: int  # rows of the recording
    recording: bool  # rows are being added
    full: bool  # the recording has ended because it is full


class LiveSession:
    """Analyse one visitor's camera. All methods are thread-safe.

    Args:
        classifier: classifies the face crops.
        model: the classifier's name, for recordings.
        clock: returns seconds that never decrease.
        detector: by default that of `StreamAnalyzer`.
    """

    def __init__(
        self,
        classifier: Classifier,
        model: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        detector: FaceDetector | None = None,
    ) -> None:
        self._stream = StreamAnalyzer(classifier, detector)
        self._stream.process(np.zeros((48, 48, 3), np.uint8), 0.0)  # load the detector before the first frame arrives
        self._stream.reset()
        self._model, self._clock, self._mirror = model, clock, False
        self._working, self._lock = threading.Lock(), threading.Lock()
        self._frames = 0
        self._arrivals: deque[float] = deque(maxlen=MAX_TIMES)
        self._durations: deque[float] = deque(maxlen=MAX_TIMES)
        self._latest: tuple[Image, FrameResult] | None = None
        self._points: deque[FrameResult] = deque(maxlen=round(TIMELINE_SECONDS / TIMELINE_STEP))
        self._csv, self._recorded, self._max_rows, self._start = io.StringIO(), 0, 0, 0.0
        self._is_recording = False

    def configure(self, settings: StreamSettings, mirror: bool = False) -> None:
        """Set the settings for the following frames.

        With `mirror` the shown picture is flipped horizontally, but not the boxes in recordings.
        """
        self._stream.settings, self._mirror = settings, mirror

    def use(self, classifier: Classifier, model: str) -> None:
        """Classify the following frames with another model. Smoothing restarts.

        If it has other classes, the timeline restarts too, and a recording ends, because its columns are the classes.
        """
        with self._working, self._lock:
            if classifier.classes != self.classes:
                self._points.clear()
                self._is_recording = False
            self._stream.classifier, self._model = classifier, model

    @property
    def classes(self) -> tuple[str, ...]:
        """What the model tells apart."""
        return self._stream.classifier.classes

    def video_frame_callback(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a frame with its faces drawn into it; after an error, the frame itself."""
        with self._working:
            started = self._clock()
            with self._lock:
                self._frames += 1
                self._arrivals.append(started)
            try:
                image = frame.to_ndarray(format="rgb24")
                result = self._stream.process(image, started)
                if result.failed:
                    return frame
                drawn = self._stream.annotate(image, result, mirror=self._mirror)
                annotated = av.VideoFrame.from_ndarray(drawn, format="rgb24")
                if frame.time_base is not None:
                    annotated.pts, annotated.time_base = frame.pts, frame.time_base
                with self._lock:
                    self._durations.append(self._clock() - started)
                    self._keep(image, result)
                return annotated
            except Exception as error:
                self._stream.count_failure(error)
                return frame

    def _keep(self, image: Image, result: FrameResult) -> None:
        """Keep the result of a frame: the latest one, one for each step of the timeline, and rows of the recording."""
        self._latest = image, result
        if not self._points or result.seconds // TIMELINE_STEP != self._points[-1].seconds // TIMELINE_STEP:
            self._points.append(result)
        for face in result.faces if self._is_recording else ():
            if face.seen == result.seconds and self._recorded < self._max_rows:
                write_rows(self._csv, [[*face_row(face, round(result.seconds - self._start, 3)), self._model]])
                self._recorded += 1

    def status(self) -> LiveStatus:
        """Return the current state of the stream."""
        now = self._clock()
        with self._lock:
            recent = [arrival for arrival in self._arrivals if now - arrival <= RATE_SECONDS]
            passed = recent[-1] - recent[0] if len(recent) > 2 else 0.0
            result = self._latest[1] if self._latest else None
            full = self._recorded >= self._max_rows
            return LiveStatus(
                frames=self._frames,
                failures=self._stream.failures,
                frames_per_second=(len(recent) - 1) / passed if passed > 0 else 0.0,
                milliseconds=1e3 * sum(self._durations) / max(1, len(self._durations)),
                result=result if result and now - result.seconds <= RATE_SECONDS else None,
                recorded=self._recorded,
                recording=self._is_recording and not full,
                full=self._is_recording and full,
            )

    def timeline(self) -> pd.DataFrame:
        """Return the last minute: columns `seconds` (-60 to 0), `face` and the smoothed probabilities."""
        with self._lock:
            now = self._clock()
            rows = [
                [point.seconds - now, face.number, *map(float, face.result.probabilities)]
                for point in self._points
                if now - point.seconds <= TIMELINE_SECONDS
                for face in point.faces[:TIMELINE_FACES]
            ]
        return pd.DataFrame(rows, columns=["seconds", "face", *self.classes])

    def freeze(self) -> tuple[bytes, bytes] | None:
        """Return the latest analysed frame as PNG files, without and with boxes; None if there is none."""
        with self._lock:
            latest = self._latest
        return (png(latest[0]), png(self._stream.annotate(*latest))) if latest else None

    def start_recording(self, max_rows: int = MAX_ROWS) -> None:
        """Start a recording of at most `max_rows` rows, of faces detected in a frame, and discard the previous one."""
        with self._lock:
            self._csv, self._recorded, self._max_rows, self._start = io.StringIO(), 0, max_rows, self._clock()
            write_rows(self._csv, [(*face_columns(self.classes), "model")])
            self._is_recording = True

    def stop_recording(self) -> None:
        """Stop adding rows; the recording is kept."""
        with self._lock:
            self._is_recording = False

    def recording_csv(self) -> str:
        """Return the recording as CSV with `face_columns` and `model`; an empty string if there is none."""
        with self._lock:
            return self._csv.getvalue()


def release_memory() -> None:
    """Return the memory of streams that have ended to the system: frames and encoders, about 30 MB per stream.

    They are parts of reference cycles, and glibc does not return freed memory by itself.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)
