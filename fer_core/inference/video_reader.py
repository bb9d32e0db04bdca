"""Read a video file frame by frame: upright RGB pictures with their times."""

from __future__ import annotations

import io
import logging
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import av
import numpy as np

from fer_core.types import FerError, Image

logger = logging.getLogger(__name__)

EXPECTED: Final = "Expected an MP4, MOV, WebM or AVI file."

VIDEO_SUFFIXES: Final = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv")
"""File name extensions by which folders are searched. `VideoReader` checks the content instead."""

READABLE: Final = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg"
"""FFmpeg's names of the supported containers. Playlists are excluded, since they can refer to other files and URLs."""

MAX_PIXELS: Final = 36_000_000  # 8K has 33 million; decoding larger frames would need gigabytes of memory
LARGE_PIXELS: Final = 9_000_000  # 4K has 8.8 million
FULL_HD: Final = 1920 * 1080  # pixels
FASTEST: Final = 60
"""Full HD frames per second that a limit of the length allows, as many as phones record. So it bounds the work as well,
also for a video of 1,000 frames per second."""

USUAL_RATE: Final = 25.0  # frames per second if the file does not contain the rate
ROUNDING: Final = 0.002
"""Seconds by which containers may round times; without it, `rate=5` could miss each fifth frame of 25 per second."""

MISSING: Final = (0.5, 0.02)  # seconds, and share of the declared length, that an intact file may lack at its end


