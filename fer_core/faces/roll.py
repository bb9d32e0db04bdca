"""Head roll: how far each face is tilted to the side.

Measuring it takes about 6 ms per face, minutes for all of FER2013. The file beside this module therefore lists it for
each row of `fer2013.csv`, in whole degrees and without pixels. `fer-lab data roll --save` makes it again.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data import FaceDataset
from fer_core.faces.detector import FaceDetector, default_detector
from fer_core.faces.framing import measured_roll
from fer_core.files import whole_file
from fer_core.threads import in_parallel
from fer_core.types import FerError, Image

FILE: Final = Path(__file__).with_name("head_roll.npz")

UNKNOWN: Final = 999  # in the file, where no face, or no direction of its eyes, was found
STEEPEST: Final = 90.0
"""Degrees; a steeper roll counts as unknown. Of 36 faces of FER2013 with a steeper one, none was upside down: they are
profiles, and faces behind hands, in which the detector takes other things for eyes."""


def head_roll(images: NDArray[np.uint8], detector: FaceDetector | None = None) -> NDArray[np.float64]:
    """Measure the head roll of the largest face detected in each picture `(n, height, width)` uint8 gray.

    It is `(n,)` degrees, positive if the head is tilted clockwise in the picture, from -90 to 90; NaN where no face is
    found, or its eyes give no direction, as in profiles.
    """
    chosen = detector or default_detector()

    def roll(image: Image) -> float:
        faces = chosen.detect(np.repeat(image[..., None], 3, axis=2))
        degrees = measured_roll(faces[0]) if faces else np.nan
        return degrees if abs(degrees) <= STEEPEST else np.nan

    return np.array(list(in_parallel(roll, images)), np.float64)


def known_roll(rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the head roll, in whole degrees, of these rows of FER2013, `(n,)` as `head_roll`; NaN for unknown rows."""
    return np.array(pd.Series(_by_row()).reindex(rows), np.float64)


def dataset_roll(dataset: FaceDataset) -> NDArray[np.float64]:
    """Return the head roll of each face, `(n,)` as `head_roll`: known where the row is, measured elsewhere."""
    degrees = known_roll(dataset.rows)
    new = (dataset.rows < 0) | (dataset.rows >= len(_by_row()))
    degrees[new] = head_roll(dataset.images[new])
    return degrees


def save_roll(dataset: FaceDataset, path: Path = FILE) -> NDArray[np.float64]:
    """Measure the head roll of all faces of FER2013, write it in whole degrees, and return it as `head_roll` does."""
    if (np.sort(dataset.rows) != np.arange(len(dataset))).any():
        raise FerError("Expected FER2013 with all its rows, each once. Received: faces of unknown row, or a part of it")
    detector = default_detector()
    if detector.note:
        raise FerError(f"The table of head roll needs YuNet. {detector.note}")
    degrees = np.empty(len(dataset))
    degrees[dataset.rows] = head_roll(dataset.images, detector)
    whole = np.where(np.isnan(degrees), UNKNOWN, np.rint(np.nan_to_num(degrees))).astype(np.int16)
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, degrees=whole)
    return degrees[dataset.rows]


@cache
def _by_row() -> NDArray[np.float64]:
    with np.load(FILE, allow_pickle=False) as arrays:
        degrees = arrays["degrees"].astype(np.float64)
    return np.where(degrees == UNKNOWN, np.nan, degrees)
