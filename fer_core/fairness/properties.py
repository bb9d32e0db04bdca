"""Properties of faces that need no labels of people: brightness, contrast, sharpness, head roll, agreement.

Those of FER2013's test faces come with the package, so that models can be audited where FER2013 is not installed. The
file `fer2013_properties.npz` holds them by row number, and no pixels. `fer-lab data properties --save` makes it again
from the pixels and FER+'s votes. Head roll has a file of its own, see `faces.known_roll`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.columns import percent
from fer_core.data import FaceDataset
from fer_core.faces import known_roll
from fer_core.files import whole_file
from fer_core.measuring.face_table import face_table
from fer_core.types import FerError


@dataclass(frozen=True)
class Property:
    """A measurable property of a face.

    Attributes:
        words: what it is and its unit, for captions.
        lowest, highest: the words for low and for high values.
        limits: upper ends of the groups but the last; empty to divide the faces into three groups of equal size.
        number: format of a limit.
        size: whether only the distance from 0 counts.
        unknown: name of the group of faces without a value.
    """

    title: str
    words: str
    lowest: str
    highest: str
    limits: tuple[float, ...] = ()
    number: str = ".0f"
    size: bool = False
    unknown: str = "unknown"


PROPERTIES: Final[dict[str, Property]] = {
    "brightness": Property("Brightness", "mean gray value, 0 is black and 255 white", "dark", "bright"),
    "contrast": Property("Contrast", "standard deviation of the gray values", "low", "high"),
    "sharpness": Property("Sharpness", "variance of the Laplacian", "soft", "sharp"),
    "roll": Property(
        "Head roll",
        "angle in degrees between the line through the eyes and the horizontal, to either side",
        "upright",
        "tilted",
        limits=(5.0, 15.0),
        size=True,
        unknown="no face found",
    ),
    "agreement": Property(
        "Annotators’ agreement",
        "share of ten annotators who gave the most frequent answer (FER+)",
        "divided",
        "united",
        limits=(0.5, 0.7, 0.9),
        number=".0%",
        unknown="no votes",
    ),
}
"""The properties that faces are divided by. The keys are columns of `measuring.face_table.face_table`."""

FILE: Final = Path(__file__).with_name("fer2013_properties.npz")

_STEPS: Final = {"brightness": 0.1, "contrast": 0.1, "sharpness": 1.0, "agreement": 0.001}
"""Smallest difference that the file keeps."""

_UNKNOWN: Final = np.iinfo(np.int16).min


def slice_groups(name: str, values: pd.Series) -> tuple[NDArray[np.str_], list[str]]:
    """Divide faces by a key of `PROPERTIES`; a value is NaN where it is unknown.

    Returns:
        `(n,)` the name of each face's group ("dark, up to 101", "101 to 147", "bright, over 147"), and the names of the
        groups from low to high, unknown last.
    """
    kind = PROPERTIES[name]
    numbers = values.to_numpy(np.float64)
    numbers = np.abs(numbers) if kind.size else numbers
    known = ~np.isnan(numbers)
    limits = np.array(kind.limits, dtype=np.float64)
    if not len(limits) and known.any():
        limits = np.unique(np.quantile(numbers[known], [1 / 3, 2 / 3]))
    ends = [percent(limit, kind.number) for limit in limits]
    names = [f"all ({kind.title.lower()})"]
    if ends:
        middle = [f"{low} to {high}" for low, high in pairwise(ends)]
        names = [f"{kind.lowest}, up to {ends[0]}", *middle, f"{kind.highest}, over {ends[-1]}"]
    names.append(kind.unknown)
    places = np.where(known, np.searchsorted(limits, np.where(known, numbers, 0.0), side="left"), len(names) - 1)
    groups = np.array(names)[places]
    return groups, [group for group in names if (groups == group).any()]


def measured_properties(dataset: FaceDataset, path: Path | None = None) -> pd.DataFrame:
    """Return the `PROPERTIES` of FER2013's test faces by row number, as the file keeps them; given a path, write it.

    Raises:
        FerError: the faces are not those of FER2013, or have no votes.
    """
    if dataset.votes is None or (dataset.rows < 0).any():
        raise FerError("Expected FER2013 with FER+'s votes. Get both with: fer-lab data download")
    table = face_table(dataset.subset(dataset.usage != "Training"))
    columns: dict[str, NDArray[Any]] = {"rows": table["row"].to_numpy().astype("<u2")}
    for name, step in _STEPS.items():
        steps = np.where(table[name].isna(), _UNKNOWN, np.rint(table[name] / step))
        columns[name] = steps.clip(_UNKNOWN, 32_767).astype("<i2")
    if path is not None:
        with whole_file(path) as partial:
            np.savez_compressed(partial, **columns)  # type: ignore[arg-type]
        known_properties.cache_clear()
    return _table(columns)


@cache
def known_properties(path: Path = FILE) -> pd.DataFrame:
    """Return the properties of FER2013's test faces, as `measured_properties` does. Callers must not change them."""
    with np.load(path, allow_pickle=False) as stored:
        return _table(stored)


def _table(columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    rows = columns["rows"].astype(np.int64)
    steps = {name: columns[name] for name in _STEPS}
    values = {name: np.where(column == _UNKNOWN, np.nan, column * _STEPS[name]) for name, column in steps.items()}
    return pd.DataFrame(values | {"roll": known_roll(rows)}, index=pd.Index(rows, name="row"))[list(PROPERTIES)]
