"""Films for the tests, written with PyAV: the sample portrait's head moved about, and everything that can go wrong."""

import io
import tempfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from fer_core.data import sample_portrait
from fer_core.types import Image

TIME_BASE = Fraction(1, 12_800)
HEAD_BOX = (105.0, 66.0, 90.0, 108.0)
"""The face's x, y, width and height in `head()`, as seen by eye."""


def head() -> Image:
    """Return the portrait's upper part, `(300, 320, 3)` RGB."""
    return np.ascontiguousarray(sample_portrait()[0:300, 75:395])


def scene(*places: tuple[int, int], size: tuple[int, int] = (640, 360), scale: float = 1.0) -> Image:
    """Return a gray frame of `size` (width, height) with the head pasted at each place (left, top)."""
    frame = np.full((size[1], size[0], 3), 110, np.uint8)
    small = cv2.resize(head(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for left, top in places:
        part = small[: frame.shape[0] - top, : frame.shape[1] - left]
        frame[top : top + part.shape[0], left : left + part.shape[1]] = part
    return frame


def film(
    frames: Iterable[Image],
    kind: str = "mp4",
    codec: str = "libx264",
    rate: int = 10,
    times: Sequence[float] | None = None,
    rotate: float | None = None,
    options: dict[str, str] | None = None,
    pixel_ratio: Fraction | None = None,
    key_every: int | None = None,
) -> bytes:
    """Return a video file's content, of RGB pictures of one even size; there may be none.

    `kind` is FFmpeg's name of the container, `times` are the seconds of each frame where they are not even, `rotate` is
    the display rotation in degrees counter-clockwise, and `key_every` the frames from one key frame to the next.
    """
    base = TIME_BASE if kind in ("mp4", "mov") else Fraction(1, 1000) if kind == "webm" else Fraction(1, rate)
    pictures = list(frames)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        with av.open(str(path), "w", format=kind, container_options=options or {}) as container:
            track: Any = container.add_stream(codec, rate=rate, options={"bf": "0"} if codec == "libx264" else {})
            track.pix_fmt, track.codec_context.time_base = "yuv420p", base
            track.height, track.width = pictures[0].shape[:2] if pictures else (360, 640)
            if key_every:
                track.gop_size = key_every
            if pixel_ratio:
                track.codec_context.sample_aspect_ratio = pixel_ratio
            if rotate is not None:
                track.set_display_rotation(rotate)
            container.start_encoding()
            for number, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = round((times[number] if times else number / rate) / base), base
                container.mux(track.encode(frame))
            container.mux(track.encode())
        return path.read_bytes()


def moving_head(frames: int = 20, step: int = 8, size: tuple[int, int] = (640, 360)) -> list[Image]:
    """Return frames in which the head goes right by `step` pixels a frame, from (10, 30)."""
    return [scene((10 + step * number, 30), size=size) for number in range(frames)]


def with_sound(frames: Iterable[Image], rate: int = 10, *, kind: str = "mp4", seconds: float = 0.5) -> bytes:
    """Return a film with pictures and so many seconds of a tone; with the tone alone if there are no pictures.

    `kind` is FFmpeg's name of a container for H.264 and AAC.
    """
    stream, pictures = io.BytesIO(), list(frames)
    with av.open(stream, "w", format=kind) as container:
        track: Any = container.add_stream("libx264", rate=rate) if pictures else None
        sound: Any = container.add_stream("aac", rate=16_000)
        if pictures:
            track.width, track.height, track.pix_fmt = pictures[0].shape[1], pictures[0].shape[0], "yuv420p"
            for picture in pictures:
                container.mux(track.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
            container.mux(track.encode())
        length = round(16_000 * seconds)
        wave = (np.sin(np.arange(length) / 8)[None] * 0.3).astype(np.float32)
        for start in range(0, length, 1_024):
            frame = av.AudioFrame.from_ndarray(wave[:, start : start + 1_024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 16_000, start, Fraction(1, 16_000)
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return stream.getvalue()


def sound_only() -> bytes:
    return with_sound([])


def decoded(path: Path) -> tuple[Any, float, list[float], list[Image]]:
    """Return the codec's context, the seconds, and the frames' times and RGB pictures of a video file."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        pictures = [frame.to_ndarray(format="rgb24") for frame in frames]
        return stream.codec_context, container.duration / av.time_base, [frame.time for frame in frames], pictures


def cut_off(content: bytes, part: float = 0.5) -> bytes:
    """Return the first part of a file."""
    return content[: int(len(content) * part)]
