"""UTKFace: face images with age and gender, to pretrain backbones on (Zhang, Song and Qi, CVPR 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.dataset import FACE_SIZE
from fer_core.data.images import resized
from fer_core.tables import read_table
from fer_core.types import FerError

COLUMNS: Final = ("age", "gender", "jpeg")
MAX_AGE: Final = 120  # years


@dataclass(frozen=True, eq=False)
class UTKFaceDataset:
    """Faces with age and gender."""

    images: NDArray[np.uint8]  # `(n, 48, 48)` gray
    ages: NDArray[np.float32]  # `(n,)` years
    genders: NDArray[np.float32]  # `(n,)`, 0 male, 1 female, as labelled in UTKFace

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, selection: NDArray) -> UTKFaceDataset:
        """Return the faces that a boolean mask or indices select, in that order."""
        return UTKFaceDataset(self.images[selection], self.ages[selection], self.genders[selection])


def load_utkface(path: Path | str) -> UTKFaceDataset:
    """Load UTKFace from a Parquet table with `age` (years), `gender` (0 male, 1 female) and `jpeg`, among others.

    Pictures are encoded, of any size, gray or colour; they become gray and 48 x 48 pixels, like FER2013's.

    Raises:
        FerError: the file cannot be read, a column is missing, or a row has an invalid picture, age or gender.
    """
    file = Path(path)
    try:
        table = read_table(file, COLUMNS)
    except FerError as error:
        raise FerError(f"{error} Expected a Parquet table of faces with the columns {', '.join(COLUMNS)}.") from error
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing or table.empty:
        raise FerError(
            f"{file.name} is not a table of faces with age and gender. Expected the columns {', '.join(COLUMNS)}. "
            f"Received: {', '.join(map(str, table.columns)) or 'no columns'}, {len(table)} rows"
        )
    ages = pd.to_numeric(table["age"], errors="coerce").to_numpy(np.float32)
    genders = pd.to_numeric(table["gender"], errors="coerce").to_numpy(np.float32)
    wrong = np.flatnonzero(~((ages >= 0) & (ages <= MAX_AGE) & np.isin(genders, (0, 1))))
    if len(wrong):
        raise FerError(
            f"Row {wrong[0]} of {file.name} has an invalid age or gender. Expected 0 to {MAX_AGE} years and 0 or 1. "
            f"Received: {table['age'].iloc[wrong[0]]} and {table['gender'].iloc[wrong[0]]}"
        )
    images = np.stack([_gray(jpeg, row, file.name) for row, jpeg in enumerate(table["jpeg"])])
    return UTKFaceDataset(images, ages, genders)


def _gray(content: bytes, row: int, name: str) -> NDArray[np.uint8]:
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    except (cv2.error, TypeError):
        picture = None
    if picture is None:
        raise FerError(f"The picture in row {row} of {name} cannot be decoded. Expected an encoded JPEG or PNG.")
    return resized(picture, (FACE_SIZE, FACE_SIZE))