class VideoReader:
    """An open video, to be read once from start to end. Only a few frames are in memory at any time.

    Args:
        source: the file's path, its content, or an open binary file that can seek.
        name: name of the video in messages; by default the file name, or "The video".
        longest: maximum length in seconds, with at most `FASTEST` Full HD frames per second or fewer larger ones; None
            for no limit. A file that does not say its length is read up to it.

    Attributes:
        seconds: declared length, or None if the file does not contain it.
        rate: mean number of frames per second.
        has_sound: whether there is a sound track.
        end: seconds from the first frame to the end of the last one read so far.
        over: whether reading has ended at the limit.
        note: after reading, a sentence about damaged or missing parts; None for an intact file.

    Raises:
        FerError: the source is missing, empty, not a video, without frames, too long, or larger than 8K.

    Example:
        >>> with VideoReader("class.mp4") as video:
        ...     for seconds, image in video.frames(rate=5):  # (height, width, 3) uint8 RGB
        ...         ...
    """

    def __init__(
        self, source: Path | str | bytes | BinaryIO, name: str | None = None, *, longest: float | None = None
    ) -> None:
        self.name = name or (Path(source).name[:80] or str(source) if isinstance(source, Path | str) else "The video")
        self._container = _opened(source, self.name)
        self._longest = math.inf if longest is None else longest
        try:
            self._stream = stream = self._video_stream()
            self.has_sound = bool(self._container.streams.audio)
            self.seconds = self._declared_seconds()
            self._sound_may_outlast = self.has_sound and self._seconds_of_pictures() is None
            self._check_length()
        except FerError:
            self._container.close()
            raise
        self.rate = float(stream.average_rate or stream.guessed_rate or USUAL_RATE)
        self.end = 0.0
        self.over = False
        self.note: str | None = None
        self._work = 0.0  # for the frames read so far, in Full HD frames

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
        last = -1
        for seconds, frame in self._timed():
            slot = last + 1 if rate is None else math.floor((seconds + ROUNDING) * rate)
            if slot > last:
                last = slot
                yield seconds, self._upright(frame)

    def _upright(self, frame: Any) -> Image:
        """Return a frame as `(height, width, 3)` RGB with square pixels, rotated according to its display matrix."""
        ratio = self._stream.sample_aspect_ratio
        width = max(1, round(frame.width * float(ratio))) if ratio else frame.width
        self._check_size(max(width, frame.width), frame.height)  # frames may become larger within a file
        image: Image = frame.to_ndarray(format="rgb24", width=width, height=frame.height)
        matrix = next((data for data in frame.side_data if data.type.name == "DISPLAYMATRIX"), None)
        if matrix is not None:
            (a, b, _), (c, d, _), _ = np.frombuffer(matrix, np.int32).reshape(3, 3).tolist()
            if abs(b) + abs(c) > abs(a) + abs(d):  # rotated by 90 or 270 degrees: swap x and y
                image, a, d = image.transpose(1, 0, 2), c, b
            image = image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
        return np.ascontiguousarray(image)

    def _check_size(self, width: int, height: int) -> None:
        if width * height > MAX_PIXELS:
            raise FerError(
                f"{self.name} is too large. Expected at most 8K (7680 x 4320); make it smaller and try again. "
                f"Received: {width} x {height}"
            )

    def _timed(self) -> Iterator[tuple[float, Any]]:
        """Yield the times, which increase, and the decoded frames."""
        first: float | None = None
        last, damaged = -1 / self.rate, False
        for frame in self._decoded():
            damaged = damaged or frame is None or frame.is_corrupt
            if frame is None:
                continue
            if first is None:
                first = frame.time or 0.0
            seconds = last if frame.time is None else frame.time - first
            if seconds <= last:
                seconds = last + 1 / self.rate
            self.over = self.over or seconds > self._longest
            if self.over:
                break
            self.end = seconds + (float(frame.duration * frame.time_base) if frame.duration else 1 / self.rate)
            yield seconds, frame
            last = seconds
        if first is None:
            raise FerError(f"{self.name} holds no frame that can be decoded. {EXPECTED}")
        if self.over:
            return
        declared = self.seconds or 0.0
        if declared - self.end > max(MISSING[0], MISSING[1] * declared) and not self._sound_may_outlast:
            read = f"{self.end:.1f} of {declared:.1f} seconds"
            self.note = f"{self.name} is cut off or damaged: frames could be read up to {read}."
        elif damaged:
            self.note = f"{self.name} is damaged in places: some frames are smeared or missing."

    def _decoded(self) -> Iterator[Any]:
        """Yield frames, and None for each damaged part."""
        packets = self._container.demux(self._stream)
        while not self.over:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError):  # the rest of the container is damaged
                yield None
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:
                frames = [None]
            self._work += max(len(frames), 1) * self._frame_work()
            self.over = self._work > self._longest * FASTEST
            yield from frames

    def _frame_work(self) -> float:
        context = self._stream.codec_context
        return float(max(context.width * context.height / FULL_HD, 1.0))

    def _check_length(self) -> None:
        seconds, frames = self.seconds or 0.0, self._stream.frames
        if seconds > self._longest:
            raise FerError(
                f"{self.name} is too long. Expected at most {self._longest / 60:g} minutes; cut it and try again. "
                f"Received: {seconds / 60:.1f} minutes"
            )
        if frames * self._frame_work() > self._longest * FASTEST:
            raise FerError(
                f"{self.name} has too many frames. Expected at most {self._longest * FASTEST:,.0f} in Full HD or fewer "
                "larger ones; cut it, or save it with fewer frames per second, and try again. "
                f"Received: {frames:,} of {self._stream.width} x {self._stream.height}"
            )

    def _video_stream(self) -> Any:
        covers = av.stream.Disposition.attached_pic
        streams = [s for s in self._container.streams.video if not s.disposition & covers]
        if not streams:
            raise FerError(f"{self.name} holds no frames; it may hold nothing but sound. {EXPECTED}")
        stream = streams[0]
        if stream.codec_context is None or not stream.width or not stream.height:
            raise FerError(f"{self.name} holds no frame that can be decoded. {EXPECTED}")
        self._check_size(stream.width, stream.height)
        large = stream.width * stream.height > LARGE_PIXELS
        stream.thread_type = "SLICE" if large else "AUTO"  # decoding frames side by side holds more of them
        return stream

    def _declared_seconds(self) -> float | None:
        of_all = self._container.duration
        return self._seconds_of_pictures() or (of_all / av.time_base if of_all else None)

    def _seconds_of_pictures(self) -> float | None:
        """Return the declared length of the pictures alone; None if only that of the whole file is declared."""
        stream = self._stream
        if match := re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", stream.metadata.get("DURATION", "")):  # Matroska and WebM
            hours, minutes, seconds = map(float, match.groups())
            return 3600 * hours + 60 * minutes + seconds
        if stream.duration and stream.time_base and self._container.format.name != "asf":  # there, of the whole file
            return float(stream.duration * stream.time_base)
        return None


def _opened(source: Path | str | bytes | BinaryIO, name: str) -> Any:
    try:
        file: BinaryIO | str
        if isinstance(source, Path | str):
            if Path(source).is_dir():
                raise FerError(f"{name} is a folder. Expected one video file.")
            file, size = f"file:{Path(source)}", Path(source).stat().st_size
        else:
            file = io.BytesIO(source) if isinstance(source, bytes) else source
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
        if size == 0:
            raise FerError(f"{name} is empty (0 bytes). {EXPECTED}")
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
