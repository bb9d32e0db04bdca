"""The sample clip of the Video page: one portrait, moved, tilted, zoomed, blurred and darkened."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from fer_core.data import sample_portrait
from fer_core.files import cache_folder
from fer_core.inference.video_writer import VideoWriter
from fer_core.types import FerError, Image

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
        with tempfile.TemporaryDirectory(dir=folder) as partial:
            writer = VideoWriter(Path(partial) / f"sample-{_VERSION}.mp4", CLIP_RATE)
            for number, image in enumerate(clip_frames()):
                writer.add(image, number / CLIP_RATE)
            writer.close(CLIP_SECONDS)
            return writer.path.replace(folder / writer.path.name)
    except OSError as error:
        raise FerError(f"The sample clip cannot be kept in {folder}: {error.strerror or error}.") from error


def clip_frames() -> Iterator[Image]:
    """Yield the clip's `(360, 640, 3)` RGB frames.

    The head moves, comes nearer and tilts by up to 20 degrees. The picture is out of focus at 2.5 seconds and dark at
    6.8. The background is a blurred copy of the picture.
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
