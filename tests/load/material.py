"""What several kinds of files are made of."""

from __future__ import annotations

import functools
import io
import zipfile
from typing import NamedTuple

import numpy as np
from PIL import Image

from fer_core.data import sample_portrait
from tests.bad_inputs import HEAD


class Input(NamedTuple):
    """One damaged file."""

    what: str  # the good file and how it was damaged, for messages
    name: str
    content: bytes


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def csv(rows: int) -> bytes:
    random = np.random.default_rng(2013)
    lines = ["emotion,pixels,Usage"]
    for row in range(rows):
        usage = ("Training", "Training", "PublicTest", "PrivateTest")[row % 4]
        lines.append(f"{row % 7},{' '.join(map(str, random.integers(0, 256, 2304)))},{usage}")
    return ("\n".join(lines) + "\n").encode()


@functools.cache
def head() -> Image.Image:
    """Return the head of the sample portrait."""
    return Image.fromarray(np.ascontiguousarray(sample_portrait()[HEAD]))
