"""Exact duplicates among the faces: counted and shown, never deleted silently."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.data.dataset import FerDataset


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Groups of faces that are the same to the last pixel.

    Attributes:
        groups: for every set of identical faces the indices `(k,)` int64 into the dataset, k >= 2, ascending; ordered
            by their first face.
        across_splits: `(len(groups),)` bool, whether the group stands in more than one split.
        differing_labels: `(len(groups),)` bool, whether the group carries more than one label.
    """

    groups: tuple[NDArray[np.int64], ...]
    across_splits: NDArray[np.bool_]
    differing_labels: NDArray[np.bool_]

    @property
    def faces(self) -> int:
        """How many faces have a twin."""
        return sum(len(group) for group in self.groups)

    @property
    def redundant(self) -> int:
        """How many faces would go if one of each group were kept."""
        return self.faces - len(self.groups)


def find_duplicates(dataset: FerDataset) -> Duplicates:
    """Find all groups of identical faces, by a hash of their pixels."""
    members: dict[bytes, list[int]] = {}
    for index, key in enumerate(_pixel_hashes(dataset)):
        members.setdefault(key, []).append(index)
    groups = tuple(np.array(group, dtype=np.int64) for group in members.values() if len(group) > 1)
    return Duplicates(
        groups,
        np.array([len(set(dataset.usage[group])) > 1 for group in groups], dtype=bool),
        np.array([len(set(dataset.labels[group])) > 1 for group in groups], dtype=bool),
    )


def leaked_mask(test: FerDataset, training: FerDataset) -> NDArray[np.bool_]:
    """Return `(len(test),)` bool: which test faces also stand, pixel by pixel, among the training faces."""
    seen = set(_pixel_hashes(training))
    return np.array([key in seen for key in _pixel_hashes(test)], dtype=bool)


def _pixel_hashes(dataset: FerDataset) -> list[bytes]:
    return [hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in dataset.images]
