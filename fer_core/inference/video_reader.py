"""Read a video file frame by frame: upright RGB pictures with their times."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

import av
import numpy as np

from fer_core.types import FerError, Image

logger = logging.getLogger(__name__)

EXPECTED: Final = "Expected an MP4, MOV, WebM or AVI file."

READABLE: Final = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg"
"""FFmpeg's names of the supported containers. Playlists are excluded, since they can refer to other files and URLs."""

MAX_PIXELS: Final = 36_000_000
"""8K has 33 million pixels; decoding larger frames would need gigabytes of memory."""

USUAL_RATE: Final = 25.0
"""Frames per second if the file does not contain the rate."""

ROUNDING: Final = 0.002
"""Seconds by which containers may round times; without it, `rate=5` could miss each fifth frame of 25 per second."""

MISSING: Final = (0.5, 0.02)
"""Seconds, and share of the declared length, that may be missing at the end of an intact file."""


class VideoReader:
    """An open video, to be read once from start to end. Only a few frames are in memory at any time.

    Args:
        source: the file's path, or its content.
        name: name of the video in messages; by default the file name, or "The video".

    Attributes:
        seconds: declared length, or None if the file does not contain it.
        rate: mean number of frames per second.
        has_sound: whether there is a sound track.
        end: seconds from the first frame to the end of the last one read so far.
        note: after reading, a sentence about damaged or missing parts; None for an intact file.

    Raises:
        FerError: the source is missing, empty, not a video, without frames, or larger than 8K.

    Example:
        >>> with VideoReader("class.mp4") as video:
        ...     for seconds, image in video.frames(rate=5):  # (height, width, 3) uint8 RGB
        ...         ...
    """

    def __init__(self, source: Path | str | bytes, name: str | None = None) -> None:
        self.name = name or ("The video" if isinstance(source, bytes) else Path(source).name[:80] or str(source))
        self._container = _opened(source, self.name)
        try:
            self._stream = stream = self._video_stream()
        except FerError:
            self._container.close()
            raise
        self.rate = float(stream.average_rate or stream.guessed_rate or USUAL_RATE)
        self.seconds = self._declared_seconds()
        self.has_sound = bool(self._container.streams.audio)
        self.end = 0.0
        self.note: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def frames(self, rate: float | None = None) -> Iterator[tuple[float, Image]]:
        """Yield frames with their times in seconds since the first frame.

        Args:
            rate: maximum number of frames per second, evenly spaced and including the first one; None for all.

        Raises:
            FerError: no frame can be decoded, or `rate` is not positive.
        """
        if rate is not None and not rate > 0:
            raise FerError(f"The frames to analyse per second must be a number above 0, such as 5. Received: {rate}")
        slot = -1
        for seconds, frame in self._timed():
            found = math.floor((seconds + ROUNDING) * rate) if rate else slot + 1
            if found > slot:
                slot = found
                yield seconds, _upright(frame, self._stream.sample_aspect_ratio)

    def _timed(self) -> Iterator[tuple[float, Any]]:
        """Yield decoded frames with increasing times from 0."""
        first: float | None = None
        last = -1 / self.rate
        damaged = 0
        for frame in self._decoded():
            if frame is None or frame.is_corrupt:
                damaged += 1
            if frame is None:
                continue
            if first is None:
                first = frame.time or 0.0
            seconds = last if frame.time is None else frame.time - first
            if seconds <= last:
                seconds = last + 1 / self.rate
            self.end = seconds + (float(frame.duration * frame.time_base) if frame.duration else 1 / self.rate)
            last = seconds
            yield seconds, frame
        if first is None:
            raise FerError(f"{self.name} holds no frame that can be decoded. {EXPECTED}")
        self.note = self._damage_note(damaged)

    def _decoded(self) -> Iterator[Any]:
        """Yield frames, and None for each damaged part."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError):  # the rest of the container is damaged
                yield None
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:
                yield None
                continue
            yield from frames

    def _damage_note(self, damaged: int) -> str | None:
        missing = (self.seconds or 0.0) - self.end
        if missing > max(MISSING[0], MISSING[1] * (self.seconds or 0.0)):
            return (
                f"{self.name} is cut off or damaged: frames could be read up to {self.end:.1f} of "
                f"{self.seconds:.1f} seconds."
            )
        if damaged:
            return f"{self.name} is damaged in places: some frames are smeared or missing."
        return None

    def _video_stream(self) -> Any:
        covers = av.stream.Disposition.attached_pic
        streams = [s for s in self._container.streams.video if not s.disposition & covers]
        if not streams:
            raise FerError(f"{self.name} holds no frames; it may hold nothing but sound. {EXPECTED}")
        stream = streams[0]
        if not stream.width or not stream.height:
            raise FerError(f"{self.name} holds no frame that can be decoded. {EXPECTED}")
        if stream.width * stream.height > MAX_PIXELS:
            raise FerError(
                f"{self.name} is too large. Expected at most 8K (7680 x 4320); make it smaller and try again. "
                f"Received: {stream.width} x {stream.height}"
            )
        stream.thread_type = "AUTO"
        return stream

    def _declared_seconds(self) -> float | None:
        stream = self._stream
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        return self._container.duration / av.time_base if self._container.duration else None


def _opened(source: Path | str | bytes, name: str) -> Any:
    try:
        if not isinstance(source, bytes) and Path(source).is_dir():
            raise FerError(f"{name} is a folder. Expected one video file.")
        if (len(source) if isinstance(source, bytes) else Path(source).stat().st_size) == 0:
            raise FerError(f"{name} is empty (0 bytes). {EXPECTED}")
        file = io.BytesIO(source) if isinstance(source, bytes) else f"file:{Path(source)}"
        return av.open(file, options={"format_whitelist": READABLE}, metadata_errors="replace")
    except FerError:
        raise
    except FileNotFoundError as error:
        raise FerError(f"{name} does not exist. Check the path. Received: {source!s}") from error
    except PermissionError as error:
        raise FerError(f"{name} may not be read. Give yourself permission to read the file, or copy it.") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        logger.info("%s cannot be opened: %s", name, error)
        raise FerError(
            f"{name} is not a video, damaged or cut off at its start, or of a type that cannot be read. {EXPECTED}"
        ) from error


def _upright(frame: Any, pixel_ratio: Any) -> Image:
    """Return a frame as `(height, width, 3)` RGB with square pixels, rotated according to its display matrix."""
    width = round(frame.width * float(pixel_ratio)) if pixel_ratio else frame.width
    image: Image = frame.to_ndarray(format="rgb24", width=max(1, width), height=frame.height)
    matrix = next((data for data in frame.side_data if data.type.name == "DISPLAYMATRIX"), None)
    if matrix is not None:
        (a, b, _), (c, d, _), _ = np.frombuffer(matrix, np.int32).reshape(3, 3).tolist()
        if abs(b) + abs(c) > abs(a) + abs(d):  # rotated by 90 or 270 degrees: swap x and y
            image, a, d = image.transpose(1, 0, 2), c, b
        image = image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(image)
