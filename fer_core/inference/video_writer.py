"""Write videos that browsers can play, with a time for each frame."""

from __future__ import annotations

import contextlib
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from fer_core.files import partial_beside
from fer_core.types import FerError, Image

CODECS: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("libx264", ".mp4", {"preset": "veryfast", "crf": "23", "bf": "0"}),  # without B-frames, packets are in order
    ("libopenh264", ".mp4", {}),
    ("libvpx-vp9", ".webm", {"deadline": "realtime", "cpu-used": "8", "crf": "33", "b": "0", "row-mt": "1"}),
)
"""Encoder, file type and settings, best first. VP9 is used if PyAV was built without an H.264 encoder."""

LONGEST: Final = 1920
"""Pixels. Larger frames are reduced: 4K takes four times as long to encode, and browsers do not play it smoothly."""

LONGEST_FRAME: Final = 3600.0
"""Seconds. A longer pause between frames is shortened to it: MP4 cannot hold frames of more than some hours."""

TIME_BASE: Final = Fraction(1, 90_000)
BT709: Final = 1
"""FFmpeg's number of the usual colour space of HD video, which is written to the file."""


class VideoWriter:
    """Write a video without sound: H.264 in MP4, which can play while it is loading, or VP9 in WebM.

    Frames are scaled to the size of the first one. Odd sizes are padded by one row or column. The file has a temporary
    name until it is complete.

    Args:
        path: a name that ends in `.mp4` or `.webm`. Its folder is created.
        rate: approximate number of frames per second, for the encoder's bit rate.

    Attributes:
        path: the video's path. Its suffix is `.webm` instead of `.mp4` if there is no H.264 encoder.

    Raises:
        FerError: the name has another suffix.

    Example:
        >>> writer = VideoWriter("out.mp4", rate=25)
        >>> writer.add(image, seconds=0.0)
        >>> writer.close(end=0.04)
    """

    def __init__(self, path: Path | str, rate: float = 25.0) -> None:
        self._codec, self.path, self._options = _codec_for(Path(path))
        self._rate = Fraction(min(max(rate, 1.0), 240.0)).limit_denominator(1001)
        self._partial = self.path
        self._container: Any = None
        self._stream: Any = None
        self._held: tuple[Any, float] | None = None
        self._skipped = 0.0
        self._durations: deque[int] = deque()

    def add(self, image: Image, seconds: float) -> None:
        """Write one frame.

        Args:
            image: `(height, width, 3)` uint8 RGB.
            seconds: time of the frame, which must be later than that of the previous one.

        Raises:
            FerError: the file cannot be written.
        """
        frame = av.VideoFrame.from_ndarray(_even(image), format="rgb24")
        try:
            if self._container is None:
                self._start(frame.width, frame.height)
            stream = self._stream
            frame = frame.reformat(stream.width, stream.height, "yuv420p", dst_colorspace="itu709")
            self._encode_held(seconds)
        except (av.FFmpegError, OSError) as error:
            self._drop()
            raise FerError(_cannot(self.path, error)) from error
        self._held = frame, seconds

    def close(self, end: float) -> None:
        """Finish the file; the last frame is shown until `end` seconds. Without frames no file is written.

        Raises:
            FerError: the file cannot be written.
        """
        if self._container is None:
            return
        try:
            self._encode_held(end)
            self._write(self._stream.encode())
            container, self._container = self._container, None
            container.close()
            self._partial.replace(self.path)
        except (av.FFmpegError, OSError) as error:
            raise FerError(_cannot(self.path, error)) from error
        finally:
            self._drop()

    def _start(self, width: int, height: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        extra = {"movflags": "faststart"} if self.path.suffix == ".mp4" else {}
        self._partial = partial_beside(self.path)
        self._container = av.open(f"file:{self._partial}", "w", format=self.path.suffix[1:], container_options=extra)
        stream = self._container.add_stream(self._codec, rate=self._rate, options=self._options)
        scale = min(1.0, LONGEST / max(width, height))
        stream.width, stream.height = (max(2, round(side * scale / 2) * 2) for side in (width, height))
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = TIME_BASE
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = BT709
        self._stream = stream

    def _encode_held(self, until: float) -> None:
        if self._held is None:
            return
        frame, seconds = self._held
        self._held = None
        frame.pts, frame.time_base = round((seconds - self._skipped) / TIME_BASE), TIME_BASE
        self._skipped += max(until - seconds - LONGEST_FRAME, 0.0)
        frame.duration = max(1, round((until - self._skipped) / TIME_BASE) - frame.pts)
        self._durations.append(frame.duration)
        self._write(self._stream.encode(frame))

    def _write(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._durations.popleft()  # encoders do not set it, and the last frame would be too short
            self._container.mux(packet)

    def _drop(self) -> None:
        self._held = None
        if self._container is not None:
            container, self._container = self._container, None
            with contextlib.suppress(av.FFmpegError, OSError):
                container.close()
        if self._partial != self.path:
            self._partial.unlink(missing_ok=True)


def _codec_for(path: Path) -> tuple[str, Path, dict[str, str]]:
    suffix = path.suffix.lower()
    if suffix not in (".mp4", ".webm"):
        raise FerError(f"An annotated video must be named .mp4 or .webm. Received: {path.name}")
    for codec, makes, options in CODECS:
        if codec in av.codecs_available and suffix in {makes, ".mp4"}:
            return codec, path.with_suffix(makes), dict(options)
    raise FerError("This build of PyAV can write neither H.264 nor VP9. Install its own wheel: pip install av")


def _even(image: Image) -> Image:
    """Return a frame with an even number of rows and columns, as yuv420p needs: repeat the last ones."""
    height, width = image.shape[:2]
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge") if height % 2 or width % 2 else image


def _cannot(path: Path, error: Exception) -> str:
    why = getattr(error, "strerror", None) or error
    return f"The annotated video cannot be written to {path}: {why}."
