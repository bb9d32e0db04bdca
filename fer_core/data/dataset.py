"""FER2013 in memory: faces, labels and splits, and the exact duplicates among them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.votes import FerPlusVotes
from fer_core.labels import EXPRESSIONS, NUM_CLASSES
from fer_core.types import FerError

SPLITS: Final[tuple[str, ...]] = ("Training", "PublicTest", "PrivateTest")
"""FER2013's official names. PublicTest is the test split of the paper, PrivateTest that of the challenge."""

FACE_SIZE: Final[int] = 48
"""Side of FER2013's faces in pixels."""

_SPLIT_KEYS: Final[dict[str, str]] = {name.lower(): name for name in SPLITS} | {"train": "Training"}


def split_name(name: str) -> str:
    """Return the official name of a split, given it or another spelling: `"train"`, `"public_test"`, …

    Raises:
        FerError: there is no such split.
    """
    key = name.strip().lower().replace("_", "").replace("-", "").replace(" ", "")
    if key not in _SPLIT_KEYS:
        raise FerError(f"Unknown split. Expected training, public_test or private_test. Received: {name!r}")
    return _SPLIT_KEYS[key]


@dataclass(frozen=True, eq=False)
class FerDataset:
    """Faces with labels and official splits.

    Attributes:
        images: `(n, 48, 48)` uint8 gray.
        labels: `(n,)` int64 class indices in the order of `labels.EXPRESSIONS`.
        usage: `(n,)` str, each one of `SPLITS`.
        rows: `(n,)` int64 row index in the original `fer2013.csv`, from 0, whatever the order here; -1 if unknown. It
            is found by the pixels (`fer2013_rows.with_rows`) and joins faces with all that is kept of them.
        votes: of FER+'s annotators on the same faces; None if there are none.

    Raises:
        FerError: the arrays have other shapes, types or values.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.str_]
    rows: NDArray[np.int64]
    votes: FerPlusVotes | None = None

    def __post_init__(self) -> None:
        n = len(self.images)
        if self.images.shape != (n, FACE_SIZE, FACE_SIZE) or self.images.dtype != np.uint8:
            received = f"{self.images.shape} {self.images.dtype}"
            raise FerError(f"Expected images of shape (n, 48, 48) and type uint8. Received: {received}")
        for name in ("labels", "usage", "rows"):
            if getattr(self, name).shape != (n,):
                raise FerError(f"Expected {name} of shape ({n},), one per image. Received: {getattr(self, name).shape}")
        for name in ("labels", "rows"):
            if getattr(self, name).dtype != np.int64:
                raise FerError(f"Expected {name} of type int64. Received: {getattr(self, name).dtype}")
        if n and not 0 <= self.labels.min() <= self.labels.max() < NUM_CLASSES:
            raise FerError(f"Expected labels from 0 to 6. Received: {self.labels.min()} to {self.labels.max()}")
        if n and self.rows.min() < -1:
            raise FerError(f"Expected rows from 0 on, or -1 where unknown. Received: {self.rows.min()}")
        if self.votes is not None and len(self.votes) != n:
            raise FerError(f"Expected votes on {n} faces. Received: {len(self.votes)}")
        unknown = set(np.unique(self.usage).tolist()) - set(SPLITS)
        if unknown:
            raise FerError(f"Expected usage to be one of {', '.join(SPLITS)}. Received: {sorted(unknown)[0]!r}")

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def fingerprint(self) -> str:
        """Hash (32 hex digits) of images, labels and usage in their order; it does not depend on the file format."""
        digest = hashlib.sha256(b"fer-dataset-1")
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(self.labels.astype("<i8").tobytes())
        digest.update(usage_codes(self.usage).tobytes())
        return digest.hexdigest()[:32]

    def subset(self, selection: NDArray) -> FerDataset:
        """Return the faces that a boolean mask `(n,)` or integer indices `(m,)` select, in that order."""
        selection = np.asarray(selection)
        if selection.size == 0:
            selection = selection.astype(np.int64)
        return FerDataset(
            self.images[selection],
            self.labels[selection],
            self.usage[selection],
            self.rows[selection],
            None if self.votes is None else self.votes[selection],
        )

    def split(self, name: str) -> FerDataset:
        """Return one split: "training" (or "train"), "public_test", "private_test", or an official name.

        Raises:
            FerError: there is no such split, or the dataset has no faces of it.
        """
        official = split_name(name)
        mask = self.usage == official
        if not mask.any():
            present = ", ".join(part for part in SPLITS if (self.usage == part).any()) or "no faces at all"
            raise FerError(f"The dataset has no {official} faces. It holds: {present}")
        return self.subset(mask)

    @property
    def plurality(self) -> NDArray[np.int64]:
        """What most annotators say, `(n,)` class indices; -1 for a face without votes or without one clear answer.

        See `FerPlusVotes.plurality`.
        """
        return np.full(len(self), -1) if self.votes is None else self.votes.plurality()

    def with_votes(self, votes: FerPlusVotes) -> FerDataset:
        """Return the same faces with the votes on each; a face of unknown row has none.

        Args:
            votes: in the row order of `fer2013.csv`.

        Raises:
            FerError: a row is not in the table.
        """
        if self.rows.size and self.rows.max() >= len(votes):
            raise FerError(f"FER+ has votes for {len(votes)} rows only. Received: row {self.rows.max()}")
        counts = np.where(self.rows[:, None] >= 0, votes.votes[self.rows], 0)
        return replace(self, votes=FerPlusVotes(counts))

    def counts(self) -> pd.DataFrame:
        """Return the number of faces, with a row for each of `SPLITS` and a column for each expression."""
        table = np.zeros((len(SPLITS), NUM_CLASSES), dtype=np.int64)
        np.add.at(table, (usage_codes(self.usage), self.labels), 1)
        return pd.DataFrame(table, index=list(SPLITS), columns=list(EXPRESSIONS))


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Groups of faces with identical pixels.

    Attributes:
        groups: for each group the indices `(k,)` int64 into the dataset, k >= 2, ascending. Groups are ordered by
            their first face.
        across_splits: `(len(groups),)` bool, whether the group's faces are in more than one split.
        differing_labels: `(len(groups),)` bool, whether the group's faces have more than one label.
    """

    groups: tuple[NDArray[np.int64], ...]
    across_splits: NDArray[np.bool_]
    differing_labels: NDArray[np.bool_]

    @property
    def faces(self) -> int:
        """Number of faces in all groups."""
        return sum(len(group) for group in self.groups)

    @property
    def redundant(self) -> int:
        """Number of faces that would be removed if one of each group were kept."""
        return self.faces - len(self.groups)


