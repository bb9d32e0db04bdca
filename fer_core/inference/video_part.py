"""The part of a video between two key frames, so that several machines can read one video."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any


class VideoPart:
    """Finds the first and last frame of a part of a video that begins and ends at key frames.

    Args:
        first: what the container gives as the time of the video's first frame, in seconds.
        start: the part begins with the first key frame at or after it, in seconds since the first frame.
        stop: the part ends before the first key frame at or after it.

    Attributes:
        before: time of the last frame before the part, or -1 if there is none.
    """

    def __init__(self, first: float, start: float, stop: float) -> None:
        self._first, self._start, self._stop = first, start, stop
        self._begin: float | None = None
        self._end = math.inf
        self.before = -1.0

    def watched(self, packets: Iterator[Any]) -> Iterator[Any]:
        """Yield the packets from the key frame on with which the part begins."""
        for packet in packets:
            seconds = None if packet.pts is None else float(packet.pts * packet.time_base) - self._first
            if seconds is not None and packet.is_keyframe:
                if self._begin is None and seconds >= self._start:
                    self._begin = seconds
                if self._end == math.inf and seconds >= self._stop:
                    self._end = seconds
            if seconds is not None and (self._begin is None or seconds < self._begin):
                self.before = max(self.before, seconds)
            if self._begin is not None:
                yield packet

    def inside(self, frames: Iterator[Any]) -> Iterator[Any]:
        """Yield the frames of the part. Frames shown before its key frame, but stored after it, are not among them."""
        for frame in frames:
            if frame is not None and frame.time is not None:
                seconds = frame.time - self._first
                if seconds >= self._end:
                    return
                if seconds < (self._begin or 0.0):
                    continue
            yield frame
