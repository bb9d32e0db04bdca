"""One visitor's camera: what streamlit-webrtc calls for each frame, and what the page reads meanwhile."""

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
from PIL import Image as Pillow

from fer_core.inference.classifier import Classifier
from fer_core.inference.recording import Recording
from fer_core.inference.stream import FrameResult, StreamAnalyzer, StreamSettings
from fer_core.inference.timeline import Timeline
from fer_core.types import Image

STALE_SECONDS: Final = 0.5
"""A result older than that is no longer what the camera shows."""

RATE_SECONDS: Final = 2.0  # over which frames a second are counted
MAX_TIMES: Final = 240  # frames; more than any camera gives in that time


@dataclass(frozen=True, eq=False)
class LiveStatus:
    """How a live stream is doing.

    Attributes:
        frames: how many came in all.
        failures: how many of them could not be analysed and were passed through.
        frames_per_second: over the last two seconds; 0 when none comes any more.
        milliseconds: mean time that a frame took to be analysed and drawn.
        result: the latest frame's, or None if that is older than half a second.
        recorded: rows of the recording.
        recording: whether rows are being added.
        full: whether none are added any more because the recording is full.
    """

    frames: int
    failures: int
    frames_per_second: float
    milliseconds: float
    result: FrameResult | None
    recorded: int
    recording: bool
    full: bool


@dataclass(frozen=True, eq=False)
class FrozenFrame:
    """A frame kept.

    Attributes:
        png: the picture as the camera gave it.
        annotated_png: the same with the faces drawn in.
        result: what was said of it.
    """

    png: bytes
    annotated_png: bytes
    result: FrameResult


class LiveSession:
    """Analyses one visitor's camera; every method may be called from any thread.

    Args:
        classifier: says the expression of a crop.
        model: the classifier's name, for recordings.
        settings: how to read the stream.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        classifier: Classifier,
        model: str,
        settings: StreamSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = StreamAnalyzer(classifier, settings=settings)
        self._stream.process(np.zeros((48, 48, 3), np.uint8), 0.0)  # the first picture should not wait for the detector
        self._stream.reset()
        self._model, self._clock, self._mirror = model, clock, False
        self._working, self._lock = threading.Lock(), threading.Lock()
        self._frames = 0
        self._arrivals: deque[float] = deque(maxlen=MAX_TIMES)
        self._durations: deque[float] = deque(maxlen=MAX_TIMES)
        self._latest: tuple[Image, FrameResult] | None = None
        self._timeline = Timeline()
        self._recording: Recording | None = None
        self._is_recording = False

    def configure(self, settings: StreamSettings, mirror: bool = False) -> None:
        """Read and show the following frames like this.

        Args:
            settings: how to read them.
            mirror: swap left and right in what is shown; boxes in recordings stay as the camera sees them.
        """
        self._stream.settings, self._mirror = settings, mirror

    def use(self, classifier: Classifier, model: str) -> None:
        """Classify the following frames with another model; smoothing starts anew."""
        with self._working:
            self._stream.classifier, self._model = classifier, model

    def video_frame_callback(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a frame with its faces drawn in; any frame that fails is returned as it came."""
        with self._working:
            started = self._clock()
            with self._lock:
                self._frames += 1
                self._arrivals.append(started)
            try:
                return self._answer(frame, started)
            except Exception as error:
                self._stream.count_failure(error)
                return frame

    def status(self) -> LiveStatus:
        """Return how the stream is doing now."""
        now = self._clock()
        with self._lock:
            recent = [arrival for arrival in self._arrivals if now - arrival <= RATE_SECONDS]
            result = self._latest[1] if self._latest else None
            kept = self._recording
            return LiveStatus(
                frames=self._frames,
                failures=self._stream.failures,
                frames_per_second=_rate(recent),
                milliseconds=1e3 * sum(self._durations) / max(1, len(self._durations)),
                result=result if result and now - result.seconds <= STALE_SECONDS else None,
                recorded=kept.rows if kept else 0,
                recording=self._is_recording and kept is not None and not kept.full,
                full=self._is_recording and kept is not None and kept.full,
            )

    def timeline(self) -> pd.DataFrame:
        """Return the last minute: columns `seconds` (-60 to 0), `face` and the seven expressions."""
        with self._lock:
            return self._timeline.table(self._clock())

    def freeze(self) -> FrozenFrame | None:
        """Return the latest frame that was analysed, or None before the first."""
        with self._lock:
            latest = self._latest
        if latest is None:
            return None
        image, result = latest
        return FrozenFrame(_png(image), _png(self._stream.annotate(image, result)), result)

    def start_recording(self) -> None:
        """Begin a recording; an earlier one is discarded."""
        with self._lock:
            self._recording, self._is_recording = Recording(self._clock()), True

    def stop_recording(self) -> None:
        """Add no more rows; what is recorded stays."""
        with self._lock:
            self._is_recording = False

    def recording_csv(self) -> str:
        """Return what is recorded, as `Recording.as_csv`; nothing if nothing was."""
        with self._lock:
            return self._recording.as_csv() if self._recording else ""

    def _answer(self, frame: av.VideoFrame, started: float) -> av.VideoFrame:
        image = frame.to_ndarray(format="rgb24")
        result = self._stream.process(image, started)
        if result.failed:
            return frame
        drawn = self._stream.annotate(image, result, self._mirror)
        answer = av.VideoFrame.from_ndarray(drawn, format="rgb24")
        if frame.time_base is not None:
            answer.pts, answer.time_base = frame.pts, frame.time_base
        with self._lock:
            self._durations.append(self._clock() - started)
            self._latest = image, result
            self._timeline.add(result)
            if self._recording and self._is_recording:
                self._recording.add(result, self._model)
        return answer


def give_memory_back() -> None:
    """Return what stopped streams held to the system: their frames and encoders, some 30 MB each.

    They lie in reference cycles, and glibc keeps what is freed for itself unless told otherwise.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)


def _rate(arrivals: list[float]) -> float:
    """Return how many arrive a second; 0 for too few to tell."""
    passed = arrivals[-1] - arrivals[0] if len(arrivals) > 2 else 0.0
    return (len(arrivals) - 1) / passed if passed > 0 else 0.0


def _png(image: Image) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(image).save(stream, "PNG")
    return stream.getvalue()
