"""Properties of FER2013's test faces, so that models can be audited where FER2013 is not installed.

The file beside this module holds brightness, contrast, sharpness and the annotators' agreement by row number. It holds
no pixels. `fer-lab data properties --save` makes it again from the pixels and FER+'s votes. Head roll has a file of its
own, see `faces.known_roll`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from fer_core.audit.slices import PROPERTIES
from fer_core.data import FaceDataset
from fer_core.faces import known_roll
from fer_core.files import whole_file
from fer_core.measuring.face_table import face_table
from fer_core.types import FerError

FILE: Final = Path(__file__).with_suffix(".npz")

_STEPS: Final = {"brightness": 0.1, "contrast": 0.1, "sharpness": 1.0, "agreement": 0.001}
"""Smallest difference that the file keeps."""

_UNKNOWN: Final = np.iinfo(np.int16).min


def measured_properties(dataset: FaceDataset) -> pd.DataFrame:
    """Return the properties of FER2013's test faces, as the file keeps them.

    Args:
        dataset: FER2013 with FER+'s votes.

    Returns:
        The columns of `slices.PROPERTIES`, indexed by row number; NaN where unknown.

    Raises:
        FerError: the faces are not those of FER2013, or have no votes.
    """
    if dataset.votes is None or (dataset.rows < 0).any():
        raise FerError("Expected FER2013 with FER+'s votes. Get both with: fer-lab data download")
    faces = dataset.subset(dataset.usage != "Training")
    table = face_table(faces).set_index("row")
    rounded = {name: _rounded(table[name].astype(float), step) for name, step in _STEPS.items()}
    return pd.DataFrame(rounded | {"roll": table["roll"]})[list(PROPERTIES)]


def save_properties(dataset: FaceDataset, path: Path = FILE) -> pd.DataFrame:
    """Write the file anew and return its table.

    Raises:
        FerError: see `measured_properties`.
    """
    table = measured_properties(dataset)
    columns = {
        name: np.where(table[name].isna(), _UNKNOWN, np.rint(table[name] / step)).clip(_UNKNOWN, 32_767).astype("<i2")
        for name, step in _STEPS.items()
    }
    with whole_file(path) as partial:
        np.savez_compressed(partial, rows=table.index.to_numpy().astype("<u2"), **columns)  # type: ignore[arg-type]
    known_properties.cache_clear()
    return table


@cache
def known_properties(path: Path = FILE) -> pd.DataFrame:
    """Return the properties of FER2013's test faces, as `measured_properties` does. Callers must not change them."""
    with np.load(path, allow_pickle=False) as stored:
        rows = stored["rows"].astype(np.int64)
        columns = {
            name: np.where(stored[name] == _UNKNOWN, np.nan, stored[name] * step) for name, step in _STEPS.items()
        }
    return pd.DataFrame(columns | {"roll": known_roll(rows)}, index=pd.Index(rows, name="row"))[list(PROPERTIES)]


def _rounded(values: pd.Series, step: float) -> pd.Series:
    return (values / step).clip(upper=32_767).round() * step
