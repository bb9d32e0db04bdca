"""UTKFace (Zhang, Song and Qi 2017, CVPR): aligned faces with age and gender, to pretrain backbones on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.dataset import FACE_SIZE
from fer_core.types import FerError

COLUMNS: Final = ("age", "gender", "jpeg")
OLDEST: Final = 120


@dataclass(frozen=True, eq=False)
class AgedFaces:
    """Faces with age and gender.

    Attributes:
        images: `(n, 48, 48)` uint8 gray.
        ages: `(n,)` float32, years.
        genders: `(n,)` float32, 0 male, 1 female, as UTKFace's annotators saw it.
    """

    images: NDArray[np.uint8]
    ages: NDArray[np.float32]
    genders: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, selection: NDArray) -> AgedFaces:
        """Return the faces that a mask or indices select, in that order."""
        return AgedFaces(self.images[selection], self.ages[selection], self.genders[selection])


def load_utkface(path: Path | str) -> AgedFaces:
    """Read faces from a Parquet table.

    Args:
        path: has the columns `age` (years), `gender` (0 male, 1 female) and `jpeg` (the encoded picture, gray or
            colour, of any size); others are ignored. Pictures are made gray and 48×48, as FER2013's faces are.

    Raises:
        FerError: the file cannot be read, lacks a column, or holds a picture or an age that is none.
    """
    file = Path(path)
    try:
        table = pd.read_parquet(file)
    except Exception as error:  # pyarrow raises whatever the file's damage provokes
        raise FerError(
            f"{file.name} cannot be read. Expected a Parquet table of faces with the columns {', '.join(COLUMNS)}. "
            f"Received: {file}"
        ) from error
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing or table.empty:
        raise FerError(
            f"{file.name} is no table of faces with age and gender. Expected the columns {', '.join(COLUMNS)}. "
            f"Received: {', '.join(map(str, table.columns)) or 'no columns'}, {len(table)} rows"
        )
    ages = pd.to_numeric(table["age"], errors="coerce").to_numpy(np.float32)
    genders = pd.to_numeric(table["gender"], errors="coerce").to_numpy(np.float32)
    wrong = np.flatnonzero(~((ages >= 0) & (ages <= OLDEST) & np.isin(genders, (0, 1))))
    if len(wrong):
        raise FerError(
            f"Row {wrong[0]} of {file.name} has no usable age or gender. Expected years from 0 to {OLDEST} and 0 or 1. "
            f"Received: {table['age'].iloc[wrong[0]]} and {table['gender'].iloc[wrong[0]]}"
        )
    images = np.stack([_gray(jpeg, row, file.name) for row, jpeg in enumerate(table["jpeg"])])
    return AgedFaces(images, ages, genders)


def _gray(content: bytes, row: int, name: str) -> NDArray[np.uint8]:
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    except (cv2.error, TypeError):
        picture = None
    if picture is None:
        raise FerError(f"The picture in row {row} of {name} cannot be decoded. Expected an encoded JPEG or PNG.")
    shrinks = min(picture.shape) >= FACE_SIZE
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (FACE_SIZE, FACE_SIZE), interpolation=how), np.uint8)
