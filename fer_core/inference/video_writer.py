"""Write videos that browsers can play, with a time for each frame; and the sample clip of the Video page."""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np

from fer_core.data import sample_portrait
from fer_core.files import cache_folder, partial_beside
from fer_core.types import FerError, Image
from fer_core.visitors import TemporaryFolder

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

SAMPLE_CLIP_NOTE: Final = (
    "Made from one still picture, moved, tilted, zoomed, blurred and darkened. The expression never changes, so all "
    "changes of the curves come from the model."
)

CLIP_SIZE: Final = (640, 360)  # width, height in pixels
CLIP_SECONDS: Final = 8.0
CLIP_RATE: Final = 12.5  # frames per second
_HEAD: Final = (224.0, 118.0)  # x, y in the portrait
_BLUR: Final = 11.0  # pixels
_DARKNESS: Final = 0.85  # share of the light that is removed at most
_VERSION: Final = 1


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
        path = Path(path)
        if path.suffix.lower() not in {".mp4", ".webm"}:
            raise FerError(f"An annotated video must be named .mp4 or .webm. Received: {path.name}")
        usable = [row for row in CODECS if row[0] in av.codecs_available and path.suffix.lower() in {row[1], ".mp4"}]
        if not usable:
            raise FerError("This build of PyAV can write neither H.264 nor VP9. Install its own wheel: pip install av")
        self._codec, suffix, self._options = usable[0]
        self.path = path.with_suffix(suffix)
        self._rate = Fraction(min(max(rate, 1.0), 240.0)).limit_denominator(1001)
        self._partial = self.path
        self._container: Any = None
        self._stream: Any = None
        self._held: tuple[Any, float] | None = None
        self._skipped = 0.0
        self._durations: deque[int] = deque()

    def add(self, image: Image, seconds: float) -> None:
        """Write a `(height, width, 3)` uint8 RGB frame, whose time must be later than that of the previous one.

        Raises:
            FerError: the file cannot be written.
        """
        height, width = image.shape[:2]
        even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge") if (height | width) % 2 else image
        frame = av.VideoFrame.from_ndarray(even, format="rgb24")
        try:
            if self._container is None:
                self._start(frame.width, frame.height)
            stream = self._stream
            frame = frame.reformat(stream.width, stream.height, "yuv420p", dst_colorspace="itu709")
            self._encode_held(seconds)
        except (av.FFmpegError, OSError) as error:
            self._drop()
            raise self._failure(error) from error
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
            raise self._failure(error) from error
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

    def _failure(self, error: Exception) -> FerError:
        why = getattr(error, "strerror", None) or error
        return FerError(f"The annotated video cannot be written to {self.path}: {why}.")


def sample_clip() -> Path:
    """Return the clip's path. It is created on first use and kept in the user's cache.

    Raises:
        FerError: the cache cannot be written.
    """
    folder = cache_folder("video")
    kept = next((path for path in folder.glob(f"sample-{_VERSION}.*") if path.suffix in {".mp4", ".webm"}), None)
    if kept:
        return kept
    try:
        with contextlib.closing(TemporaryFolder(shared=True)) as partial:
            writer = VideoWriter(partial.path / f"sample-{_VERSION}.mp4", CLIP_RATE)
            for number, image in enumerate(clip_frames()):
                writer.add(image, number / CLIP_RATE)
            writer.close(CLIP_SECONDS)
            return writer.path.replace(folder / writer.path.name)
    except OSError as error:
        raise FerError(f"The sample clip cannot be kept in {folder}: {error.strerror or error}.") from error


def clip_frames() -> Iterator[Image]:
    """Yield the clip's `(360, 640, 3)` RGB frames.

    The head moves, comes nearer and tilts by up to 20 degrees before a blurred copy of the picture. It is out of focus
    at 2.5 seconds and dark at 6.8.
    """
    portrait = sample_portrait()
    width, height = CLIP_SIZE
    wall = cv2.GaussianBlur(cv2.resize(portrait[100:388], CLIP_SIZE, interpolation=cv2.INTER_CUBIC), (0, 0), 30)
    frames = round(CLIP_SECONDS * CLIP_RATE)
    for number in range(frames):
        part = number / frames
        tilt = 26 * math.sin(2 * math.pi * part) * math.sin(math.pi * part)
        scale = 0.95 + 0.7 * math.sin(math.pi * part) ** 2
        blur = _BLUR * _bump(part, 0.18, 0.44)
        light = 1.0 - _DARKNESS * _bump(part, 0.7, 1.0)
        centre = (width * (0.5 + 0.14 * math.sin(4 * math.pi * part)), height * (0.4 + 0.06 * math.sin(6 * part)))
        transform = cv2.getRotationMatrix2D(_HEAD, tilt, scale)
        transform[:, 2] += np.subtract(centre, _HEAD)
        frame = cv2.warpAffine(portrait, transform, CLIP_SIZE, dst=wall.copy(), borderMode=cv2.BORDER_TRANSPARENT)
        if blur > 0.3:
            frame = cv2.GaussianBlur(frame, (0, 0), blur)
        yield np.asarray(cv2.convertScaleAbs(frame, alpha=light), np.uint8)


def _bump(part: float, start: float, end: float) -> float:
    """Return half a sine wave between start and end, and 0 outside."""
    return math.sin(math.pi * (part - start) / (end - start)) if start < part < end else 0.0
