"""Divisions of faces that need no labels of people: by brightness, contrast, sharpness, head roll, agreement."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.columns import percent
from fer_core.types import FerError


@dataclass(frozen=True)
class Property:
    """A measurable property of a face.

    Attributes:
        title: what people read.
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


def slice_groups(name: str, values: pd.Series) -> tuple[NDArray[np.str_], list[str]]:
    """Divide faces by a property.

    Args:
        name: a key of `PROPERTIES`.
        values: of each face; NaN where unknown.

    Returns:
        `(n,)` the name of each face's group, and the names of the groups from low to high, unknown last.

    Raises:
        FerError: the property is unknown.
    """
    if name not in PROPERTIES:
        raise FerError(f"Unknown property of faces. Expected one of {', '.join(PROPERTIES)}. Received: {name}")
    one = PROPERTIES[name]
    numbers = values.to_numpy(np.float64)
    numbers = np.abs(numbers) if one.size else numbers
    known = ~np.isnan(numbers)
    limits = np.array(one.limits, dtype=np.float64)
    if not len(limits) and known.any():
        limits = np.unique(np.quantile(numbers[known], [1 / 3, 2 / 3]))
    names = [*_names(one, limits), one.unknown]
    places = np.where(known, np.searchsorted(limits, np.where(known, numbers, 0.0), side="left"), len(names) - 1)
    groups = np.array(names)[places]
    return groups, [group for group in names if (groups == group).any()]


def _names(one: Property, limits: NDArray[np.float64]) -> list[str]:
    """Return "dark, up to 101", "101 to 147", "bright, over 147"."""
    ends = [percent(limit, one.number) for limit in limits]
    if not ends:
        return [f"all ({one.title.lower()})"]
    middle = [f"{low} to {high}" for low, high in pairwise(ends)]
    return [f"{one.lowest}, up to {ends[0]}", *middle, f"{one.highest}, over {ends[-1]}"]
