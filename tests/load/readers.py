"""The kinds of damaged files: how often each is made, of what, and what reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tests.load.kinds import models, names, pictures, tables, videos, zips
from tests.load.kinds.material import Input
from tests.load.mutate import ANY, inside_gzip, inside_png, inside_zip, renumbered

BOMBS: Final = 0.05
"""Share of the inputs that are bombs instead of damaged files."""


def make(kind: str, seed: int, number: int) -> Input:
    """Return input `number` of a kind; the same for the same seed."""
    random = np.random.default_rng([seed, sorted(KINDS).index(kind), number])
    good, bombs = KINDS[kind].good(), KINDS[kind].bombs()
    if bombs and random.random() < BOMBS:
        name = sorted(bombs)[int(random.integers(0, len(bombs)))]
        return Input(f"bomb {name}", name, bombs[name])
    name = sorted(good)[int(random.integers(0, len(good)))]
    ways = [*ANY, *_SPECIAL.get(Path(name).suffix, ())]
    way = ways[int(random.integers(0, len(ways)))]
    return Input(f"{name} {way.__name__}", name, way(good[name], random))


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        share: of all inputs.
        good: returns undamaged files by name.
        bombs: returns small files that claim to be large.
        together: how many one process reads at most. Keras keeps memory of each network that it builds.
        read: reads one as pages and commands do. It returns the complaints, or raises a `FerError`.
    """

    share: float
    good: Callable[[], dict[str, bytes]]
    bombs: Callable[[], dict[str, bytes]]
    read: Callable[[Input, Path], list[str]]
    together: int = 1000


_SPECIAL: Final = {
    ".png": (inside_png, inside_png),
    ".zip": (inside_zip, inside_zip, inside_zip),
    ".keras": (inside_zip, inside_zip, inside_zip),
    ".gz": (inside_gzip, inside_gzip, inside_gzip),
    ".csv": (renumbered, renumbered),
    ".json": (renumbered, renumbered, renumbered),
}


KINDS: Final[dict[str, Kind]] = {
    "picture": Kind(0.37, pictures.pictures, pictures.picture_bombs, pictures.read_picture),
    "video": Kind(0.17, videos.videos, videos.video_bombs, videos.read_video),
    "zip": Kind(0.15, zips.zips, zips.zip_bombs, zips.read_zip),
    "names": Kind(0.03, names.names, dict, names.read_names),
    "table": Kind(0.13, tables.tables, tables.table_bombs, tables.read_table),
    "model": Kind(0.10, models.models, models.model_bombs, models.read_model),
    "keras": Kind(0.05, models.keras, models.keras_bombs, models.read_keras, together=10),
}