def find_duplicates(dataset: FerDataset) -> Duplicates:
    """Find all groups of faces with identical pixels."""
    members: dict[bytes, list[int]] = {}
    for index, key in enumerate(pixel_hashes(dataset)):
        members.setdefault(key, []).append(index)
    groups = tuple(np.array(group, dtype=np.int64) for group in members.values() if len(group) > 1)
    return Duplicates(
        groups,
        np.array([len(set(dataset.usage[group])) > 1 for group in groups], dtype=bool),
        np.array([len(set(dataset.labels[group])) > 1 for group in groups], dtype=bool),
    )


def leaked_mask(test: FerDataset, training: FerDataset) -> NDArray[np.bool_]:
    """Return `(len(test),)` bool: whether a test face is also among the training faces, with identical pixels."""
    seen = set(pixel_hashes(training))
    return np.array([key in seen for key in pixel_hashes(test)], dtype=bool)


def usage_codes(usage: NDArray[np.str_]) -> NDArray[np.uint8]:
    """Return the positions in `SPLITS`, `(n,)` uint8."""
    codes = np.zeros(len(usage), dtype=np.uint8)
    for code, name in enumerate(SPLITS):
        codes[usage == name] = code
    return codes


def pixel_hashes(dataset: FerDataset) -> list[bytes]:
    """Return a hash of 16 bytes for each face, the same for faces with identical pixels only."""
    return [hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in dataset.images]
