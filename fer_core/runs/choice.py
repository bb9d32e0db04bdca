"""What a run learns from: a part of FER2013, or somebody's own pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from fer_core.data import IMAGE_SUFFIXES, FerDataset, load_fer2013
from fer_core.labels import EXPRESSIONS
from fer_core.runs.data_warnings import count_warnings, light_warnings
from fer_core.runs.fer2013_part import fer2013_part
from fer_core.runs.own_pictures import own_pictures
from fer_core.training.training_data import TrainingData
from fer_core.types import FerError

SOURCES: Final = ("fer2013", "folder")
MIN_FACES: Final[int] = 70
"""Fewest training faces of FER2013 worth choosing: ten an expression."""

ALL_FACES: Final[int] = 25_838
"""Training faces of the whole of FER2013, without the fixed hold-out."""


@dataclass(frozen=True)
class DataChoice:
    """What to learn from.

    Attributes:
        source: `fer2013`, or `folder` for own pictures.
        faces: how many training faces of FER2013; None for all.
        balanced: the same number of each expression, as far as they go, instead of FER2013's own shares. With all
            faces: as many of each as the rarest one has.
        path: the folder or zip of class folders (`folder` only).
        whole_image: its pictures are face crops already, so that no face is looked for in them.
        seed: which faces are drawn from FER2013; the smaller of two draws lies within the larger.

    Raises:
        FerError: on creation, if the values make no sense.
    """

    source: str = "fer2013"
    faces: int | None = None
    balanced: bool = False
    path: str = ""
    whole_image: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise FerError(f"Unknown source of faces. Expected one of: {', '.join(SOURCES)}. Received: {self.source}")
        if self.source == "folder" and not self.path:
            raise FerError("Expected the path of a folder or zip with a folder of pictures for each expression.")
        if self.faces is not None and self.faces < MIN_FACES:
            raise FerError(f"Expected at least {MIN_FACES} faces of FER2013. Received: {self.faces}")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for run folders."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DataChoice:
        """Build from `as_dict`'s result.

        Raises:
            TypeError: a key is unknown.
            FerError: the values make no sense.
        """
        return cls(**values)


@dataclass(frozen=True, eq=False)
class ChosenData:
    """The faces of a choice, and what to know about them.

    Attributes:
        data: the parts of the training.
        warnings: a sentence for each thing that will make the result worse than it looks.
        skipped: a sentence for each picture that was left out.
    """

    data: TrainingData
    warnings: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def counts(self) -> pd.DataFrame:
        """How many faces: a row for each of `labels.EXPRESSIONS`, the columns `training` and `hold-out`."""
        parts = {"training": self.data.training, "hold-out": self.data.holdout}
        return pd.DataFrame({name: part.counts().sum() for name, part in parts.items()}).rename_axis("expression")


def load_training_data(choice: DataChoice, say: Callable[[str], None] = lambda _: None) -> ChosenData:
    """Load the faces of a choice.

    The hold-out of FER2013 is always its fixed tenth, thinned to at most as many faces as there are to learn from; of
    own pictures it is about a seventh of each class. FER2013's test splits are measured on in both cases, if FER2013 is
    at hand.

    Args:
        choice: what to load; in own pictures a face is looked for in each (some 20 ms), the largest is taken.
        say: told how far it is.

    Raises:
        FerError: FER2013 is not here; or the own pictures cannot be used, for a reason that the message names.
    """
    if choice.source == "fer2013":
        data = fer2013_part(load_fer2013(), choice.faces, choice.balanced, choice.seed)
        return ChosenData(data, tuple(count_warnings(data.training)))
    place = Path(choice.path).expanduser()
    found = own_pictures(place, choice.whole_image, say)
    data = TrainingData(found.training, found.holdout, fer2013_tests(), f"own pictures ({place.name})")
    warnings = (*count_warnings(found.faces), *light_warnings(found.faces), *found.warnings)
    return ChosenData(data, warnings, found.skipped)


def fer2013_tests() -> FerDataset | None:
    """Return FER2013's test splits; None where FER2013 is not at hand."""
    try:
        dataset = load_fer2013()
    except FerError:
        return None
    tests = dataset.subset(dataset.usage != "Training")
    return tests if len(tests) else None


def expected_faces(choice: DataChoice) -> int:
    """Return about how many faces there will be to learn from, without looking for any. Quick."""
    if choice.source == "fer2013":
        rarest = 392 * len(EXPRESSIONS)  # disgust's share of the training part
        return min(choice.faces or (rarest if choice.balanced else ALL_FACES), ALL_FACES)
    place = Path(choice.path).expanduser()
    if not place.is_dir():
        return max(1, int(place.stat().st_size / 50_000)) if place.is_file() else 1  # 50 kB a picture, a guess
    return sum(name.lower().endswith(IMAGE_SUFFIXES) for _, _, names in os.walk(place) for name in names) or 1
